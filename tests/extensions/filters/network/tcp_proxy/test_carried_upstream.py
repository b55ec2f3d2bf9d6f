"""The upstream side of carried connections; see also `test_carried`."""

from __future__ import annotations

from twisted.internet.error import ConnectError
from twisted.python.failure import Failure

from tests.bootstraps import proxied
from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase
from twisted_envoy.extensions.filters.network.tcp_proxy.carried_upstream import CarriedUpstream
from twisted_envoy.upstream.tcp_connection import PoolConnection


class CarriedUpstreamTests(ProxyTestCase):
    """One proxy in memory."""

    def setUp(self):
        self.start(proxied())
        self.listener = self.envoy.server.listeners.get("ingress")

    @property
    def side(self):
        """That of the only connection."""
        (one,) = self.listener.connections
        return one.upstream

    def test_connects(self):
        """It waits for the cluster's time-out until it is there, and is its own protocol."""
        self.envoy.silence(ORIGIN)
        self.envoy.connect("ingress")
        side = self.side
        timeouts = side.leg.connectTimeouts
        self.assertIn(side, timeouts.waiting)
        self.assertIsInstance(side, CarriedUpstream)
        self.assertIs(side.buildProtocol(None), side)
        self.setUp()
        self.pair()
        self.assertEqual(self.side.leg.connectTimeouts.waiting, {})
        self.assertIs(self.side.transport.protocol, self.side)

    def test_fails(self):
        """A failure is for the pool's connection that it becomes."""
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        side = self.side
        side.connectFailed(Failure(ConnectError()))
        self.assertIsInstance(side.pool, PoolConnection)
        self.envoy.settle()
        self.assertTrue(client.ended)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_connect_fail"), 1)

    def test_raisingEndpoint(self):
        """So is an endpoint that raises, and what it raised is logged."""

        def raises(user):
            raise ZeroDivisionError

        leg = self.listener.carrier.leg()
        leg.begin = raises
        client = self.envoy.connect("ingress")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(client.ended)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_connect_fail"), 1)
        self.assertQuiet()

    def test_ends(self):
        """Who ends last is told apart."""
        client, server = self.pair()
        side = self.side
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertTrue(side.ended)
        server.loseConnection()
        self.envoy.settle()
        self.assertTrue(side.isOver and side.remoteEnded)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_destroy_remote"), 1)
