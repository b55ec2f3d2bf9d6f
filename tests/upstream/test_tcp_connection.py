"""What becomes of a connection of a pool, and that it is counted once."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol

from tests.upstream.support import ONE, World
from tests.upstream.test_tcp_pool import BY, ENDED, LIVES, PoolTestCase, Whole
from twisted_envoy.network.link import dropped
from twisted_envoy.testing import Peer
from twisted_envoy.upstream.tcp_connection import PoolConnection


class EndTests(PoolTestCase):
    """Who ended a connection."""

    def test_abortHere(self):
        client = self.connect()
        client.abortConnection()
        self.world.settle()
        self.assertEqual(self.world.used(), {**ENDED, **BY["local"]})

    def test_closeHere(self):
        client = self.connect()
        client.loseConnection()
        self.world.settle()
        self.assertEqual(self.world.used(), {**ENDED, **BY["local"]})

    def test_abortThere(self):
        client = self.connect()
        self.origin.connections[0].abortConnection()
        self.world.settle()
        self.assertTrue(client.wasReset)
        self.assertEqual(self.world.used(), {**ENDED, **BY["remote"]})

    def test_closeThere(self):
        """The peer's end first, then our close: we closed it, for who ends last closes."""
        client = self.connect()
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertEqual(self.world.used(), LIVES)
        client.loseConnection()
        self.world.settle()
        self.assertEqual(self.world.used(), {**ENDED, **BY["local"]})

    def test_closeThereAfterOurEnd(self):
        """Our end of stream first, then the peer's: the peer closed it."""
        client = self.connect()
        client.loseWriteConnection()
        self.world.settle()
        self.origin.connections[0].loseConnection()
        self.world.settle()
        client.loseConnection()
        self.world.settle()
        self.assertEqual(self.world.used(), {**ENDED, **BY["remote"]})

    def test_wholeProtocol(self):
        """A protocol that knows no half-close is closed at the peer's end of stream."""
        client = self.connect(Whole)
        self.assertFalse(IHalfCloseableProtocol.providedBy(client))
        self.origin.connections[0].loseWriteConnection()
        self.world.settle()
        self.assertTrue(client.lost.check(ConnectionDone))
        self.assertEqual(self.world.used(), {**ENDED, **BY["remote"]})

    def test_ownEnd(self):
        """Our own end of stream goes out, and a half-closeable protocol is told."""
        told = []

        class Telling(Peer):
            def writeConnectionLost(self):
                told.append(True)

        for protocol in (Telling, Whole):
            client = self.connect(protocol)
            client.transport.loseWriteConnection()
            self.world.settle()
            self.assertTrue(self.origin.connections[-1].ended)
        self.assertEqual(told, [True])

    def test_bytes(self):
        """The user's own dataReceived is what the transport calls; after the end nothing is."""
        client = self.connect()
        tracked = client.transport.protocol
        self.assertEqual(tracked.dataReceived, client.dataReceived)
        client.abortConnection()
        self.world.settle()
        self.assertIs(tracked.dataReceived, dropped)
        tracked.dataReceived(b"late")
        self.assertEqual(client.received, b"")

    def test_length(self):
        """How long it took to connect, and how long it lasted, in milliseconds."""
        client = self.connect()
        self.world.clock.advance(1.5)
        client.abortConnection()
        self.world.settle()
        self.world.store.merge()
        length = self.world.store.histograms["cluster.c.upstream_cx_length_ms"]
        connect = self.world.store.histograms["cluster.c.upstream_cx_connect_ms"]
        self.assertEqual(length.total.bins, {1500.0: 1})
        self.assertEqual(connect.total.bins, {0.0: 1})

    def test_bufferLimit(self):
        """The cluster's buffer limit is what a producer meets."""
        self.use(World(ONE, bufferLimit=1000))
        client = self.connect()
        paused = []

        class Producer:
            def pauseProducing(self):
                paused.append(True)

            def stopProducing(self):
                pass

        client.transport.registerProducer(Producer(), True)
        client.write(b"x" * 1000)
        self.assertEqual(paused, [])
        client.write(b"x")
        self.assertEqual(paused, [True])

    def test_resume(self):
        """One that somebody else has made ends as any other."""
        host = self.world.cluster.hosts[0]
        client = self.connect()
        transport = client.transport
        other = PoolConnection(host, None)
        other.resumeConnected(transport, client, self.world.clock.seconds(), (False, False))
        transport.protocol = other
        self.origin.connections[0].write(b"more")
        self.world.settle()
        self.assertEqual(client.received, b"more")
        client.abortConnection()
        self.world.settle()
        self.assertEqual(self.world.used(), {**ENDED, **BY["local"]})
