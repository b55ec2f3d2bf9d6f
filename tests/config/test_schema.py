"""Tests of twisted_envoy.config.schema."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.schema import Schema, envoySchema


def file(name: str, message: str, *imports: str) -> bytes:
    made = descriptor_pb2.FileDescriptorProto(
        name=name, package="acme", syntax="proto3", dependency=imports
    )
    made.message_type.add(name=message).field.add(name="text", number=1, type=9, label=1)
    return made.SerializeToString()


class SchemaTests(SynchronousTestCase):
    """Envoy's message types."""

    def test_findByNameAndURL(self) -> None:
        """Messages are found by full name and by type URL."""
        schema = envoySchema()
        name = "envoy.config.bootstrap.v3.Bootstrap"
        self.assertEqual(schema.messageClass(name).DESCRIPTOR.full_name, name)
        found = schema.find(f"type.googleapis.com/{name}")
        assert found is not None
        self.assertEqual(found.full_name, name)

    def test_classesOfFields(self) -> None:
        """A type has one class, whether it was asked for or came with what it is in."""
        schema = Schema()
        prefix = "envoy.config.core.v3"
        metadata = schema.messageClass(f"{prefix}.Metadata")
        node: Any = schema.messageClass(f"{prefix}.Node")(id="a")
        node.locality.zone = "b"

        locality: Any = schema.messageClass(f"{prefix}.Locality")
        self.assertIs(type(node.locality), locality)
        node.locality.CopyFrom(locality(zone="c"))
        self.assertEqual(type(node).FromString(node.SerializeToString()), node)
        listener: Any = schema.messageClass("envoy.config.listener.v3.Listener")()
        self.assertIs(type(listener.metadata), metadata)

    def test_unknown(self) -> None:
        """Unknown names are None, or KeyError."""
        self.assertIsNone(envoySchema().find("acme.Nothing"))
        self.assertRaises(KeyError, envoySchema().messageClass, "acme.Nothing")

    def test_near(self) -> None:
        """What is meant: by its last word, or by nearly all of it; nothing for what is far."""
        near = envoySchema().near
        echo = "envoy.extensions.filters.network.echo.v3.Echo"
        for name in (
            echo.replace("echo", "ecko"),
            f"h/{echo.replace('Echo', 'Ecko')}",
            f"h/{echo}s",
        ):
            self.assertEqual(near(name), echo)
        self.assertEqual(
            near("envoy.config.filter.network.tcp_proxy.v2.TcpProxy"),
            "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        )
        self.assertEqual(near("nobody.knows.Q"), "")

    def test_defaultPoolIsUntouched(self) -> None:
        """Nothing of Envoy's gets into protobuf's own pool."""
        envoySchema()
        with self.assertRaises(KeyError):
            descriptor_pool.Default().FindMessageTypeByName("envoy.config.bootstrap.v3.Bootstrap")

    def test_options(self) -> None:
        """Validation rules and deprecation marks are readable."""
        schema = envoySchema()
        cluster = schema.find("envoy.config.cluster.v3.Cluster")
        assert cluster is not None
        rules = schema.fieldOptions(cluster.fields_by_name["name"]).rules
        self.assertEqual(rules.string.min_len, 1)
        old = schema.fieldOptions(cluster.fields_by_name["http2_protocol_options"])
        self.assertTrue(old.deprecated)
        self.assertFalse(schema.messageOptions(cluster).disabled)
        address = schema.find("envoy.config.core.v3.Address")
        assert address is not None
        self.assertTrue(schema.oneofRequired(address.oneofs_by_name["address"]))

    def test_addDescriptors(self) -> None:
        """A third party's files come in any order, alone or as a set, and twice without harm."""
        schema = Schema()
        first, second = file("acme/a.proto", "A"), file("acme/b.proto", "B", "acme/a.proto")

        schema.addDescriptors([second, first])
        schema.addDescriptors([first])
        third = descriptor_pb2.FileDescriptorSet()
        third.file.add().ParseFromString(file("acme/c.proto", "C"))
        schema.addDescriptors(third.SerializeToString())

        for name in "ABC":
            self.assertIsNotNone(schema.find(f"acme.{name}"))
        self.assertIsNone(envoySchema().find("acme.A"))

    def test_badDescriptors(self) -> None:
        """What is no descriptor, or imports the unknown, is a ValueError."""
        schema = Schema()
        for bad in (
            [b"\xff\xff\xff"],
            b"\xff\xff\xff",
            [file("acme/x.proto", "X", "acme/missing.proto")],
            [file("acme/y.proto", "Y", "acme/y.proto")],
        ):
            self.assertRaises(ValueError, schema.addDescriptors, bad)

    def test_takenName(self) -> None:
        """A type that Envoy has, used so far or not, cannot be another's."""
        schema = Schema()
        taken = descriptor_pb2.FileDescriptorProto(
            name="acme/taken.proto", package="envoy.config.core.v3"
        )
        taken.message_type.add(name="Address")

        self.assertRaises(ValueError, schema.addDescriptors, [taken.SerializeToString()])
        self.assertRaises(ValueError, schema.addDescriptors, [taken.SerializeToString()])
        address = schema.find("envoy.config.core.v3.Address")
        assert address is not None
        self.assertIn("socket_address", address.fields_by_name)

    def test_builtOnDemand(self) -> None:
        """What nobody asks for is not built, which is what keeps a process small."""
        schema = Schema()
        built: list[str] = []
        find = schema._files.FindFileByName
        self.patch(schema._files, "FindFileByName", lambda name: built.append(name) or find(name))

        self.assertIsNotNone(schema.find("envoy.config.core.v3.SocketAddress"))

        self.assertIn("envoy/config/core/v3/address.proto", built)
        self.assertLess(len(built), 60)
