"""Tests of tools/extract_schema.py, the maintainers' tool that makes the schema's data file."""

import gzip
import importlib.util
import io
import os
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from google.protobuf import descriptor_pb2
from twisted.trial.unittest import SynchronousTestCase


def tool() -> ModuleType:
    """Import the tool from where it lies."""
    path = Path(__file__).parents[2] / "tools" / "extract_schema.py"
    spec = importlib.util.spec_from_file_location("extract_schema", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def file(name: str, *imports: str) -> descriptor_pb2.FileDescriptorProto:
    made = descriptor_pb2.FileDescriptorProto(
        name=name, package="acme", syntax="proto3", dependency=imports
    )
    made.options.java_package = "com.acme"
    made.source_code_info.location.add(leading_comments="secret")
    made.service.add(name="Service")
    message = made.message_type.add(name=Path(name).stem.title())
    field = message.field.add(name="text", number=1, type=9, label=1, json_name="text")
    field.options.deprecated = True
    field.options.jstype = 1
    # validate.rules: { string { min_len: 1 } }, and an option that nobody reads
    field.options.MergeFromString(b"\xfa\x42\x04\x72\x02\x10\x01\xc0\xbb\x78\x01")
    message.oneof_decl.add(name="one")
    message.nested_type.add(name="Inner")
    message.enum_type.add(name="Kind").value.add(name="ZERO", number=0)
    made.enum_type.add(name=f"Top{Path(name).stem}").value.add(name=f"T{Path(name).stem}", number=0)
    return made


class ExtractTests(SynchronousTestCase):
    """From a binary to the data file."""

    def setUp(self) -> None:
        self.tool = tool()
        self.folder = self.mktemp()
        os.mkdir(self.folder)
        validate = file("validate/validate.proto")
        validate.message_type[0].name = "FieldRules"
        validate.package = "validate"
        files = [file("acme/b.proto", "acme/a.proto"), file("acme/a.proto"), validate]
        noise = b"\0\n\x0cacme/c.proto\x12\xff\xff\xff\xff" + b"\n\x05x/y.proto\x12"
        self.binary = self.path("envoy")
        with open(self.binary, "wb") as stream:
            stream.write(b"\x7fELF" + noise)
            for one in files:
                stream.write(one.SerializeToString() + b"\0" * 5 + os.urandom(3) + b"\0")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def test_extract(self) -> None:
        """Files come out in order of import, with what nobody reads gone."""
        found = self.tool.extract(self.binary)
        names = [one.name for one in found.file]
        self.assertLess(names.index("acme/a.proto"), names.index("acme/b.proto"))
        self.assertEqual(names[-1], "twisted_envoy/options.proto")
        one = found.file[names.index("acme/a.proto")]
        self.assertFalse(one.HasField("source_code_info") or one.HasField("options"))
        self.assertEqual(len(one.service), 0)
        field = one.message_type[0].field[0]
        self.assertFalse(field.HasField("json_name"))
        self.assertTrue(field.options.deprecated)
        self.assertFalse(field.options.HasField("jstype"))
        self.assertEqual(field.options.SerializeToString(), b"\x18\x01\xfa\x42\x04\x72\x02\x10\x01")

    def test_main(self) -> None:
        """The data file is written, and compared with a listing."""
        out, listing = self.path("schema.binpb.gz"), self.path("SCHEMA.txt")
        with open(listing, "w") as stream:
            stream.write("message acme.A\n  1 string text rules {}\n  2 repeated string more \n")
        with redirect_stdout(io.StringIO()) as shown:
            self.assertEqual(self.tool.main([self.binary, out]), 0)
            self.assertEqual(self.tool.main([self.binary, out, listing]), 1)
        self.assertIn("listed 2, missing 1 acme.A.more", shown.getvalue())
        with open(out, "rb") as stream:
            raw = gzip.decompress(stream.read())
        self.assertEqual(len(descriptor_pb2.FileDescriptorSet.FromString(raw).file), 4)

    def test_missingImports(self) -> None:
        """A file whose imports are not in the binary ends the tool."""
        with open(self.binary, "ab") as stream:
            stream.write(file("acme/d.proto", "acme/gone.proto").SerializeToString())
        error = self.assertRaises(SystemExit, self.tool.extract, self.binary)
        self.assertIn("acme/gone.proto", str(error))

    def test_keptOptions(self) -> None:
        """Options of every wire type are walked over."""
        data = b"\x18\x01" + b"\x29" + b"8" * 8 + b"\x35" + b"4" * 4 + b"\x0a\x01x"
        self.assertEqual(self.tool.keptOptions(data), b"\x18\x01\x0a\x01x")

    def test_endlessVarint(self) -> None:
        """A number that never ends is refused."""
        self.assertRaises(ValueError, self.tool.readVarint, b"\xff" * 20, 0)
