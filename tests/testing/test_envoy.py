"""A bootstrap in memory."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.error import CannotListenError, ConnectionRefusedError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, directResponse, echo, listener, proxied, tcpProxy
from twisted_envoy.errors import ConfigError
from twisted_envoy.internal import NotSettled
from twisted_envoy.testing import MemoryEnvoy, Origin, Peer

DOCUMENTED = Path(__file__).parents[2] / "configs" / "internal_listener_proxy.yaml"


class DocumentedExampleTests(SynchronousTestCase):
    """Envoy's documented example, as docs/testing.md tries it."""

    def test_bytesGoThroughTheInternalListener(self):
        """What the client sends reaches the origin through the hop, and the answer comes back."""
        envoy = MemoryEnvoy(str(DOCUMENTED))
        origin = envoy.listen("127.0.0.1:10000")

        client = envoy.connect("ingress")
        client.write(b"hello")
        client.loseWriteConnection()
        envoy.settle()
        server = origin.connections[0]
        self.assertEqual((server.received, server.ended), (b"hello", True))

        server.write(b"world")
        server.loseConnection()
        envoy.settle()
        self.assertEqual((client.received, client.ended), (b"world", True))
        self.assertEqual(
            envoy.stats("^listener.*internal.*cx_(active|total)$"),
            {
                "listener.envoy_internal_hop.downstream_cx_total": 1,
                "listener.envoy_internal_hop.worker_0.downstream_cx_total": 1,
            },
        )
        self.assertEqual(envoy.stat("listener.envoy_internal_hop.downstream_cx_active"), 0)
        envoy.stop()


class MemoryEnvoyTests(SynchronousTestCase):
    """What a test can do with it."""

    def test_byAddressAndByName(self):
        """A listener is reached by its name and by its address, without any port of the system."""
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("four", "127.0.0.1:80", echo()),
                    listener("six", "::1:80", echo()),
                    listener("pipe", "@pipe", echo()),
                    listener("hop", "internal:", echo()),
                ]
            )
        )
        for where in (
            "four",
            "127.0.0.1:80",
            "six",
            "[::1]:80",
            "pipe",
            "@pipe",
            "hop",
            "envoy://hop/x",
        ):
            client = envoy.connect(where)
            client.write(where.encode())
            envoy.settle()
            self.assertEqual(client.received, where.encode())

    def test_freePort(self):
        """Port 0 becomes some port; the name still leads there."""
        envoy = MemoryEnvoy(bootstrap([listener("any", "127.0.0.1:0", directResponse("hi"))]))
        self.assertEqual(envoy.connect("any").received, b"hi")

    def test_source(self):
        """A client may say which address it comes from."""
        envoy = MemoryEnvoy(proxied())
        envoy.listen("127.0.0.1:10000")
        envoy.connect("ingress", source="10.1.2.3:4")
        (chain,) = envoy.server.listeners.get("ingress").connections
        self.assertEqual(chain.streamInfo.remoteAddress.host, "10.1.2.3")

    def test_refused(self):
        """Where nobody listens, connecting raises."""
        envoy = MemoryEnvoy(bootstrap([]))
        with self.assertRaises(ConnectionRefusedError):
            envoy.connect("127.0.0.1:1")
        with self.assertRaises(ConnectionRefusedError):
            envoy.connect("envoy://nobody/")

    def test_unknownNames(self):
        """A listener that is not there: those that are; a stat that is not there: close ones."""
        envoy = MemoryEnvoy(str(DOCUMENTED))

        error = self.assertRaises(ValueError, envoy.connect, "nosuch")
        self.assertEqual(
            str(error),
            "'nosuch' is neither a listener nor an address; listeners: 'hop', 'ingress'",
        )
        missing = self.assertRaises(KeyError, envoy.stat, "listener.envoy_internal_hop.cx_total")
        self.assertRegex(missing.args[0], r"did you mean .*internal_hop.downstream_cx_total")
        missing = self.assertRaises(KeyError, envoy.stat, "?")
        self.assertEqual(missing.args, ("?",))

    def test_ownFactories(self):
        """Any Twisted factory may be an upstream, any protocol a client."""

        class Shouting(Protocol):
            def dataReceived(self, data):
                self.transport.write(data.upper())

        envoy = MemoryEnvoy(proxied())
        shouting = envoy.listen("127.0.0.1:10000", Factory.forProtocol(Shouting))
        self.assertIsInstance(shouting, Factory)
        connecting = envoy.endpoint("ingress").connect(Factory.forProtocol(Peer))
        envoy.settle()
        client = self.successResultOf(connecting)
        client.write(b"quiet")
        envoy.settle()
        self.assertEqual(client.received, b"QUIET")

    def test_internalUpstream(self):
        """An upstream may listen at an internal address, too."""
        envoy = MemoryEnvoy(
            bootstrap(
                [listener("in", "127.0.0.1:80", tcpProxy("app"))], [cluster("app", "internal:app")]
            )
        )
        app = envoy.listen("envoy://app/")
        envoy.connect("in").write(b"x")
        envoy.settle()
        self.assertEqual(app.connections[0].received, b"x")

    def test_taken(self):
        """Two cannot listen at one address."""
        envoy = MemoryEnvoy(proxied())
        envoy.listen("127.0.0.1:10000")
        with self.assertRaises(CannotListenError):
            envoy.listen("127.0.0.1:10000")
        with self.assertRaises(ConfigError):
            MemoryEnvoy(bootstrap([listener(n, "127.0.0.1:80", echo()) for n in ("a", "b")]))

    def test_badConfig(self):
        """A config that cannot be obeyed raises with its position."""
        with self.assertRaises(ConfigError) as caught:
            MemoryEnvoy("static_resources:\n  nonsense: 1\n")
        self.assertIn(":2:3", str(caught.exception))

    def test_time(self):
        """Time passes from timer to timer."""
        seen = []
        envoy = MemoryEnvoy(proxied(idle_timeout="10s"), clock=Clock())
        envoy.clock.callLater(
            1, lambda: envoy.clock.callLater(1, lambda: seen.append(envoy.clock.seconds()))
        )
        envoy.listen("127.0.0.1:10000")
        client = envoy.connect("ingress")
        envoy.silence("127.0.0.1:1")
        with self.assertRaises(AssertionError):
            envoy.connect("127.0.0.1:1")
        envoy.advance(9.9)
        self.assertEqual((seen, client.ended), ([2.0], False))
        envoy.advance(0.2)
        self.assertTrue(client.ended)
        self.assertEqual(envoy.stat("tcp.tcp.idle_timeout"), 1)
        self.assertAlmostEqual(envoy.clock.seconds(), 10.1)

    def test_neverSettles(self):
        """Two that talk for ever are named instead of waited for."""

        class PingPong(Protocol):
            def connectionMade(self):
                self.transport.write(b"x")

            def dataReceived(self, data):
                self.transport.write(data)

        envoy = MemoryEnvoy(bootstrap([]))
        envoy.listen("127.0.0.1:1", Factory.forProtocol(PingPong))
        envoy.endpoint("127.0.0.1:1").connect(Factory.forProtocol(PingPong))
        with self.assertRaisesRegex(NotSettled, "PingPong"):
            envoy.settle()

    def test_endlessTimers(self):
        """So are timers without end."""
        envoy = MemoryEnvoy(bootstrap([]))

        def again():
            envoy.clock.callLater(1e-6, again)

        again()
        self.assertRaises(AssertionError, envoy.advance, 1)

    def test_stop(self):
        """Stopping refuses new connections, closes open ones, and resets what stays."""
        envoy = MemoryEnvoy(proxied())
        origin = envoy.listen("127.0.0.1:10000")
        client = envoy.connect("ingress")
        envoy.stop()
        self.assertTrue(client.ended)
        self.assertTrue(origin.connections[0].ended)
        with self.assertRaises(ConnectionRefusedError):
            envoy.connect("ingress")

    def test_records(self):
        """Access logs are texts, or objects when they are JSON."""
        path = "/dev/stdout"
        kind = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
        json = {"log_format": {"json_format": {"got": "%BYTES_RECEIVED%"}}}
        log = [{"name": "log", "typed_config": {"@type": kind, **json}}]
        envoy = MemoryEnvoy(proxied(access_log=log))
        origin = envoy.listen("127.0.0.1:10000")
        client = envoy.connect("ingress")
        client.write(b"abc")
        client.loseWriteConnection()
        envoy.settle()
        origin.connections[0].loseConnection()
        envoy.settle()
        self.assertEqual(envoy.records(path), [{"got": 3}])
        self.assertEqual(envoy.lines(path), ['{"got":3}'])

    def test_application(self):
        """An app's `internal:` strings and the bootstrap's listeners are one registry."""
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("hop", "internal:", echo()),
                    listener("in", "127.0.0.1:80", tcpProxy("app")),
                ],
                [cluster("app", "internal:app")],
            )
        )
        connecting = clientFromString(envoy.clock, "internal:hop").connect(
            Factory.forProtocol(Peer)
        )
        envoy.settle()
        client = self.successResultOf(connecting)
        client.write(b"echo")
        envoy.settle()
        self.assertEqual(client.received, b"echo")

        app = Origin()
        self.successResultOf(serverFromString(envoy.clock, "internal:app").listen(app))
        envoy.connect("in").write(b"from the proxy")
        envoy.settle()
        self.assertEqual(app.connections[0].received, b"from the proxy")
