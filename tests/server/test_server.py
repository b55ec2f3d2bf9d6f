"""A running server: its life and what the admin interface asks of it."""

from __future__ import annotations

from twisted.internet.error import CannotListenError, ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import addressOf, bootstrap, cluster, echo, listener, proxied, tcpProxy
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.server import GRACE
from twisted_envoy.server.server_stats import residentBytes
from twisted_envoy.testing import MemoryEnvoy, MemoryResolver


def three():
    """Listeners of each traffic direction."""
    return bootstrap(
        [
            listener("in", "127.0.0.1:1", echo(), traffic_direction="INBOUND"),
            listener("out", "127.0.0.1:2", echo(), traffic_direction="OUTBOUND"),
            listener("hop", "internal:", echo()),
        ]
    )


class LifeTests(SynchronousTestCase):
    """Start and stop."""

    def test_state(self):
        """INITIALIZING until it listens, then LIVE; DRAINING while it is unhealthy."""
        envoy = MemoryEnvoy(three())
        fresh = buildServer(ServerOptions(configYAML=three()), MemoryEnvoy("{}\n").clock)
        self.assertEqual(fresh.state, "INITIALIZING")
        server = envoy.server
        self.assertEqual(server.state, "LIVE")
        self.assertEqual((envoy.stat("server.live"), envoy.stat("server.state")), (1, 0))
        server.healthCheckFail()
        self.assertEqual(server.state, "DRAINING")
        self.assertEqual((envoy.stat("server.live"), envoy.stat("server.state")), (0, 1))
        server.healthCheckOk()
        self.assertEqual(server.state, "LIVE")

    def test_bindsOnce(self):
        """Binding as root and starting later is one binding."""
        server = MemoryEnvoy(three()).server
        first = server.privilegedStartService()
        self.assertIs(server.privilegedStartService(), first)
        self.successResultOf(first)

    def test_cannotBind(self):
        """An address that is taken raises at once, and is no wrapped error."""
        made = bootstrap(
            [listener("a", "127.0.0.1:1", echo())], admin={"address": addressOf("127.0.0.1:1")}
        )
        with self.assertRaises(CannotListenError) as caught:
            MemoryEnvoy(made)
        self.assertIn("127.0.0.1:1", str(caught.exception))

    def test_stop(self):
        """Nothing is accepted, open connections are closed, logs are closed, timers are gone."""
        envoy = MemoryEnvoy(three())
        client = envoy.connect("in")
        stopped = envoy.server.stopService()
        self.assertIs(envoy.server.stopService(), stopped)
        self.assertNoResult(stopped)
        envoy.advance(0.1)
        self.successResultOf(stopped)
        self.assertTrue(client.ended)
        self.assertFalse(envoy.server.running)
        self.assertEqual(envoy.clock.getDelayedCalls(), [])
        for name in ("in", "out", "hop"):
            with self.assertRaises(ConnectionRefusedError):
                envoy.connect(name)

    def test_grace(self):
        """Who does not take what was written is reset after the grace time."""
        envoy = MemoryEnvoy(three())
        client = envoy.connect("in")
        client.pauseProducing()
        client.write(b"x" * 5000)
        envoy.settle()
        stopped = envoy.server.stopService()
        envoy.advance(GRACE - 0.1)
        self.assertNoResult(stopped)
        envoy.advance(0.2)
        self.successResultOf(stopped)
        self.assertTrue(client.wasReset)

    def test_upstreamsToo(self):
        """Connections to clusters end with those to clients."""
        envoy = MemoryEnvoy(proxied())
        origin = envoy.listen("127.0.0.1:10000")
        envoy.connect("ingress")
        envoy.stop()
        self.assertTrue(origin.connections[0].ended)
        self.assertEqual(envoy.stat("cluster.origin.upstream_cx_active"), 0)

    def test_waitsForNames(self):
        """While a cluster has had no answer it is initializing, and clients wait."""
        resolver = MemoryResolver({"name": ["127.0.0.1"]})
        resolver.silent.add("name")
        text = bootstrap(
            [listener("in", "127.0.0.1:1", tcpProxy("c"))],
            [cluster("c", "name:80", type="STRICT_DNS")],
        )
        envoy = MemoryEnvoy(text, resolver=resolver)
        origin = envoy.listen("127.0.0.1:80")
        client = envoy.connect("in")
        client.write(b"patient")
        envoy.settle()
        self.assertEqual(envoy.server.state, "PRE_INITIALIZING")
        self.assertEqual(origin.connections, [])
        resolver.speak("name")
        envoy.settle()
        self.assertEqual(envoy.server.state, "LIVE")
        self.assertEqual(origin.connections[0].received, b"patient")
        envoy.stop()


class ListenerManagerTests(SynchronousTestCase):
    """All listeners."""

    def test_access(self):
        """By name, in order, and counted."""
        listeners = MemoryEnvoy(three()).server.listeners
        self.assertEqual([one.name for one in listeners], ["in", "out", "hop"])
        self.assertEqual(len(listeners), 3)
        self.assertEqual(listeners.get("in").name, "in")
        self.assertIsNone(listeners.get("none"))

    def test_stopInbound(self):
        """Only inbound ones may be stopped; open connections stay."""
        envoy = MemoryEnvoy(three())
        client = envoy.connect("in")
        self.successResultOf(envoy.server.listeners.stopListening(inboundOnly=True))
        with self.assertRaises(ConnectionRefusedError):
            envoy.connect("in")
        self.assertFalse(envoy.connect("out").ended)
        client.write(b"still")
        envoy.settle()
        self.assertEqual(client.received, b"still")
        self.assertEqual(envoy.stat("listener_manager.listener_stopped"), 1)

    def test_stopTwice(self):
        """A listener that is stopped is not counted again."""
        envoy = MemoryEnvoy(three())
        for _ in range(2):
            envoy.server.listeners.stopListening()
            envoy.settle()
        self.assertEqual(envoy.stat("listener_manager.listener_stopped"), 3)

    def test_openConnections(self):
        """Connections of all listeners add up."""
        envoy = MemoryEnvoy(three())
        clients = [envoy.connect(name) for name in ("in", "out", "hop")]
        self.assertEqual(envoy.stat("server.total_connections"), 3)
        clients[0].abortConnection()
        envoy.settle()
        self.assertEqual(envoy.server.listeners.openConnections, 2)

    def test_unbound(self):
        """A listener with bind_to_port false is there, and nothing is bound."""
        text = bootstrap([listener("a", "127.0.0.1:1", echo(), bind_to_port=False)])
        envoy = MemoryEnvoy(text)
        self.assertEqual(len(envoy.server.listeners), 1)
        with self.assertRaises(ConnectionRefusedError):
            envoy.connect("127.0.0.1:1")


class StatsTests(SynchronousTestCase):
    """server.*"""

    def test_values(self):
        """Computed when somebody looks."""
        envoy = MemoryEnvoy(bootstrap([], stats_server_version_override=77))
        envoy.advance(12.7)
        self.assertEqual(envoy.stat("server.uptime"), 12)
        self.assertEqual(envoy.stat("server.version"), 77)
        self.assertEqual(envoy.stat("server.concurrency"), 1)
        self.assertGreater(envoy.stat("server.memory_allocated"), 1_000_000)
        self.assertGreater(residentBytes(), 1_000_000)

    def test_noMemory(self):
        """Where the system does not tell, it is 0."""

        def refuse(*arguments, **keywords):
            raise OSError

        self.patch(__import__("builtins"), "open", refuse)
        self.assertEqual(residentBytes(), 0)


class ServiceTests(SynchronousTestCase):
    """What else the admin interface asks for."""

    def test_soon(self):
        """A call in the next turn."""
        envoy = MemoryEnvoy("{}\n")
        called = []
        envoy.server.soon(lambda: called.append(True))
        self.assertEqual(called, [])
        envoy.settle()
        self.assertEqual(called, [True])

    def test_reopen(self):
        """Logs are opened anew."""
        envoy = MemoryEnvoy("{}\n")
        opened = []
        self.patch(envoy.logs, "reopen", lambda: opened.append(True))
        envoy.server.reopenLogs()
        self.assertEqual(opened, [True])
