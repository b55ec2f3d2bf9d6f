"""What carried connections count; that it is the same as ever, `test_carried_model` says."""

from __future__ import annotations

from tests.bootstraps import proxied
from tests.extensions.filters.network.tcp_proxy.support import ProxyTestCase


class LegTests(ProxyTestCase):
    """Of one proxy in memory."""

    def setUp(self):
        self.start(proxied())
        self.listener = self.envoy.server.listeners.get("ingress")
        self.leg = self.listener.carrier.leg()

    def test_isFree(self):
        """Until some limit is reached, or somebody looks after the host."""
        leg = self.leg
        cluster = leg.cluster
        self.assertTrue(leg.isFree)
        for resource in (cluster.connections, cluster.pending):
            resource.inUse = resource.most
            self.assertFalse(leg.isFree)
            resource.inUse = 0
        limit = self.listener.settings.limit
        limit.most = limit.active = 1
        self.assertFalse(leg.isFree)
        limit.most = None
        self.listener.holding = True
        self.assertFalse(leg.isFree)
        self.listener.holding = False
        leg.host.monitor = object()
        self.assertFalse(leg.isFree)
        leg.host.monitor = None
        self.assertTrue(leg.isFree)

    def test_firstToIdle(self):
        """The shorter time-out that there is."""
        other = self.listener.carrier.leg().__class__(
            self.listener, self.leg.chain, self.leg.settings, self.leg.host, self.leg.registry
        )
        self.assertIs(self.leg.firstToIdle(other), self.leg.idleQueue)
        other.idleQueue = None
        self.assertIs(self.leg.firstToIdle(other), self.leg.idleQueue)
        self.assertIs(other.firstToIdle(self.leg), self.leg.idleQueue)

    def test_life(self):
        """Everything comes back to where it was."""
        client, server = self.pair()
        self.assertEqual(self.leg.cluster.connections.inUse, 1)
        self.assertEqual(self.leg.host.stats.rq_active.value, 1)
        self.assertEqual(self.listener.settings.limit.active, 1)
        client.write(b"abc")
        self.envoy.settle()
        client.loseConnection()
        self.envoy.settle()
        server.loseConnection()
        self.envoy.settle()
        self.assertQuiet()
        self.assertEqual(self.leg.cluster.connections.inUse, 0)
        self.assertEqual(self.leg.host.stats.rq_active.value, 0)
        self.assertEqual(self.listener.settings.limit.active, 0)
        self.assertEqual(self.leg.received.value, 3)
        self.assertEqual(self.listener.connections, {})
