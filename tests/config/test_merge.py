"""Tests of twisted_envoy.config.merge."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, decode, view
from tests.config.test_decode import TYPES, Filler
from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import Text
from twisted_envoy.config.merge import mergeRecords
from twisted_envoy.config.record import Record
from twisted_envoy.config.unread import children
from twisted_envoy.config.view import toJSON, viewOf

METADATA = "envoy.config.core.v3.Metadata"
NODE = "envoy.config.core.v3.Node"


def merged(first: str, second: str, typeName: str) -> Record:
    into = decode(first, typeName)
    mergeRecords(into, decode(second, typeName))
    return into


class MergeTests(SynchronousTestCase):
    """Records stay true to the merged messages."""

    def test_scalarsAndZeroes(self) -> None:
        """Scalars are overwritten; a zero is nothing, unless the field can tell."""
        record = merged("{id: a, cluster: b}", "{id: c, cluster: ''}", NODE)
        read = viewOf(record)
        self.assertEqual((read.id, read.cluster), ("c", "b"))
        self.assertEqual(read.position("id").column, 2)

    def test_listsAndMaps(self) -> None:
        """Lists grow, maps are replaced key by key, children keep their places."""
        record = merged(
            "extensions: [{name: a}]\ndynamic_parameters: {x: {}}",
            "extensions: [{name: b}]\ndynamic_parameters: {x: {params: {k: v}}, w: {}}",
            NODE,
        )
        read = viewOf(record)
        self.assertEqual([one.name for one in read.extensions], ["a", "b"])
        self.assertEqual(read.extensions[1].path, "extensions[1]")
        self.assertEqual(sorted(read.dynamic_parameters), ["w", "x"])
        self.assertEqual(read.dynamic_parameters["x"].params, {"k": "v"})

    def test_oneofs(self) -> None:
        """The later member of a oneof replaces the earlier."""
        record = merged(
            "{pipe: {path: /p}}",
            "{socket_address: {address: a, port_value: 1}}",
            "envoy.config.core.v3.Address",
        )
        read = viewOf(record)
        self.assertEqual(read.which("address"), "socket_address")
        self.assertFalse(read.has("pipe"))
        self.assertEqual(read.socket_address.port_value, 1)

    def test_anys(self) -> None:
        """The later Any wins, with its content."""
        one = f"{{'@type': {TCP_PROXY}, stat_prefix: %s, cluster: c}}"
        holder = "envoy.config.core.v3.TypedExtensionConfig"
        record = merged(
            f"name: a\ntyped_config: {one % 'p'}", f"name: b\ntyped_config: {one % 'q'}", holder
        )
        self.assertEqual(viewOf(record).typed_config.open().stat_prefix, "q")

    def test_leaves(self) -> None:
        """Structs are merged by key."""
        read = viewOf(merged("metadata: {a: 1}", "metadata: {b: 2}", NODE))
        self.assertEqual(read.metadata, {"a": 1, "b": 2})

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data(), st.sampled_from(TYPES))
    def test_likeProtobuf(self, data: st.DataObject, name: str) -> None:
        """The message is what MergeFrom makes, and every Record stands for its part of it."""
        import json

        plan = envoyPlans().find(name)
        assert plan is not None
        records = []
        for _ in range(2):
            message = plan.make()
            Filler(data).message(plan, message, 3)
            holder = Record(plan, message, None, None, "", None, None)  # type: ignore[arg-type]
            text = json.dumps(toJSON(holder), ensure_ascii=False)
            records.append(decodeText(Text("t", text), plan, [])[0])
        expected = plan.make()
        expected.CopyFrom(records[0].message)
        expected.MergeFrom(records[1].message)

        mergeRecords(*records)

        self.assertEqual(records[0].message, expected)
        self.same(records[0])

    def same(self, record: Record) -> None:
        """Each child's message is the one that hangs on its parent's."""
        for field, (_, _, below) in record.entries.items():
            part = getattr(record.message, field)
            if isinstance(below, list):
                self.assertEqual([one.message for one in below], list(part))
            elif isinstance(below, dict):
                for key, child in below.items():
                    self.assertEqual(child.message, part[key])
            elif below is not None:
                self.assertEqual(below.message, part)
            for child in children(below):
                self.assertIs(child.parent, record)
                self.same(child)


class MetadataTests(SynchronousTestCase):
    """Maps of leaves."""

    def test_structsInMaps(self) -> None:
        """A Struct in a map is replaced whole."""
        record = merged("filter_metadata: {a: {x: 1}}", "filter_metadata: {a: {z: 2}}", METADATA)
        self.assertEqual(viewOf(record).filter_metadata, {"a": {"z": 2}})
        self.assertEqual(view("{}", METADATA).filter_metadata, {})
