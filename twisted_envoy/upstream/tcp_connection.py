"""
One connection of a TCP pool, and who wants it.

Everything that Envoy counts about a connection is counted here, once: its start, how its connect
ended, and who ended it. The counting stands beside the bytes, not in their way: an established
connection's `dataReceived` is bound to the user's.

    state        event                   counters
    connecting   confirmed               cx_connect_ms, rq_total, rq_active
    connecting   failed                  cx_connect_fail, cx_destroy, rq_pending_failure_eject
    connecting   connect_timeout         the same and cx_connect_timeout, destroy_local
    connecting   cancelled               rq_cancelled, cx_destroy(_local)
    connected    lost                    cx_destroy, by whom, with_active_rq, cx_length_ms
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Attribute, Interface, implementer

from twisted_envoy.errors import StreamError
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.interfaces import ConnectAttempt, Passage
from twisted_envoy.network.link import dropped
from twisted_envoy.upstream.counting import (
    connectFailure,
    countConnectFailed,
    countDestroyed,
    countDestroyedWithActive,
    countStarted,
    isBindError,
)

if TYPE_CHECKING:
    from twisted_envoy.network.timers import Waiter
    from twisted_envoy.upstream.cluster import Cluster
    from twisted_envoy.upstream.host import Host

_log = Logger("upstream")


class PoolError(StreamError):
    """
    No connection to a host; `flag` is UF or UO; "": it could not begin, or (no reason) need not.

    Attributes:
        passthrough: of an internal connection that was begun and tells what it learned, or None.
    """

    passthrough: Any = None


class IPrecedingProtocol(Interface):
    """A protocol that may give its connection to another one."""

    giveTo: Callable[[Any], None] | None = Attribute(
        "None; set by the pool before makeConnection: from its call on the events are the other "
        "protocol's, whose own makeConnection is left to the caller."
    )


class PoolUser(Protocol):
    """Who wants a connection of a pool, without the expense of a Deferred."""

    def buildProtocol(self, addr: Any) -> Any:
        """The connection is there: its protocol, or None for no connection after all."""

    def poolReady(self, protocol: Any) -> object:
        """It is made, and its protocol has begun."""

    def poolFailed(self, problem: PoolError) -> object:
        """There is none."""


@implementer(IProtocol, IHalfCloseableProtocol, IProtocolFactory)
class PoolConnection:
    """
    One connection from its attempt to its end, which it counts.

    It is its own factory, and the transport's protocol; its `dataReceived` is the user's own. The
    user's protocol half-closes when it provides IHalfCloseableProtocol. If it has `released`, and
    that is true, its request was over before the connection was.

    Args:
        host: counts.
        user: wants it.
        factory: is started and stopped with it, where the endpoint does such a thing.

    Attributes:
        protocol: the user's, None before there is a connection.
    """

    noisy = False

    __slots__ = (
        "_begun",
        "_connectedTime",
        "_connecting",
        "_ended",
        "_factory",
        "_halfCloses",
        "_host",
        "_over",
        "_remoteEnded",
        "_returned",
        "_started",
        "_transport",
        "_user",
        "_waiter",
        "dataReceived",
        "protocol",
    )

    def __init__(
        self, host: Host, user: PoolUser | None, factory: IProtocolFactory | None = None
    ) -> None:
        self._host = host
        self._factory = factory
        self._user = user
        self._connecting: ConnectAttempt | Deferred[Any] | None = None
        self._waiter: Waiter | None = None  # in its place
        self._over = False
        self._returned = False
        self._begun = False
        self._started = self._connectedTime = 0.0
        self.protocol: Any = None
        self._halfCloses = False
        self._ended = False
        self._remoteEnded = False
        self._transport: Any = None
        self.dataReceived: Callable[[bytes], None] = dropped

    # Connecting.

    def start(
        self, endpoint: IStreamClientEndpoint, begin: Callable[[Any], Any] | None = None
    ) -> None:
        """Begin; with the endpoint's own `begin` where it has one."""
        host = self._host
        cluster = host.cluster
        countStarted(host, cluster.connections)
        cluster.pending.take()
        stats = cluster.stats
        stats.upstream_rq_pending_total.value += 1
        stats.upstream_rq_pending_active.value += 1
        self._started = cluster.seconds()
        cluster.connectTimeouts.wait(self, self._started)
        try:
            connecting: Any = endpoint.connect(self) if begin is None else begin(self)
        except Exception:
            _log.failure("a transport socket raised instead of connecting")
            self.connectFailed(Failure())  # type: ignore[no-untyped-call]
        else:
            if begin is None:
                connecting.addCallbacks(self.connected, self.connectFailed)
            if not self._over:
                self._connecting = connecting
        self._returned = True

    def doStart(self) -> None:
        if self._factory is not None:
            self._factory.doStart()

    def doStop(self) -> None:
        if self._factory is not None:
            self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> PoolConnection | None:
        user = self._user
        if user is None:
            return None
        protocol = user.buildProtocol(addr)
        if protocol is None:
            return None
        self.protocol = protocol
        self.dataReceived = protocol.dataReceived
        self._halfCloses = self._host.cluster.halfClosing.includes(protocol)
        if hasattr(protocol, "giveTo") and IPrecedingProtocol.providedBy(protocol):
            protocol.giveTo = self._use
        return self

    def _use(self, protocol: Any) -> None:
        self.protocol = protocol
        self.dataReceived = protocol.dataReceived
        self._halfCloses = IHalfCloseableProtocol.providedBy(protocol)

    def resume(
        self,
        started: float,
        attempt: ConnectAttempt | None,
        returned: bool,
        waiter: Waiter | None = None,
    ) -> None:
        """
        Go on with an attempt that was begun, and counted, without it.

        Args:
            waiter: waits for the cluster's time-out already, and calls `due`; None for nobody.
        """
        self._started = started
        self._connecting = attempt
        self._returned = returned
        self._waiter = waiter
        if waiter is None:
            self._host.cluster.connectTimeouts.wait(self, started)

    def resumeConnected(
        self, transport: Any, protocol: Any, since: float, ends: tuple[bool, bool]
    ) -> None:
        """
        Go on with a connection that was made, and counted, without it.

        Args:
            ends: our end of stream is out; the other end's came after that.
        """
        self._over = self._begun = self._halfCloses = True
        self._user = None
        self._transport = transport
        self._connectedTime = since
        self._ended, self._remoteEnded = ends
        self.protocol = protocol
        self.dataReceived = protocol.dataReceived

    def connected(self, protocol: Any) -> None:
        """It is there, and has begun."""
        user = self._user
        cluster = self._settle()
        took = cluster.seconds() - self._started
        cluster.stats.upstream_cx_connect_ms.record(took * 1000)
        if user is not None:
            user.poolReady(self.protocol)

    def connectFailed(self, reason: Failure) -> None:
        """There is none, or its protocol raised when it began."""
        if self._over:
            return
        if self._begun:
            _log.failure("a new connection's protocol raised; it is closed", reason)
            self.connected(self)  # and lost already, which its protocol is told
            return
        local = isBindError(self._host, reason)
        text = connectFailure(self._host, reason, not self._returned)
        problem = PoolError("" if local else "UF", text)
        problem.passthrough = getattr(reason.value, "passthrough", None)
        self._fail(problem, remote=not local)

    def due(self) -> None:
        """It takes too long."""
        self._host.cluster.stats.upstream_cx_connect_timeout.value += 1
        self._fail(PoolError("UF"), remote=False)

    def cancel(self) -> None:
        """Nobody wants it any more; once it is there nothing happens."""
        if self._over:
            return
        self._host.cluster.stats.upstream_rq_cancelled.value += 1
        self._abandon()
        if not self._begun:
            countDestroyed(self._host, False, self._host.cluster.connections)

    def _abandon(self) -> None:
        connecting = self._connecting
        self._settle()
        if connecting is not None:
            connecting.cancel()

    def _settle(self) -> Cluster:
        """Nothing is waited for any more."""
        self._over = True
        self._user = self._connecting = None
        cluster = self._host.cluster
        cluster.pending.give()
        cluster.stats.upstream_rq_pending_active.value -= 1
        waiter, self._waiter = self._waiter, None
        cluster.connectTimeouts.leave(waiter or self)
        return cluster

    def _fail(self, problem: PoolError, remote: bool) -> None:
        user = self._user
        self._abandon()
        host = self._host
        countConnectFailed(host)
        host.cluster.stats.upstream_rq_pending_failure_eject.value += 1
        countDestroyed(host, remote, host.cluster.connections)
        if user is not None:
            user.poolFailed(problem)

    # Connected.

    def makeConnection(self, transport: Any) -> None:
        self._begun = True
        self._transport = transport
        host = self._host
        cluster = host.cluster
        cluster.open[transport] = None
        if not isinstance(host.address, InternalAddress):
            transport.setWriteBufferLimit(cluster.bufferLimit)
        stats = cluster.stats
        stats.upstream_rq_total.value += 1
        stats.upstream_rq_active.value += 1
        if cluster.takesOneRequest:
            stats.upstream_cx_max_requests.value += 1
        host.stats.rq_total.value += 1
        host.stats.rq_active.value += 1
        self._connectedTime = cluster.seconds()
        self.protocol.makeConnection(transport)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def passage(self) -> Passage | None:
        """What the user's protocol does with all that comes."""
        ask = getattr(self.protocol, "passage", None)
        found: Passage | None = None if ask is None else ask()
        return found

    def readConnectionLost(self) -> None:
        if self._halfCloses:
            self._remoteEnded = self._ended  # who ends last is who closes it
            self.protocol.readConnectionLost()
        else:
            self._remoteEnded = True
            self._transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self._ended = True
        if self._halfCloses:
            self.protocol.writeConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        host = self._host
        cluster = host.cluster
        cluster.open.pop(self._transport, None)
        self._transport = None
        stats = cluster.stats
        problem = reason.value
        if isinstance(problem, ConnectionDone):
            local = not self._remoteEnded
        else:
            local = isinstance(problem, ConnectionAborted)
        countDestroyed(host, not local, cluster.connections)
        if not getattr(self.protocol, "released", False):
            countDestroyedWithActive(host, not local)
        stats.upstream_rq_active.value -= 1
        host.stats.rq_active.value -= 1
        stats.upstream_cx_length_ms.record((cluster.seconds() - self._connectedTime) * 1000)
        self.dataReceived = dropped
        self.protocol.connectionLost(reason)
