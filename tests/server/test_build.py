"""From options to a server."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from tests.bootstraps import INTERNAL, bootstrap, cluster, echo, listener, proxied, typed
from tests.server.refusing import RefusalTestCase
from twisted_envoy.access_log.manager import MemoryAccessLogManager
from twisted_envoy.config.load import Text
from twisted_envoy.errors import ConfigError, UnsupportedField
from twisted_envoy.internal import getRegistry
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.sockets.choosing import SWITCH
from twisted_envoy.sockets.endpoints import ReactorSockets
from twisted_envoy.sockets.transports.endpoints import TransportSockets
from twisted_envoy.testing import MemoryEnvoy, MemorySockets

MONITOR = "type.googleapis.com/envoy.extensions.resource_monitors."


class LogTestCase(RefusalTestCase):
    """A case that hears what is logged."""

    def setUp(self):
        self.events = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def warnings(self):
        return [str(event["problem"]) for event in self.events if "problem" in event]


class BuildTests(LogTestCase):
    """What is built, and in which order mistakes are found."""

    def test_empty(self):
        """A bootstrap with nothing in it runs."""
        envoy = MemoryEnvoy("{}\n")
        self.assertEqual(len(envoy.server.listeners), 0)
        self.assertEqual(envoy.server.state, "LIVE")

    def test_worker(self):
        """Of several processes no two number connections alike; the text may have been read."""
        options = ServerOptions(configPath="gone.json", concurrency=3)
        text = Text("gone.json", proxied(), isJSON=True)
        for worker, expected in ((0, [1, 4, 7]), (1, [2, 5, 8])):
            server = buildServer(options, Clock(), MemorySockets(None), text=text, worker=worker)
            (listener,) = server.listeners
            self.assertEqual([listener.nextID() for _ in range(3)], expected)

    def test_stats(self):
        """The managers' gauges and counters."""
        envoy = MemoryEnvoy(proxied())
        self.assertEqual(
            envoy.stats("^(cluster|listener)_manager"),
            {
                "cluster_manager.cluster_added": 1,
                "cluster_manager.active_clusters": 1,
                "listener_manager.listener_added": 1,
                "listener_manager.listener_create_success": 1,
                "listener_manager.total_listeners_active": 1,
                "listener_manager.workers_started": 1,
            },
        )

    def test_order(self):
        """Of two mistakes the one in the clusters comes first, as in Envoy."""
        text = bootstrap([listener("A", "here:1", echo())], [cluster("c", "there:1")])
        self.assertRefused(text, "malformed IP address: there")

    def test_validating(self):
        """Validating is the same build; nothing is bound, and no buffer size changes."""
        clock = Clock()
        size = getRegistry(clock).bufferSize
        extension = {**INTERNAL, "typed_config": {**INTERNAL["typed_config"], "buffer_size_kb": 2}}
        text = bootstrap([listener("A", "127.0.0.1:1", echo())], bootstrap_extensions=[extension])
        options = ServerOptions(configYAML=text, mode="Validate")
        server = buildServer(options, clock, accessLogs=MemoryAccessLogManager())
        self.assertEqual(len(server.listeners), 1)
        self.assertEqual(getRegistry(clock).bufferSize, size)
        self.assertIsInstance(server.sockets, ReactorSockets | TransportSockets)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_transports(self):
        """A runtime key wants Twisted's transports."""
        layer = {"name": "s", "static_layer": {SWITCH: True}}
        text = bootstrap([], layered_runtime={"layers": [layer]})
        server = buildServer(ServerOptions(configYAML=text), Clock())
        self.assertIsInstance(server.sockets, TransportSockets)

    def test_node(self):
        """What only an xDS server would hear is accepted."""
        text = bootstrap([], node={"id": "a", "cluster": "b"}, node_context_params=["x"])
        self.assertEqual(MemoryEnvoy(text).server.state, "LIVE")

    def test_logFormat(self):
        """application_log_config is the application's business where the log is not ours."""
        config = {"log_format": {"text_format": "%v"}}
        formats = []
        text = bootstrap([], application_log_config=config)
        options = ServerOptions(configYAML=text, allowUnsupported=True)
        buildServer(options, Clock(), setLogFormat=formats.append)
        self.assertEqual(len(formats), 1)
        buildServer(options, Clock())
        self.assertTrue(any("the log belongs to the application" in one for one in self.warnings()))

    def test_identifiers(self):
        """Each connection has a number of its own, over all listeners."""
        envoy = MemoryEnvoy(
            bootstrap([listener("a", "127.0.0.1:1", echo()), listener("b", "127.0.0.1:2", echo())])
        )
        numbers = []
        for name in ("a", "b", "a"):
            envoy.connect(name)
        for one in envoy.server.listeners:
            numbers += [chain.streamInfo.connectionID for chain in one.connections]
        self.assertEqual(sorted(numbers), [1, 2, 3])


class UnsupportedTests(LogTestCase):
    """What nobody obeys."""

    def test_refused(self):
        """By default the first is refused, and others are named."""
        slow = {"slow_start_config": {"slow_start_window": "1s"}}
        text = bootstrap([], [cluster("c", "1.2.3.4:5", round_robin_lb_config=slow)])
        self.assertIsInstance(self.refused(text), UnsupportedField)
        two = bootstrap([], flags_path="/x", header_prefix="x")
        problem = self.refused(two)
        self.assertIn("and 1 more", problem.problem)

    def test_allowed(self):
        """--allow-unsupported makes warnings of them."""
        text = bootstrap([], flags_path="/x")
        envoy = MemoryEnvoy(text, ServerOptions(allowUnsupported=True))
        self.assertEqual(envoy.server.state, "LIVE")
        self.assertTrue(any("flags_path" in one for one in self.warnings()))

    def test_duplicateListener(self):
        """A second listener of one name is warned of with its place."""
        made = [listener("A", "internal:", echo()) for _ in range(2)]
        MemoryEnvoy(bootstrap(made))
        (warning,) = self.warnings()
        self.assertIn("listener name 'A' is given twice: the first one wins", warning)
        self.assertIn("<bootstrap>:", warning)

    def test_runtimeKey(self):
        """So is a runtime key without effect."""
        layers = [{"name": "a", "static_layer": {"no.such.key": 1}}]
        MemoryEnvoy(bootstrap([], layered_runtime={"layers": layers}))
        self.assertEqual(
            self.warnings(), ["runtime key 'no.such.key' has no effect in twisted_envoy"]
        )


class LimitTests(LogTestCase):
    """The global limit."""

    def test_runtime(self):
        """The older way: a runtime key."""
        layer = {"overload.global_downstream_max_connections": 1}
        text = bootstrap(
            [listener("A", "127.0.0.1:1", echo())],
            layered_runtime={"layers": [{"name": "a", "static_layer": layer}]},
        )
        envoy = MemoryEnvoy(text)
        envoy.connect("A")
        self.assertTrue(envoy.connect("A").ended)

    def test_monitorFirst(self):
        """A resource monitor goes before it."""
        layer = {"overload.global_downstream_max_connections": 1}
        kind = "downstream_connections.v3.DownstreamConnectionsConfig"
        config = {"@type": MONITOR + kind, "max_active_downstream_connections": 2}
        monitor = {
            "name": "envoy.resource_monitors.global_downstream_max_connections",
            "typed_config": config,
        }
        text = bootstrap(
            [listener("A", "127.0.0.1:1", echo())],
            layered_runtime={"layers": [{"name": "a", "static_layer": layer}]},
            overload_manager={"resource_monitors": [monitor], "refresh_interval": "1s"},
        )
        envoy = MemoryEnvoy(text)
        self.assertFalse(envoy.connect("A").ended)
        self.assertFalse(envoy.connect("A").ended)
        self.assertTrue(envoy.connect("A").ended)

    def test_internal(self):
        """Internal connections are not counted by the monitor, and never refused."""
        config = {
            "@type": MONITOR + "downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": 1,
        }
        name = "envoy.resource_monitors.global_downstream_max_connections"
        text = bootstrap(
            [listener("A", "127.0.0.1:1", echo()), listener("B", "internal:", echo())],
            overload_manager={"resource_monitors": [{"name": name, "typed_config": config}]},
        )
        envoy = MemoryEnvoy(text)
        inside = [envoy.connect("B"), envoy.connect("B")]
        self.assertFalse(envoy.connect("A").ended)
        self.assertTrue(envoy.connect("A").ended)
        self.assertEqual([one.ended for one in inside], [False, False])


class FlushTests(LogTestCase):
    """How often histograms are merged."""

    def merged(self, seconds, **fields):
        envoy = MemoryEnvoy(bootstrap([], **fields))
        histogram = envoy.server.store.histogram("x")
        histogram.record(1)
        envoy.advance(seconds)
        return histogram.total.count

    def test_interval(self):
        """Every 5 seconds, or as configured."""
        self.assertEqual(self.merged(4.9), 0)
        self.assertEqual(self.merged(5.1), 1)
        self.assertEqual(self.merged(0.6, stats_flush_interval="0.5s"), 1)

    def test_onAdmin(self):
        """Or only when the admin page asks."""
        self.assertEqual(self.merged(100, stats_flush_on_admin=True), 0)


class AdminTests(LogTestCase):
    """The admin interface."""

    def test_inMemory(self):
        """It answers on its address, in memory too."""
        text = bootstrap(
            [],
            admin={"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}},
        )
        envoy = MemoryEnvoy(text)
        client = envoy.connect("127.0.0.1:9901")
        client.write(b"GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        envoy.settle()
        self.assertIn(b"LIVE\n", client.received)
        envoy.stop()

    def test_none(self):
        """Without one there is none."""
        self.assertIsNone(MemoryEnvoy(bootstrap([])).server.admin)


class ExtensionTests(LogTestCase):
    """Bootstrap extensions."""

    def test_unimplemented(self):
        """One that Envoy has and we have not is named."""
        wasm = typed("envoy.bootstrap.wasm", "wasm.v3.WasmService")
        with self.assertRaises(ConfigError) as caught:
            MemoryEnvoy(bootstrap([], bootstrap_extensions=[wasm]))
        self.assertIn("wasm", str(caught.exception))
