"""What carried connections become has all that was known of them."""

from __future__ import annotations

from tests.bootstraps import proxied
from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase
from tests.extensions.filters.network.tcp_proxy.test_carrier import hops
from twisted_envoy.upstream.tcp_connection import PoolConnection


class OrdinaryTests(ProxyTestCase):
    """In memory."""

    def become(self, text, before=lambda client, server: None):
        """What a connection becomes after that, its client and its server."""
        self.start(text)
        client, server = self.pair()
        before(client, server)
        self.envoy.settle()
        (one,) = self.envoy.server.listeners.get("ingress").connections
        return one.become(), client, server

    def test_noCycles(self):
        """Its two sides let go of each other, and a transport that is lost keeps no chain."""
        for text in (proxied(), hops()):
            for end in (0, 1):
                self.start(text)
                pair = self.pair()
                (one,) = self.envoy.server.listeners.get("ingress").connections
                client, upstream = one.transport, one.upstream.transport
                pair[end].abortConnection()
                self.envoy.settle()
                pair[1 - end].loseConnection()
                self.envoy.settle()
                self.assertIsNone(one.upstream)
                self.assertNotIn(type(client.protocol).__name__, ("Chain", "Carried"))
                self.assertNotIsInstance(upstream.protocol, PoolConnection)

    def test_record(self):
        """Times, addresses, bytes, the host, and a number for both connections."""

        def bytesBothWays(client, server):
            client.write(b"to")
            server.write(b"fro")

        chain, client, server = self.become(proxied(), bytesBothWays)
        info = chain.streamInfo
        self.assertEqual((info.bytesReceived, info.bytesSent), (2, 3))
        self.assertEqual(info.localAddress, client.transport.getPeer())
        self.assertEqual(info.remoteAddress, client.transport.getHost())
        self.assertEqual(info.listener.name, "ingress")
        upstream = info.upstream
        self.assertEqual(upstream.clusterName, "origin")
        self.assertEqual(upstream.hostsAttempted, [ORIGIN])
        self.assertEqual(upstream.localAddress, server.transport.getPeer())
        self.assertGreater(upstream.connectionID, info.connectionID)
        self.assertGreater(info.connectionID, 0)

    def test_ended(self):
        """An end of stream that has passed is not sent again, and the other one closes."""
        for which in (0, 1):
            for text in (proxied(), hops()):
                peers = []

                def end(*pair, which=which, peers=peers):
                    peers.extend((pair[which], pair[1 - which]))
                    pair[which].loseWriteConnection()

                self.become(text, end)
                ended, other = peers
                self.assertTrue(other.ended)
                other.write(b"late")
                self.envoy.settle()
                self.assertEqual(ended.received, b"late")
                other.loseConnection()
                self.envoy.settle()
                self.assertTrue(ended.ended)
                self.assertQuiet()

    def test_twoChains(self):
        """Over a hop there are two, and an internal connection that both have."""
        chain, _, _ = self.become(hops())
        (inner,) = self.envoy.server.listeners.get("hop").connections
        client = chain.streamInfo.upstream.wire
        self.assertEqual(client.getHost(), inner.transport.getPeer())
        self.assertEqual(client.getPeer(), inner.transport.getHost())
        self.assertEqual(client.hops, 1)
        self.assertIn(client, self.envoy.server.clusters.get("hop").open)
