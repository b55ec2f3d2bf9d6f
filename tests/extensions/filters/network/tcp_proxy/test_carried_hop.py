"""Carried over a hop; that nobody can tell, `test_carried_model` says."""

from __future__ import annotations

from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase
from tests.extensions.filters.network.tcp_proxy.test_carrier import hops
from twisted_envoy.extensions.filters.network.tcp_proxy.carried_hop import CarriedOverHop
from twisted_envoy.internal.registry import getRegistry
from twisted_envoy.network.chain import Chain


class CarriedOverHopTests(ProxyTestCase):
    """Two proxies in memory."""

    def setUp(self):
        self.start(hops())
        self.outer = self.envoy.server.listeners.get("ingress")
        self.inner = self.envoy.server.listeners.get("hop")

    def test_life(self):
        """Both listeners have it, and both clusters count what passes."""
        client, server = self.pair()
        (one,) = self.outer.connections
        self.assertIsInstance(one, CarriedOverHop)
        self.assertEqual(list(self.inner.connections), [one])
        client.write(b"to")
        server.write(b"fro")
        self.envoy.settle()
        self.assertEqual((server.received, client.received), (b"to", b"fro"))
        for name in ("hop", "origin"):
            self.assertEqual(self.stat(f"cluster.{name}.upstream_cx_tx_bytes_total"), 2)
            self.assertEqual(self.stat(f"cluster.{name}.upstream_cx_rx_bytes_total"), 3)
        client.loseConnection()
        self.envoy.settle()
        server.loseConnection()
        self.envoy.settle()
        self.assertIsNone(one.chain)
        self.assertQuiet()

    def test_passages(self):
        """Both legs count what others move."""
        self.pair()
        (one,) = self.outer.connections
        one.passage().count(5)
        one.upstream.passage().count(7)
        for cluster, proxy in (("hop", "in"), ("origin", "tcp")):
            self.assertEqual(self.stat(f"cluster.{cluster}.upstream_cx_tx_bytes_total"), 5)
            self.assertEqual(self.stat(f"cluster.{cluster}.upstream_cx_rx_bytes_total"), 7)
            self.assertEqual(self.stat(f"tcp.{proxy}.downstream_cx_rx_bytes_total"), 5)
            self.assertEqual(self.stat(f"tcp.{proxy}.downstream_cx_tx_bytes_total"), 7)

    def test_early(self):
        """What comes before the host is there waits, as in the hop, and is counted as such."""
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        client.write(b"early")
        self.envoy.settle()
        (one,) = self.outer.connections
        self.assertIsInstance(one, CarriedOverHop)
        self.assertEqual(self.stat("cluster.hop.upstream_cx_tx_bytes_total"), 5)
        self.assertEqual(self.stat("cluster.hop.upstream_cx_tx_bytes_buffered"), 5)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_tx_bytes_total"), 0)

    def test_tooEarly(self):
        """Much of that is held by a hop, which says when it is full."""
        getRegistry(self.envoy.clock).bufferSize = 256 * 1024
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        paused = "tcp.in.downstream_flow_control_paused_reading_total"
        for kind in (CarriedOverHop, Chain):
            client.write(b"x" * 60_000)
            self.envoy.settle()
            (one,) = self.outer.connections
            self.assertIsInstance(one, kind)
            self.assertEqual(self.stat(paused), 0)
        client.write(b"x" * 200_000)
        self.envoy.settle()
        self.assertEqual(self.stat(paused), 1)
        self.assertEqual(self.stat("cluster.hop.upstream_cx_tx_bytes_buffered"), 320_000)

    def test_endsMeet(self):
        """Ends that come in one poll pass each other in the hop: as real Envoy counts, too."""
        for clientFirst in (True, False):
            for becomes in (False, True):
                self.setUp()
                client, server = self.pair()
                (one,) = self.outer.connections
                first, second = (one, one.upstream) if clientFirst else (one.upstream, one)
                first.readConnectionLost()
                if clientFirst and becomes:  # it is closed by its chain then
                    self.envoy.settle()
                    one.become()
                    server.loseWriteConnection()
                else:
                    second.readConnectionLost()
                self.envoy.settle()
                self.assertEqual(self.stat("cluster.hop.upstream_cx_destroy_remote"), 1)
                self.assertEqual(self.stat("cluster.origin.upstream_cx_destroy"), 1)
                if not becomes:
                    self.assertEqual(self.stat("cluster.origin.upstream_cx_destroy_local"), 1)
                    self.assertEqual(self.stat("tcp.in.upstream_flush_total"), 0)
                client.loseConnection()
                server.loseConnection()
                self.envoy.settle()
                self.assertQuiet()

    def test_becomesAll(self):
        """Closing either listener's connections makes both chains."""
        for listener in (self.outer, self.inner):
            self.setUp()
            client, server = self.pair()
            name = listener.name
            self.envoy.server.listeners.get(name).closeConnections()
            (chain,) = self.inner.connections
            self.assertIsInstance(chain, Chain)
            self.envoy.settle()
            self.assertTrue(client.ended)
            self.assertTrue(server.ended or server.wasReset)
            client.loseConnection()
            server.loseConnection()
            self.envoy.settle()
            self.assertQuiet()
