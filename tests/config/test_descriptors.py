"""Tests of twisted_envoy.config.descriptors."""

from google.protobuf import descriptor_pb2
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.descriptors import Descriptors


def file(name: str, package: str, *messages: str) -> descriptor_pb2.FileDescriptorProto:
    made = descriptor_pb2.FileDescriptorProto(name=name, package=package, syntax="proto3")
    for message in messages:
        made.message_type.add(name=message).nested_type.add(name="Inner")
    return made


LONG = f"{'long/' * 40}name.proto"

STORED = descriptor_pb2.FileDescriptorSet(
    file=[
        file("a/one.proto", "acme", "A", "B"),
        file(LONG, "acme", "C"),
        file("b/bare.proto", "", "D"),
        file("b/deep.proto", "acme.deep.v3", "E"),
    ]
).SerializeToString()


class DescriptorsTests(SynchronousTestCase):
    """Files, found by their names and by what is in them."""

    def setUp(self) -> None:
        self.descriptors = Descriptors(STORED)

    def found(self, name: str) -> str:
        """The name of the file that has a type."""
        return self.descriptors.FindFileContainingSymbol(name).name

    def test_byName(self) -> None:
        """A file is whole; one that is not there is a KeyError."""
        self.assertEqual(
            self.descriptors.FindFileByName("a/one.proto"), file("a/one.proto", "acme", "A", "B")
        )
        self.assertEqual(self.descriptors.FindFileByName(LONG).package, "acme")
        self.assertRaises(KeyError, self.descriptors.FindFileByName, "a/two.proto")

    def test_byType(self) -> None:
        """Types are found in any package or none, nested ones too, again and again."""
        for _ in range(2):
            self.assertEqual(self.found("acme.A"), "a/one.proto")
            self.assertEqual(self.found("acme.B.Inner"), "a/one.proto")
            self.assertEqual(self.found("acme.C"), LONG)
            self.assertEqual(self.found("D.Inner"), "b/bare.proto")
            self.assertEqual(self.found("acme.deep.v3.E"), "b/deep.proto")

    def test_unknownType(self) -> None:
        """A type that nobody has is a KeyError, also in a package that is known."""
        for name in ("X", "acme.X", "acme.deep.X", "other.A", "acme.deep.v3", ""):
            self.assertRaises(KeyError, self.descriptors.FindFileContainingSymbol, name)

    def test_readOnDemand(self) -> None:
        """Of packages that nobody asks for nothing is read."""
        read: list[str] = []
        find = self.descriptors.FindFileByName
        self.patch(
            self.descriptors, "FindFileByName", lambda name: (read.append(name), find(name))[1]
        )

        self.found("acme.deep.v3.E")

        self.assertEqual(set(read), {"b/deep.proto"})

    def test_add(self) -> None:
        """A file is added once; one with a type that is there already, read or not, is refused."""
        more = file("c/more.proto", "acme", "F")
        taken = file("c/taken.proto", "acme.deep.v3", "E")

        self.assertTrue(self.descriptors.add(more, more.SerializeToString()))
        self.assertFalse(self.descriptors.add(more, more.SerializeToString()))
        self.assertRaises(TypeError, self.descriptors.add, taken, taken.SerializeToString())

        self.assertEqual(self.found("acme.F"), "c/more.proto")
        self.assertEqual(self.found("acme.deep.v3.E"), "b/deep.proto")

    def test_addToNothing(self) -> None:
        """There may be none before."""
        descriptors = Descriptors()
        more = file("c/more.proto", "acme", "F")
        self.assertTrue(descriptors.add(more, more.SerializeToString()))
        self.assertEqual(descriptors.FindFileContainingSymbol("acme.F").name, "c/more.proto")
