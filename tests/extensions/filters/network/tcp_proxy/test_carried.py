"""Carried connections; that nobody can tell them from others, `test_carried_model` says."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from zope.interface.verify import verifyObject

from tests.bootstraps import proxied
from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase
from twisted_envoy.extensions.filters.network.tcp_proxy.carried import Carried
from twisted_envoy.network.chain import Chain


class CarriedTests(ProxyTestCase):
    """One proxy in memory."""

    def setUp(self):
        self.start(proxied(idle_timeout="10s"))
        self.listener = self.envoy.server.listeners.get("ingress")

    @property
    def one(self):
        """What the only connection is."""
        (one,) = self.listener.connections
        return one

    def test_interfaces(self):
        """Both sides half-close and produce."""
        self.pair()
        for side in (self.one, self.one.upstream):
            verifyObject(IHalfCloseableProtocol, side)
            verifyObject(IPushProducer, side)

    def test_life(self):
        """Bytes both ways, both ends of stream, and it was carried all the time."""
        client, server = self.pair()
        one = self.one
        client.write(b"to")
        server.write(b"fro")
        self.envoy.settle()
        self.assertEqual((server.received, client.received), (b"to", b"fro"))
        self.assertEqual((one.bytesReceived, one.bytesSent), (2, 3))
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertTrue(server.ended)
        server.write(b"more")
        server.loseConnection()
        self.envoy.settle()
        self.assertEqual(client.received, b"fromore")
        self.assertTrue(client.ended)
        self.assertIsNone(one.chain)
        self.assertQuiet()

    def test_letsGo(self):
        """An ended one keeps nothing that would keep it."""
        client, server = self.pair()
        one = self.one
        client.loseConnection()
        self.envoy.settle()
        server.loseConnection()
        self.envoy.settle()
        self.assertIsNone(one.upstream)
        self.assertIsNone(one.write)
        self.assertEqual(len(self.envoy.clock.getDelayedCalls()), 1)  # merges histograms

    def test_becomes(self):
        """What is unusual makes it a chain, once, which goes on."""
        for unusual in (
            lambda one: one.pauseProducing(),
            lambda one: one.upstream.pauseProducing(),
            lambda one: one.due(),
        ):
            self.setUp()
            client, server = self.pair()
            carried = self.one
            self.assertIsInstance(carried, Carried)
            unusual(carried)
            chain = self.one
            self.assertIsInstance(chain, Chain)
            self.assertIs(carried.become(), chain)
            carried.resumeProducing()
            carried.upstream.resumeProducing()
            client.write(b"to")
            server.write(b"fro")
            self.envoy.settle()
            self.assertEqual((server.received, client.received), (b"to", b"fro"))
            self.assertEqual(self.stat("tcp.tcp.downstream_cx_total"), 1)

    def test_passages(self):
        """What moves the bytes instead is told where they go, and tells how many they were."""
        self.envoy.silence(ORIGIN)
        self.envoy.connect("ingress")
        self.assertIsNone(self.one.passage())
        self.setUp()
        client, server = self.pair()
        one = self.one
        up, down = one.passage(), one.upstream.passage()
        self.assertEqual((up.reader, up.sink), (one.dataReceived, one.upstream.transport))
        self.assertEqual((down.reader, down.sink), (one.upstream.dataReceived, one.transport))
        self.envoy.advance(1)
        up.count(5)
        down.count(7)
        self.assertEqual((one.bytesReceived, one.bytesSent), (5, 7))
        self.assertEqual(one.lastActivity, self.envoy.clock.seconds())
        for name, count in (
            ("tcp.tcp.downstream_cx_rx_bytes_total", 5),
            ("tcp.tcp.downstream_cx_tx_bytes_total", 7),
            ("cluster.origin.upstream_cx_tx_bytes_total", 5),
            ("cluster.origin.upstream_cx_rx_bytes_total", 7),
        ):
            self.assertEqual(self.stat(name), count)
        one.become()
        self.assertNotEqual(one.transport.protocol.dataReceived, up.reader)
        self.assertIsNone(one.passage())
        self.assertIsNone(one.upstream.passage())

    def test_connecting(self):
        """So does an end while the upstream connection is being made, and its failure."""
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        self.assertIsInstance(self.one, Carried)
        self.envoy.advance(5.1)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_connect_timeout"), 1)
        self.assertTrue(client.ended)
        client.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.listener.connections, {})

    def test_raises(self):
        """What raises ends its connection alone."""
        client, server = self.pair()
        other, _ = self.pair()
        first = next(iter(self.listener.connections))
        first.write = None
        client.write(b"x")
        self.envoy.settle()
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertIsNotNone(client.lost)
        self.assertIsNotNone(server.lost)
        self.assertIsNone(other.lost)
