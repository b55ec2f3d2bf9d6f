"""Connections to one host, and that each is counted once."""

from __future__ import annotations

import errno

from twisted.internet.defer import CancelledError, fail
from twisted.internet.error import ConnectBindError
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.bootstraps import proxied
from tests.upstream.support import ONE, World
from twisted_envoy.interfaces.sockets import ConnectOptions, ListenOptions
from twisted_envoy.internal import InternalAddress, getRegistry
from twisted_envoy.testing import MemoryEnvoy, Origin, Peer
from twisted_envoy.upstream.host import HostSettings
from twisted_envoy.upstream.tcp_connection import IPrecedingProtocol, PoolError
from twisted_envoy.upstream.tcp_pool import TCPPool

MADE = {"upstream_cx_total": 1, "upstream_rq_pending_total": 1}
FAILED = {
    **MADE,
    "upstream_cx_destroy": 1,
    "upstream_cx_connect_fail": 1,
    "upstream_rq_pending_failure_eject": 1,
}
LIVES = {**MADE, "upstream_cx_active": 1, "upstream_rq_active": 1, "upstream_rq_total": 1}
ENDED = {
    **MADE,
    "upstream_rq_total": 1,
    "upstream_cx_destroy": 1,
    "upstream_cx_destroy_with_active_rq": 1,
}
BY = {
    "remote": {"upstream_cx_destroy_remote": 1, "upstream_cx_destroy_remote_with_active_rq": 1},
    "local": {"upstream_cx_destroy_local": 1, "upstream_cx_destroy_local_with_active_rq": 1},
}


class Whole(Protocol):
    """Knows no half-close."""

    lost = None

    def connectionLost(self, reason=None):
        self.lost = reason


class PoolTestCase(SynchronousTestCase):
    """One host, at which somebody listens."""

    def setUp(self):
        self.use(World(ONE))

    def use(self, world):
        self.world = world
        self.origin = Origin()
        address = world.cluster.hosts[0].address
        if not isinstance(address, InternalAddress):
            world.sockets.serverEndpoint(address, ListenOptions()).listen(self.origin)

    def begin(self, protocol=Peer):
        factory = protocol if isinstance(protocol, Factory) else Factory.forProtocol(protocol)
        factory.noisy = False
        return self.world.cluster.hosts[0].tcpPool().connect(factory)

    def connect(self, protocol=Peer):
        connecting = self.begin(protocol)
        self.world.settle()
        return self.successResultOf(connecting)

    def silence(self):
        self.world.sockets.silence(ONE.address)


@implementer(IPrecedingProtocol)
class Preceding(Peer):
    """Gives its connection away at the first bytes."""

    giveTo = None

    def dataReceived(self, data):
        super().dataReceived(data)
        self.following = Peer()
        self.giveTo(self.following)
        self.following.makeConnection(self.transport)


class ConnectTests(PoolTestCase):
    """How an attempt ends."""

    def test_given(self):
        """A protocol that gives its connection away sees no more of it."""
        first = self.connect(Preceding)
        (far,) = self.origin.connections
        for chunk in (b"one", b"two"):
            far.write(chunk)
            self.world.settle()
        far.loseWriteConnection()
        self.world.settle()
        self.assertEqual((first.received, first.following.received), (b"one", b"two"))
        self.assertEqual((first.ended, first.following.ended), (False, True))
        first.following.loseConnection()
        self.world.settle()
        self.assertIsNone(first.lost)
        self.assertIsNotNone(first.following.lost)

    def test_connected(self):
        """It fires with the factory's own protocol."""
        connecting = self.begin()
        self.assertEqual(
            self.world.used(),
            {**MADE, "upstream_cx_active": 1, "upstream_rq_pending_active": 1},
        )
        self.world.settle()
        self.assertIsInstance(self.successResultOf(connecting), Peer)
        self.assertEqual(self.world.used(), LIVES)
        host = self.world.cluster.hosts[0].stats
        self.assertEqual((host.cx_total.value, host.cx_active.value), (1, 1))
        self.assertEqual((host.rq_total.value, host.rq_active.value), (1, 1))

    def test_refused(self):
        """Nobody listens: UF and Envoy's text."""
        self.world.sockets.find(ONE.address).stopListening()
        connecting = self.begin()
        self.world.settle()
        problem = self.failureResultOf(connecting, PoolError).value
        self.assertEqual(problem.flag, "UF")
        self.assertEqual(problem.reason, "delayed_connect_error:_Connection_refused")
        self.assertEqual(self.world.used(), {**FAILED, "upstream_cx_destroy_remote": 1})
        self.assertEqual(self.world.cluster.hosts[0].stats.cx_connect_fail.value, 1)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_refusedAtOnce(self):
        """What fails inside connect has another text."""
        self.use(World(HostSettings(InternalAddress("nobody", "id"))))
        connecting = self.begin()
        self.world.settle()
        problem = self.failureResultOf(connecting, PoolError).value
        self.assertEqual(
            problem.reason,
            "immediate_connect_error:_Invalid_argument|remote_address:envoy://nobody/id",
        )

    def test_unboundSource(self):
        """A source address that is not ours: no flag, and it was us who ended it."""

        class Unbound:
            def connect(self, factory):
                return fail(ConnectBindError(errno.EADDRNOTAVAIL, "no"))

        source = ConnectOptions(("2001:db8::1", 0))
        self.use(World(ONE, connectOptions=source))
        host = self.world.cluster.hosts[0]
        factory = Factory.forProtocol(Peer)
        problem = self.failureResultOf(TCPPool(host, Unbound()).connect(factory), PoolError).value
        self.assertEqual(problem.flag, "")
        text = "failed_to_bind_to_[2001:db8::1]:0:_Cannot_assign_requested_address"
        self.assertEqual(problem.reason, text)
        expected = {**FAILED, "upstream_cx_destroy_local": 1, "bind_errors": 1}
        self.assertEqual(self.world.used(), expected)

    def test_timeout(self):
        """connect_timeout: a failure that is ours."""
        self.silence()
        connecting = self.begin()
        self.world.clock.advance(4.99)
        self.assertNoResult(connecting)
        self.world.clock.advance(0.02)
        self.assertEqual(self.failureResultOf(connecting, PoolError).value.flag, "UF")
        self.assertEqual(
            self.world.used(),
            {**FAILED, "upstream_cx_connect_timeout": 1, "upstream_cx_destroy_local": 1},
        )

    def test_cancelled(self):
        """A cancelled attempt is no failure."""
        for silent in (True, False):
            self.use(World(ONE))
            if silent:
                self.silence()
            connecting = self.begin()
            connecting.cancel()
            self.failureResultOf(connecting, CancelledError)
            self.world.settle()
            self.world.clock.advance(60)
            self.assertEqual(
                self.world.used(),
                {
                    **MADE,
                    "upstream_rq_cancelled": 1,
                    "upstream_cx_destroy": 1,
                    "upstream_cx_destroy_local": 1,
                },
            )

    def test_overflow(self):
        """At the circuit breaker's limit nothing is begun."""
        self.use(World(ONE, maxConnections=1))
        client = self.connect()
        problem = self.failureResultOf(self.begin(), PoolError).value
        self.assertEqual((problem.flag, problem.reason), ("UO", ""))
        self.assertEqual(self.world.store.value("cluster.c.upstream_cx_total"), 1)
        client.abortConnection()
        self.world.settle()
        self.connect()

    def test_noProtocol(self):
        """A factory that builds nothing, or raises, fails its attempt."""
        for build in (lambda addr: None, lambda addr: 1 / 0):
            self.use(World(ONE))
            factory = Factory()
            factory.buildProtocol = build
            connecting = self.begin(factory)
            self.world.settle()
            self.failureResultOf(connecting, PoolError)
            self.assertEqual(self.world.used(), {**FAILED, "upstream_cx_destroy_remote": 1})

    def test_protocolRaises(self):
        """One that raises when it is connected is counted as a connection, once."""

        class Raising(Whole):
            def connectionMade(self):
                raise ZeroDivisionError

        for address in (ONE.address, InternalAddress("app")):
            self.use(World(HostSettings(address)))
            if isinstance(address, InternalAddress):
                getRegistry(self.world.clock).listen("app", self.origin)
            connecting = self.begin(Raising)
            self.world.settle()
            self.assertTrue(self.successResultOf(connecting).lost.check(ZeroDivisionError))
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
            self.assertEqual(self.world.used(), {**ENDED, **BY["remote"]})

    def test_cancelledByTheProtocol(self):
        """One whose protocol cancels it while it is connected is counted once, too."""
        attempts = []

        class Cancelling(Whole):
            def connectionMade(self):
                attempts[0].cancel()

        attempts.append(self.begin(Cancelling))
        self.world.settle()
        self.failureResultOf(attempts[0], CancelledError)
        self.assertEqual(self.world.used(), {**ENDED, **BY["local"], "upstream_rq_cancelled": 1})

    def test_factoryLives(self):
        """doStart and doStop of the user's factory are called in pairs."""
        factory = Factory.forProtocol(Peer)
        self.use(World(HostSettings(InternalAddress("app"))))
        getRegistry(self.world.clock).listen("app", self.origin)
        client = self.connect(factory)
        self.assertEqual(factory.numPorts, 1)
        client.abortConnection()
        self.world.settle()
        self.assertEqual(factory.numPorts, 0)


class MaxRequestsTests(SynchronousTestCase):
    """A TCP connection is one request: a limit of one is reached by each."""

    def test_counted(self):
        """As Envoy counts it, for each connection that is made."""
        for limit, count in ((1, 2), (2, 0), (0, 0)):
            envoy = MemoryEnvoy(proxied({"max_requests_per_connection": limit}))
            envoy.listen("127.0.0.1:10000")
            for _ in range(2):
                envoy.connect("ingress").loseConnection()
                envoy.settle()
            self.assertEqual(envoy.stat("cluster.origin.upstream_cx_max_requests"), count)
            envoy.stop()
