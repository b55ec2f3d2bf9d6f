"""Hosts and their pools."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.support import ONE, World
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.interfaces.upstream import IHost, ITCPPool
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.filter_state import FilterState, HashableStringObject, Sharing
from twisted_envoy.upstream.host import HostSettings, Locality


class HostTests(SynchronousTestCase):
    """One endpoint."""

    def setUp(self):
        self.world = World(
            HostSettings(ONE.address, "name", 5, 1, Locality("r", "z", "s"), {"envoy.lb": {"a": 1}})
        )
        self.host = self.world.cluster.hosts[0]

    def test_settings(self):
        """It is what the config says."""
        host = self.host
        self.assertEqual((host.hostname, host.weight, host.priority), ("name", 5, 1))
        self.assertEqual((host.locality.region, host.locality.zone), ("r", "z"))
        self.assertEqual(host.locality.sub_zone, "s")
        self.assertEqual(host.metadata, {"envoy.lb": {"a": 1}})
        self.assertIs(host.cluster, self.world.cluster)
        self.assertTrue(IHost.providedBy(host))

    def test_plainPool(self):
        """Connections that ask for nothing share a pool."""
        pool = self.host.tcpPool()
        self.assertIs(pool, self.host.tcpPool(TransportSocketOptions()))
        self.assertTrue(ITCPPool.providedBy(pool))

    def test_poolWithOptions(self):
        """Those that share something get their own."""
        state = FilterState()
        state.set("k", HashableStringObject("v"), sharing=Sharing.ONCE)
        options = TransportSocketOptions(state.shared())
        self.assertIsNot(self.host.tcpPool(options), self.host.tcpPool())

    def test_poolBehindHops(self):
        """Hops count where connections may come back, or somebody asks for more."""
        hops = TransportSocketOptions(hops=1)
        self.assertIs(self.host.tcpPool(hops), self.host.tcpPool())
        more = hops._replace(serverName="name")
        self.assertIsNot(self.host.tcpPool(more), self.host.tcpPool())
        self.world.cluster.asksNothing = False
        self.assertIsNot(self.host.tcpPool(hops), self.host.tcpPool())
        inside = World(HostSettings(InternalAddress("hop"))).cluster.hosts[0]
        self.assertIsNot(inside.tcpPool(hops), inside.tcpPool())

    def test_poolKey(self):
        """The transport socket says what separates pools: nothing, for raw_buffer."""
        self.assertEqual(self.host.poolKey(TransportSocketOptions(hops=3)), ((), (), 0))
