"""Tests for twisted_envoy.upstream.cluster."""

from __future__ import annotations

from twisted.internet.address import UNIXAddress
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.http.support import HTTPTestCase
from tests.upstream.support import ONE, TWO, World
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.interfaces.upstream import ICluster, LoadBalancerContext
from twisted_envoy.internal import InternalAddress
from twisted_envoy.state.filter_state import (
    FilterState,
    HashableStringObject,
    Sharing,
    StringObject,
)
from twisted_envoy.testing import Origin, Peer
from twisted_envoy.upstream.host import HostSettings


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

    def test_abstract(self):
        """Endpoints in the abstract name space are no files; one that stays is the same Host."""
        one, two = (HostSettings(UNIXAddress(name)) for name in (b"\0one", b"\0two"))
        world = World(one)
        (host,) = world.cluster.hosts
        self.assertTrue(world.cluster.replaceHosts((two, one)))
        self.assertIs(world.cluster.hosts[1], host)

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
        self.assertEqual(world.cluster.balancer.asked, [context])

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


class HTTPPoolTests(HTTPTestCase):
    """Cluster.httpPool."""

    def options(self, value=None, hops=0):
        state = FilterState()
        if value is not None:
            state.set("b", HashableStringObject(value), sharing=Sharing.ONCE)
            state.set("a", StringObject("not hashable"), sharing=Sharing.ONCE)
        return TransportSocketOptions(state.shared(), hops)

    def test_same(self):
        """The same request gets the same pool, whoever made its options."""
        world = self.world
        self.assertIs(world.pool(), world.pool())
        self.assertIs(world.pool(), world.pool(options=self.options(hops=1)))
        self.assertIs(world.pool(options=self.options("v")), world.pool(options=self.options("v")))
        self.assertEqual(world.cluster.priorities["default"].connectionPools.inUse, 2)

    def test_separate(self):
        """Shared state that can be hashed, and the priority, separate pools; hops do not."""
        world = self.world
        pools = {
            world.pool(),
            world.pool(options=self.options("v")),
            world.pool(options=self.options("w")),
            world.pool(priority="high"),
        }
        self.assertEqual(len(pools), 4)
        self.assertIs(
            world.pool(options=self.options("v", 1)), world.pool(options=self.options("v", 2))
        )

    def test_hops(self):
        """On the way to an internal listener they do: a connection may come back."""
        self.use(HostSettings(InternalAddress("app")))
        world = self.world
        self.assertIsNot(
            world.pool(options=self.options(hops=1)), world.pool(options=self.options(hops=2))
        )

    def test_downstreamProtocol(self):
        """With use_downstream_protocol_config there is one of each."""
        self.use(protocol="")
        found = {name: self.world.pool(name) for name in ("HTTP/1.0", "HTTP/1.1", "HTTP/2")}
        self.assertIs(found["HTTP/1.0"], found["HTTP/1.1"])
        self.assertEqual(found["HTTP/2"].protocol, "HTTP/2")

    def test_tooMany(self):
        """At max_connection_pools one that nobody uses gives way; without such there is none."""
        self.use(limits={"maxConnectionPools": 1})
        user = self.ask()
        self.assertIsNone(self.world.pool(options=self.options("v")))
        self.assertEqual(self.stats("cx_pool_overflow", "cx_active"), (1, 1))
        self.answer()
        self.assertTrue(user.done)
        self.assertIsNotNone(self.world.pool(options=self.options("v")))
        self.assertEqual(self.stats("cx_pool_overflow", "cx_active"), (1, 0))
        self.assertEqual(len(self.world.cluster.hosts[0].httpPools), 1)
