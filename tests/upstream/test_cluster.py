"""Clusters and their manager."""

from __future__ import annotations

from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.support import ONE, TWO, World
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.interfaces.upstream import ICluster, IClusterManager, LoadBalancerContext
from twisted_envoy.testing import Origin, Peer
from twisted_envoy.upstream.cluster import ClusterManager


class ClusterTests(SynchronousTestCase):
    """A static cluster."""

    def test_hosts(self):
        """It has a Host for each endpoint, and says how many."""
        world = World(ONE, TWO)
        self.assertEqual([host.address for host in world.cluster.hosts], [ONE.address, TWO.address])
        self.assertEqual(world.store.value("cluster.c.membership_total"), 2)
        self.assertEqual(world.store.value("cluster.c.membership_healthy"), 2)
        self.assertEqual(world.store.value("cluster.c.membership_change"), 1)
        self.assertTrue(ICluster.providedBy(world.cluster))

    def test_noHosts(self):
        """Without one, none is chosen, and that is counted."""
        world = World()
        self.assertEqual(world.store.value("cluster.c.membership_change"), 0)
        self.assertIsNone(world.cluster.chooseHost(LoadBalancerContext()))
        self.assertEqual(world.used(), {"upstream_cx_none_healthy": 1, "lb_healthy_panic": 1})

    def test_chooses(self):
        """Its balancer chooses."""
        world = World(ONE, TWO)
        context = LoadBalancerContext(5, {"a": 1})
        self.assertIs(world.cluster.chooseHost(context), world.cluster.hosts[0])
        self.assertEqual(world.cluster._balancer.asked, [context])

    def test_bufferedBytes(self):
        """What waits in all of its connections adds up."""
        world = World(ONE)
        origin = Origin()
        world.sockets.serverEndpoint(ONE.address, ListenOptions()).listen(origin)
        clients = []
        for _ in range(2):
            connecting = world.cluster.hosts[0].tcpPool().connect(Factory.forProtocol(Peer))
            world.settle()
            clients.append(self.successResultOf(connecting))
        for server in origin.connections:
            server.pauseProducing()
        for client in clients:
            client.write(b"12345")
        self.assertEqual(world.cluster.bufferedBytes(), 10)
        for server in origin.connections:
            server.abortConnection()
        world.settle()
        self.assertEqual(world.cluster.bufferedBytes(), 0)


class ClusterManagerTests(SynchronousTestCase):
    """All clusters by name."""

    def test_byName(self):
        """What was added is found; a second of one name is refused."""
        manager = ClusterManager()
        cluster = World().cluster
        manager.add(cluster)
        self.assertIs(manager.get("c"), cluster)
        self.assertIsNone(manager.get("d"))
        self.assertEqual(list(manager.names()), ["c"])
        self.assertRaises(ValueError, manager.add, World().cluster)
        self.assertTrue(IClusterManager.providedBy(manager))
