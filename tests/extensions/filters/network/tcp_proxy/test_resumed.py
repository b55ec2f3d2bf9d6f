"""Proxies that begin in the middle; see also `test_ordinary`."""

from __future__ import annotations

from tests.bootstraps import proxied
from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase
from twisted_envoy.extensions.filters.network.tcp_proxy.resumed import ResumedProxy


class ResumedTests(ProxyTestCase):
    """Of connections that were carried for a while."""

    def resume(self, **fields):
        """The proxy of the only connection, three seconds after its last byte."""
        self.start(proxied(**fields))
        client, _ = self.pair()
        self.envoy.advance(3)
        (one,) = self.envoy.server.listeners.get("ingress").connections
        one.become()
        (link,) = one.leg.settings.live
        self.assertIsInstance(link, ResumedProxy)
        return link, client

    def test_countedOnce(self):
        """The connection is not counted again."""
        link, _ = self.resume()
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_total"), 1)
        self.assertEqual(list(link.settings.live), [link])

    def test_idle(self):
        """The idle time-out counts from the last byte, not from the change."""
        _, client = self.resume(idle_timeout="10s")
        self.envoy.advance(6.9)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended)
        self.assertEqual(self.stat("tcp.tcp.idle_timeout"), 1)

    def test_connecting(self):
        """While the upstream connection is being made the client is not read."""
        self.start(proxied())
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        (one,) = self.envoy.server.listeners.get("ingress").connections
        one.become()
        client.write(b"early")
        self.envoy.settle()
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_total"), 0)
        client.abortConnection()
        self.envoy.settle()
        self.assertEqual(self.stat("cluster.origin.upstream_rq_cancelled"), 1)
        self.assertQuiet()
