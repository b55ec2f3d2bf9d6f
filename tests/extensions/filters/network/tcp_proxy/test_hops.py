"""How a proxy's close crosses an internal hop: as a loss, unless an end of stream came before."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, logTo, tcpProxy
from twisted_envoy.testing import MemoryEnvoy

CLOSES = "%RESPONSE_FLAGS% %DOWNSTREAM_DETECTED_CLOSE_TYPE% %UPSTREAM_DETECTED_CLOSE_TYPE%"


def chained(outer=None, inner=None):
    """Listener `ingress` -> `hop` -> `origin`, with a log for each proxy."""
    return bootstrap(
        [
            listener(
                "ingress",
                "127.0.0.1:9000",
                tcpProxy("hop", "outer", access_log=logTo("outer", CLOSES), **(outer or {})),
            ),
            listener(
                "hop",
                "internal:",
                tcpProxy("origin", "inner", access_log=logTo("inner", CLOSES), **(inner or {})),
            ),
        ],
        [cluster("hop", "internal:hop"), cluster("origin", "127.0.0.1:10000")],
    )


class HopTests(SynchronousTestCase):
    """One hop, seen from both ends."""

    def start(self, **fields):
        self.envoy = MemoryEnvoy(chained(**fields))
        self.origin = self.envoy.listen("127.0.0.1:10000")

    def logged(self):
        return self.envoy.lines("outer"), self.envoy.lines("inner")

    def test_innerIsIdle(self):
        """The inner proxy closes: the client is reset, after every byte; the origin is not."""
        self.start(inner={"idle_timeout": "3s"})
        client = self.envoy.connect("ingress")
        server = self.origin.connections[0]
        server.write(b"last words")
        self.envoy.settle()
        self.envoy.advance(4)
        server.loseConnection()
        self.envoy.settle()
        self.assertEqual(client.received, b"last words")
        self.assertIsInstance(client.lost.value, ConnectionLost)
        self.assertIsInstance(server.lost.value, ConnectionDone)
        self.assertEqual(self.logged(), (["UR LocalReset RemoteReset"], ["- Normal Normal"]))

    def test_outerIsIdle(self):
        """The outer proxy closes: the client sees a close, the origin a reset."""
        self.start(outer={"idle_timeout": "3s"})
        client = self.envoy.connect("ingress")
        self.envoy.advance(4)
        client.loseConnection()
        self.envoy.settle()
        self.assertIsInstance(client.lost.value, ConnectionDone)
        self.assertIsInstance(self.origin.connections[0].lost.value, ConnectionLost)
        self.assertEqual(self.logged(), (["- Normal Normal"], ["- RemoteReset Normal"]))

    def test_theOriginEndsFirst(self):
        """Its end goes over the hop to the client, whose bytes still go up."""
        self.start()
        client = self.envoy.connect("ingress")
        (origin,) = self.origin.connections
        origin.write(b"all")
        origin.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((client.received, client.ended, client.lost), (b"all", True, None))

        client.write(b"late")
        client.loseWriteConnection()
        self.envoy.settle()

        self.assertEqual((origin.received, origin.ended), (b"late", True))
        self.assertEqual(self.logged(), (["- Normal Normal"], ["- Normal Normal"]))

    def test_endsOfStream(self):
        """Ends of stream in both directions are no reset."""
        self.start()
        client = self.envoy.connect("ingress")
        client.loseWriteConnection()
        self.envoy.settle()
        (origin,) = self.origin.connections
        self.assertEqual((origin.ended, origin.lost), (True, None))
        origin.write(b"late")
        origin.loseConnection()
        self.envoy.settle()
        self.assertEqual(client.received, b"late")
        client.loseConnection()
        self.envoy.settle()
        self.assertIsInstance(client.lost.value, ConnectionDone)
        self.assertEqual(self.logged(), (["- Normal Normal"], ["- Normal Normal"]))
