"""Tests of twisted_envoy.config.decode."""

import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, decode, outcome, verdicts
from twisted_envoy.config import decode as module
from twisted_envoy.config.bootstrap import decodeText, envoyPlans, loadBootstrap
from twisted_envoy.config.fields import LIST, MAP, Field, MapField, MessageField
from twisted_envoy.config.load import Text
from twisted_envoy.config.plan import MessagePlan

TYPES = (
    "envoy.config.core.v3.Node",
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.listener.v3.Listener",
    "envoy.config.route.v3.RouteConfiguration",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    "xds.type.matcher.v3.Matcher",
)
NUMBERS = {
    1: st.floats(allow_nan=False, allow_infinity=False, width=32),
    2: st.floats(allow_nan=False, allow_infinity=False, width=32),
    3: st.integers(-(2**63), 2**63 - 1),
    4: st.integers(0, 2**64 - 1),
    5: st.integers(-(2**31), 2**31 - 1),
    8: st.booleans(),
    9: st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    12: st.binary(max_size=8),
    13: st.integers(0, 2**32 - 1),
}


class Filler:
    """Fills messages of any type with random values."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw

    def message(self, plan: MessagePlan, message: Message, depth: int) -> None:
        fields = plan.uniqueFields()
        if not fields:
            return
        for field in self.draw(st.lists(st.sampled_from(fields), max_size=3)):
            self.field(field, message, depth)

    def field(self, field: Field, message: Message, depth: int) -> None:
        if field.form == MAP:
            assert isinstance(field, MapField)
            holder = getattr(message, field.name)
            key = self.draw(NUMBERS[field.descriptor.message_type.fields_by_name["key"].type])
            if isinstance(field.value, MessageField):
                self.one(field.value, holder[key], depth)
            else:
                holder[key] = self.scalar(field.value)
        elif isinstance(field, MessageField):
            holder = getattr(message, field.name)
            if field.form == LIST:
                holder = holder.add()
            else:
                holder.SetInParent()
            self.one(field, holder, depth)
        elif field.form == LIST:
            getattr(message, field.name).append(self.scalar(field))
        else:
            setattr(message, field.name, self.scalar(field))

    def scalar(self, field: Field) -> object:
        enum = field.descriptor.enum_type
        if enum is not None:
            return self.draw(st.sampled_from([value.number for value in enum.values]))
        return self.draw(NUMBERS[field.descriptor.type])

    def one(self, field: MessageField, message: Message, depth: int) -> None:
        kind = field.kind
        if kind == "message":
            if depth:
                self.message(field.element, message, depth - 1)
        elif kind == "wrapper":
            message.value = self.scalar(field.element.fields["value"])
        elif kind == "duration":
            message.seconds = self.draw(st.integers(0, 10**6))
            message.nanos = self.draw(st.integers(0, 999_999_999))
        elif kind == "timestamp":
            message.seconds = self.draw(st.integers(0, 2**32))
        elif kind == "struct":
            message.fields["a"].string_value = self.draw(NUMBERS[9])
            message.fields["b"].list_value.values.add().string_value = "x"
            message.fields["c"].struct_value.fields["d"].bool_value = True
        elif kind == "value":
            message.string_value = "y"
        elif kind == "list":
            message.values.add().null_value = 0
        elif kind == "mask":
            message.paths.append("a.b_c")
        elif kind == "any":
            inner = envoyPlans().find("envoy.config.core.v3.Pipe")
            assert inner is not None
            pipe = inner.make(path="/p")
            message.type_url = "type.googleapis.com/envoy.config.core.v3.Pipe"
            message.value = pipe.SerializeToString()


class RoundTripTests(SynchronousTestCase):
    """Messages of Envoy's schema to JSON and YAML and back."""

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data(), st.sampled_from(TYPES), st.booleans(), st.booleans())
    def test_anyMessage(
        self, data: st.DataObject, name: str, isJSON: bool, camelCase: bool
    ) -> None:
        """What protobuf writes, in either spelling and language, decodes to the same message."""
        plan = envoyPlans().find(name)
        assert plan is not None
        message = plan.make()
        Filler(data).message(plan, message, 4)
        written = MessageToDict(
            message,
            preserving_proto_field_name=not camelCase,
            descriptor_pool=envoyPlans().schema.pool,
        )
        text = json.dumps(written, ensure_ascii=isJSON)

        record, _ = decodeText(Text("t", text, isJSON), plan, [])

        self.assertEqual(record.message, message)


class RecordedTests(SynchronousTestCase):
    """Configs as real Envoy 1.40 takes them."""

    def test_verdicts(self) -> None:
        """Each config gets the same verdict and the same words."""
        wrong = []
        for text, wanted, anys in verdicts()["config"]:
            found = outcome(text, anys=anys)
            if wanted not in found or (wanted == "OK") != (found == "OK"):
                wrong.append((text, wanted, found))
        self.assertEqual(wrong, [])


class LeniencyTests(SynchronousTestCase):
    """What Envoy accepts beyond the letter of the proto-JSON mapping."""

    def test_oneElementForAList(self) -> None:
        """A single value stands for a list of one."""
        node = decode("client_features: a", NODE).message
        self.assertEqual(list(node.client_features), ["a"])
        record = decode("extensions: {name: x}", NODE)
        self.assertEqual(record.message.extensions[0].name, "x")

    def test_listsInListsAreFlattened(self) -> None:
        """Lists inside of lists are part of the outer one."""
        node = decode("client_features: [[a, [b]], c]", NODE).message
        self.assertEqual(list(node.client_features), ["a", "b", "c"])

    def test_nullInAList(self) -> None:
        """A null in a list is an empty element."""
        record = decode("client_features: [null, a]\nextensions: [null, {name: x}]", NODE)
        self.assertEqual(list(record.message.client_features), ["", "a"])
        self.assertEqual([one.name for one in record.message.extensions], ["", "x"])

    def test_nullIsUnset(self) -> None:
        """Null leaves a field unset, in a oneof too."""
        record = decode("admin: {address: {pipe: {path: /p}, socket_address: null}}")
        self.assertEqual(record.message.admin.address.WhichOneof("address"), "pipe")
        self.assertFalse(decode("id: ~", NODE).entries)

    def test_bothSpellings(self) -> None:
        """A name may be written either way."""
        for name in ("user_agent_name", "userAgentName"):
            self.assertEqual(decode(f"{name}: x", NODE).message.user_agent_name, "x")

    def test_lastOfEqualKeysCounts(self) -> None:
        """Of a key given twice the last value counts; the first is not even looked at."""
        warnings = loadBootstrap(yamlText="node:\n  id: 5\n  id: x\n")[1]
        self.assertEqual(
            [str(one) for one in warnings],
            ["--config-yaml:3:3: 'id' is given twice, first in line 2: the last one counts"],
        )

    def test_equalKeysOfAny(self) -> None:
        """They are told once, although an Any is looked at twice."""
        kind = "type.googleapis.com/google.protobuf.StringValue"
        config = f"{{'@type': {kind}, value: one, value: two}}"
        text = f"bootstrap_extensions: [{{name: a, typed_config: {config}}}]"
        warnings = loadBootstrap(yamlText=text)[1]
        self.assertEqual(len([one for one in warnings if "given twice" in str(one)]), 1)

    def test_ignoredKeys(self) -> None:
        """A key tagged `!ignore` may hold anchors for the rest."""
        node = decode("!ignore x: &a {id: b}\nnode: *a\n").message.node
        self.assertEqual(node.id, "b")
        decode("!ignore id: 5\nid: a", NODE)

    def test_emptyAny(self) -> None:
        """An Any may be empty, but then really."""
        record = decode("name: x\ntyped_config: {}", "envoy.config.core.v3.TypedExtensionConfig")
        self.assertEqual(record.message.typed_config.type_url, "")

    def test_anyInAny(self) -> None:
        """An Any may hold an Any, of any host's types."""
        holder = "envoy.config.core.v3.TypedExtensionConfig"
        text = "name: x\ntyped_config: {'@type': h/google.protobuf.Any, value: {'@type': h/%s}}"
        record = decode(text % "google.protobuf.Empty", holder)
        self.assertEqual(record.message.typed_config.type_url, "h/google.protobuf.Any")

    def test_openEnums(self) -> None:
        """Numbers that no name has are kept; rules may refuse them later."""
        plan = envoyPlans().find("envoy.config.cluster.v3.Cluster")
        assert plan is not None
        record, _ = decodeText(Text("t", "dns_lookup_family: 77"), plan, [])
        self.assertEqual(record.message.dns_lookup_family, 77)

    def test_mapsOfEverything(self) -> None:
        """Maps of messages, of Structs, of Anys and of strings; null gives an empty value."""
        record = decode(
            "filter_metadata: {a: {b: 1}, c: null}\n"
            f"typed_filter_metadata: {{d: {{'@type': {TCP_PROXY}, stat_prefix: x, cluster: c}}}}",
            "envoy.config.core.v3.Metadata",
        )
        self.assertEqual(sorted(record.message.filter_metadata), ["a", "c"])
        self.assertEqual(list(record.entries["typed_filter_metadata"][2]), ["d"])


class ErrorTests(SynchronousTestCase):
    """What users see when something is wrong."""

    def test_positionPathWordsAndHelp(self) -> None:
        """File, line, column, path, Envoy's words, and a guess."""
        text = "node:\n  id: a\n  clster: b\n"
        self.assertEqual(
            outcome(text).partition(", known")[0].partition(" known")[0],
            "t.yaml:3:3: node: Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason "
            "INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ node: message "
            "envoy.config.core.v3.Node: no such field: 'clster') has unknown fields "
            "(did you mean 'cluster'?",
        )

    def test_nothingAlike(self) -> None:
        """Without a likely name only the known ones are listed."""
        found = outcome("admin: {qqq: 1}")
        self.assertNotIn("did you mean", found)
        self.assertIn("(known: access_log, ", found)

    def test_hardErrorsComeFirst(self) -> None:
        """An unknown field is reported only when nothing else is wrong."""
        found = outcome("foo: 1\nnode: {bar: [1, {a: b}], id: 5}\n")
        self.assertIn("node.id: string: unexpected character: '5'", found)

    def test_unknownEnumIsSkippedWhileLookingOn(self) -> None:
        """So is an unknown enum name, in lists and maps too."""
        found = outcome("static_resources: {clusters: [{type: X, name: 5}]}")
        self.assertIn("name: string: unexpected", found)

    def test_keysThatAreNoScalars(self) -> None:
        """A list as a key is yaml-cpp's to refuse."""
        for text in ("[a]: b", "a: 1\n[b]: c", "node: {metadata: {{a: b}: c}}"):
            self.assertIn("bad conversion", outcome(text))

    def test_aliasBomb(self) -> None:
        """Aliases that multiply meet a budget, soon."""
        lines = ["a: &a0 [x, x, x, x, x, x, x, x]"]
        for level in range(9):
            lines.append(f"b{level}: &a{level + 1} [{', '.join([f'*a{level}'] * 8)}]")
        body = "\n".join(f"    {line}" for line in lines)
        self.patch(module, "MAX_NODES", 10_000)
        found = outcome(f"node:\n  metadata:\n{body}\n")
        self.assertIn("more than 10000 values: aliases multiply too far", found)

    def test_anAliasOfItself(self) -> None:
        """A node inside of itself ends at the depth limit."""
        found = outcome("node: {metadata: &a {b: *a}}")
        self.assertIn("JSON content was too deeply nested", found)
        self.assertIn("no such field: 'a'", outcome("a: &a [*a]"))
        found = outcome("node: {extensions: &a [*a]}")
        self.assertIn("JSON content was too deeply nested", found)


NODE = "envoy.config.core.v3.Node"
