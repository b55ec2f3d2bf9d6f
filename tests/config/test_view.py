"""Tests of twisted_envoy.config.view."""

from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, load, view
from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError, Position

CLUSTER = "envoy.config.cluster.v3.Cluster"
HOLDER = "envoy.config.core.v3.TypedExtensionConfig"
XDS = "type.googleapis.com/xds.type.v3.TypedStruct"


class ValueTests(SynchronousTestCase):
    """What properties return."""

    def test_scalarsAndEnums(self) -> None:
        """Values as they are, defaults when unset, enums by name, unknown ones by number."""
        read = view("{name: c, type: STRICT_DNS, ignore_health_on_host_removal: true}", CLUSTER)
        self.assertEqual(read.name, "c")
        self.assertEqual(read.type, "STRICT_DNS")
        self.assertIs(read.ignore_health_on_host_removal, True)
        self.assertEqual(read.alt_stat_name, "")
        self.assertEqual(read.lb_policy, "ROUND_ROBIN")

    def test_wrappersAndTimes(self) -> None:
        """Wrappers and durations are values, or None."""
        read = view(
            "{name: c, connect_timeout: 0.25s, per_connection_buffer_limit_bytes: 0}", CLUSTER
        )
        self.assertEqual(read.connect_timeout, 0.25)
        self.assertEqual(read.per_connection_buffer_limit_bytes, 0)
        self.assertIsNone(read.cleanup_interval)
        self.assertIsNone(read.track_cluster_stats)

    def test_messagesAndLists(self) -> None:
        """Messages are views, always the same one; lists are tuples."""
        read = load("static_resources: {clusters: [{name: a}, {name: b}]}")
        resources = read.static_resources
        self.assertIs(resources, read.static_resources)
        self.assertEqual([one.name for one in resources.clusters], ["a", "b"])
        self.assertEqual(resources.listeners, ())
        self.assertIsNone(read.admin)
        self.assertEqual(
            view("client_features: [a]", "envoy.config.core.v3.Node").client_features, ("a",)
        )
        self.assertEqual(repr(resources.clusters[1]), "<ClusterView static_resources.clusters[1]>")
        self.assertEqual(repr(read), "<BootstrapView (root)>")
        self.assertEqual(read.typeName, "envoy.config.bootstrap.v3.Bootstrap")

    def test_listsOfLeaves(self) -> None:
        """Lists of enums are names; lists of wrappers their values."""
        name = "envoy.config.accesslog.v3.GrpcStatusFilter"
        self.assertEqual(view("statuses: [OK, canceled]", name).statuses, ("OK", "CANCELED"))

    def test_maps(self) -> None:
        """Maps are dicts: of views, of Anys, of dicts, of strings."""
        read = view(
            "{name: c, metadata: {filter_metadata: {m: {k: [1, 2.5, {}]}}}, "
            f"typed_extension_protocol_options: {{t: {{'@type': {TCP_PROXY}}}}}}}",
            CLUSTER,
        )
        self.assertEqual(read.metadata.filter_metadata, {"m": {"k": [1, "2.5", {}]}})
        self.assertEqual(read.typed_extension_protocol_options["t"].typeURL, TCP_PROXY)
        empty = view("name: c", CLUSTER)
        self.assertEqual(empty.typed_extension_protocol_options, {})

    def test_namesThatAreTaken(self) -> None:
        """Fields with a View's own names have an underscore behind."""
        read = view("path: /p", "envoy.config.core.v3.Pipe")
        self.assertEqual(read.path_, "/p")
        self.assertEqual(read.path, "")

    def test_values(self) -> None:
        """A Value is any Python value."""
        name = "google.api.expr.v1alpha1.Constant"
        self.assertEqual(view("null_value: 0", name).null_value, "NULL_VALUE")


class HelperTests(SynchronousTestCase):
    """What every View can do beside its fields."""

    def test_whichAndHas(self) -> None:
        """Both ask without marking; an explicit default counts as set."""
        read = view("{pipe: {path: /p, mode: 0}}", "envoy.config.core.v3.Address")
        self.assertEqual(read.which("address"), "pipe")
        self.assertTrue(read.has("pipe"))
        self.assertFalse(read.has("socket_address"))
        self.assertEqual(len(unread(read)), 1)
        self.assertTrue(read.pipe.has("mode"))

    def test_moot(self) -> None:
        """What Envoy ignores too is as good as read."""
        read = view("{name: c, alt_stat_name: d}", CLUSTER)
        read.moot("alt_stat_name", "no stats here")
        self.assertEqual([one.fieldName for one in unread(read)], ["name"])

    def test_take(self) -> None:
        """All at once, as JSON has it, Anys opened."""
        text = f"name: x\ntyped_config: {{'@type': {TCP_PROXY}, stat_prefix: p, idle_timeout: 1s}}"
        read = view(text, HOLDER)
        expected = {
            "name": "x",
            "typed_config": {"@type": TCP_PROXY, "stat_prefix": "p", "idle_timeout": "1s"},
        }
        self.assertEqual(read.take(), expected)
        self.assertEqual(unread(read), [])

    def test_takeEverything(self) -> None:
        """Lists and maps below are marked too."""
        read = load(
            "static_resources: {clusters: [{name: c, typed_extension_protocol_options: "
            f"{{k: {{'@type': {TCP_PROXY}}}}}}}]}}\nadmin: {{}}"
        )
        read.take()
        self.assertEqual(unread(read), [])

    def test_errorsAndWarnings(self) -> None:
        """Errors and warnings know their place."""
        read, warnings = loadBootstrap(yamlText="node:\n  id: a\n")
        self.assertEqual(read.node.position("id"), Position("--config-yaml", 2, 3))
        error = read.node.error("is odd", "id")
        self.assertEqual(str(error), "--config-yaml:2:3: node.id: is odd")
        read.node.warn("is old")
        self.assertEqual([str(one) for one in warnings], ["--config-yaml:2:3: node: is old"])

    def test_message(self) -> None:
        """The protobuf message itself."""
        self.assertEqual(load("node: {id: a}").node.message.id, "a")


class AnyTests(SynchronousTestCase):
    """Anys."""

    def test_open(self) -> None:
        """The content's View, checked once."""
        read = view(
            f"name: x\ntyped_config: {{'@type': {TCP_PROXY}, stat_prefix: p, cluster: c}}", HOLDER
        )
        holder = read.typed_config
        self.assertEqual(holder.typeName, TCP_PROXY.partition("/")[2])
        self.assertEqual(holder.open().stat_prefix, "p")
        self.assertIs(holder.open(), holder.open())
        self.assertIsNone(holder.struct)
        self.assertEqual(holder.message.type_url, TCP_PROXY)
        self.assertEqual(holder.path, "typed_config")
        self.assertIn("TcpProxy typed_config>", repr(holder))

    def test_empty(self) -> None:
        """An empty Any cannot be opened."""
        holder = view("name: x\ntyped_config: {}", HOLDER).typed_config
        self.assertEqual((holder.typeURL, holder.typeName), ("", ""))
        self.assertIsNone(holder.struct)
        self.assertRaises(ConfigError, holder.open)

    def test_structs(self) -> None:
        """Struct and TypedStruct give a dict."""
        struct = "type.googleapis.com/google.protobuf.Struct"
        for text in (
            f"{{'@type': {struct}, value: {{a: 1}}}}",
            f"{{'@type': {XDS}, type_url: a/b.C, value: {{a: 1}}}}",
        ):
            read = view(f"name: x\ntyped_config: {text}", HOLDER)
            self.assertEqual(read.typed_config.struct, {"a": 1})
            self.assertEqual([one.fieldName for one in unread(read)], ["name"])

    def test_helpers(self) -> None:
        """Positions, errors, warnings, take."""
        read = view(f"name: x\ntyped_config:\n  '@type': {TCP_PROXY}\n", HOLDER)
        holder = read.typed_config
        self.assertEqual(holder.position(), Position("t.yaml", 3, 3))
        self.assertEqual(str(holder.error("is odd")), "t.yaml:3:3: typed_config: is odd")
        holder.warn("is old")
        self.assertEqual(holder.take(), {"@type": TCP_PROXY})
        self.assertIs(holder.record, holder.record)
