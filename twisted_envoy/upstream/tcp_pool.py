"""
Connections to one host: each connect() is one new connection, as in Envoy's TCP pool.

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
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail
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
from twisted_envoy.interfaces.upstream import ITCPPool
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.link import dropped
from twisted_envoy.network.timers import Deadline
from twisted_envoy.upstream.counting import (
    connectFailure,
    countConnectFailed,
    countDestroyed,
    countDestroyedWithActive,
    countStarted,
)

if TYPE_CHECKING:
    from twisted_envoy.upstream.host import Host

_log = Logger("upstream")


class PoolError(StreamError):
    """
    A connection to a host could not be had; `flag` is UF or UO.

    Attributes:
        passthrough: of an internal connection that was begun and tells what it learned, or None.
    """

    passthrough: Any = None


class IPrecedingProtocol(Interface):
    """A protocol that may give its connection to another one."""

    giveTo: Callable[[Any], None] | None = Attribute(
        "Set by the pool before makeConnection: from its call on the events are the other "
        "protocol's, whose own makeConnection is left to the caller."
    )


@implementer(ITCPPool, IStreamClientEndpoint)
class TCPPool:
    """
    Makes connections to one host.

    Args:
        host: where they go.
        endpoint: its connector, with everything that the downstream connection asked for.
    """

    __slots__ = ("_endpoint", "_host")

    def __init__(self, host: Host, endpoint: IStreamClientEndpoint) -> None:
        self._host = host
        self._endpoint = endpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """
        One new connection.

        Returns:
            Fires with the factory's protocol; fails with PoolError, or CancelledError when the
            caller cancelled it.
        """
        cluster = self._host.cluster
        if cluster.connections.full:
            cluster.stats.upstream_cx_overflow.value += 1
            return fail(PoolError("UO"))
        if cluster.pending.full:
            cluster.stats.upstream_rq_pending_overflow.value += 1
            return fail(PoolError(""))  # no flag says this
        attempt = _Attempt(self._host, protocolFactory)
        return attempt.start(self._endpoint)


@implementer(IProtocolFactory)
class _Attempt:
    """One connection from its beginning until it is confirmed or has failed; its own factory."""

    noisy = False

    __slots__ = (
        "_connecting",
        "_done",
        "_factory",
        "_host",
        "_over",
        "_returned",
        "_started",
        "_timer",
        "_tracked",
    )

    def __init__(self, host: Host, factory: IProtocolFactory) -> None:
        self._host = host
        self._factory = factory
        self._done: Deferred[Any] = Deferred(self._cancelled)
        self._connecting: Deferred[Any] | None = None
        self._timer: Deadline | None = None
        self._over = False
        self._returned = False
        self._started = 0.0
        self._tracked: TrackedConnection | None = None

    def start(self, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        host = self._host
        cluster = host.cluster
        countStarted(host, cluster.connections)
        cluster.pending.take()
        stats = cluster.stats
        stats.upstream_rq_pending_total.value += 1
        stats.upstream_rq_pending_active.value += 1
        self._started = cluster.seconds()
        self._timer = cluster.connectTimeouts.add(self._timedOut)
        try:
            connecting = endpoint.connect(self)
        except Exception:
            _log.failure("a transport socket raised instead of connecting")
            connecting = fail()
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._failed)
        self._returned = True
        return self._done

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> TrackedConnection | None:
        protocol: Any = self._factory.buildProtocol(addr)
        if protocol is not None:
            self._tracked = TrackedConnection(protocol, self._host)
        return self._tracked

    def _connected(self, tracked: TrackedConnection) -> None:
        self._settle()
        host = self._host
        cluster = host.cluster
        stats = cluster.stats
        stats.upstream_cx_connect_ms.record(int((cluster.seconds() - self._started) * 1000))
        self._done.callback(tracked.protocol)

    def _failed(self, failure: Failure) -> None:
        if self._over:
            return
        tracked = self._tracked
        if tracked is not None and tracked.begun:
            _log.failure("a new connection's protocol raised; it is closed", failure)
            self._connected(tracked)  # and lost already, which its protocol is told
            return
        self._settle()
        problem = PoolError("UF", connectFailure(self._host, failure, not self._returned))
        problem.passthrough = getattr(failure.value, "passthrough", None)
        self._fail(problem, remote=True)

    def _timedOut(self) -> None:
        self._timer = None
        self._host.cluster.stats.upstream_cx_connect_timeout.value += 1
        self._abandon()
        self._fail(PoolError("UF"), remote=False)

    def _cancelled(self, done: Deferred[Any]) -> None:
        self._host.cluster.stats.upstream_rq_cancelled.value += 1
        self._abandon()
        if self._tracked is None or not self._tracked.begun:
            countDestroyed(self._host, False, self._host.cluster.connections)

    def _abandon(self) -> None:
        """Nobody waits any more: end the attempt below."""
        self._settle()
        if self._connecting is not None:
            self._connecting.cancel()

    def _settle(self) -> None:
        self._over = True
        self._host.cluster.pending.give()
        self._host.cluster.stats.upstream_rq_pending_active.value -= 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fail(self, problem: PoolError, remote: bool) -> None:
        host = self._host
        countConnectFailed(host)
        host.cluster.stats.upstream_rq_pending_failure_eject.value += 1
        countDestroyed(host, remote, host.cluster.connections)
        self._done.errback(problem)


@implementer(IProtocol, IHalfCloseableProtocol)
class TrackedConnection:
    """
    An established connection whose end is counted.

    It is the transport's protocol, and its `dataReceived` is the user's own.

    Args:
        protocol: the user's; half-closes when it provides IHalfCloseableProtocol. If it has
            `released`, and that is true, its request was over before the connection was.
        host: counts.

    Attributes:
        begun: makeConnection was called: from now on connectionLost counts the end.
    """

    __slots__ = (
        "_ended",
        "_host",
        "_remoteEnded",
        "_started",
        "_transport",
        "begun",
        "dataReceived",
        "protocol",
    )

    def __init__(self, protocol: Any, host: Host) -> None:
        self.protocol = protocol
        self._host = host
        self._ended = False
        self._remoteEnded = False
        self._started = host.cluster.seconds()
        self._transport: Any = None
        self.begun = False
        self.dataReceived: Callable[[bytes], None] = protocol.dataReceived
        if IPrecedingProtocol.providedBy(protocol):
            protocol.giveTo = self._giveTo

    def makeConnection(self, transport: Any) -> None:
        self.begun = True
        self._transport = transport
        cluster = self._host.cluster
        cluster.open.add(transport)
        if not isinstance(self._host.address, InternalAddress):
            transport.setWriteBufferLimit(cluster.bufferLimit)
        cluster.stats.upstream_rq_total.value += 1
        cluster.stats.upstream_rq_active.value += 1
        self._host.stats.rq_total.value += 1
        self._host.stats.rq_active.value += 1
        self.protocol.makeConnection(transport)

    def _giveTo(self, protocol: Any) -> None:
        self.protocol = protocol
        self.dataReceived = protocol.dataReceived

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def readConnectionLost(self) -> None:
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self._remoteEnded = self._ended  # who ends last is who closes it
            self.protocol.readConnectionLost()
        else:
            self._remoteEnded = True
            self._transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self._ended = True
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.writeConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        host = self._host
        host.cluster.open.discard(self._transport)
        self._transport = None
        stats = host.cluster.stats
        problem = reason.value
        local = isinstance(problem, ConnectionAborted) or (
            isinstance(problem, ConnectionDone) and not self._remoteEnded
        )
        countDestroyed(host, not local, host.cluster.connections)
        if not getattr(self.protocol, "released", False):
            countDestroyedWithActive(host, not local)
        stats.upstream_rq_active.value -= 1
        host.stats.rq_active.value -= 1
        stats.upstream_cx_length_ms.record(int((host.cluster.seconds() - self._started) * 1000))
        self.dataReceived = dropped
        protocol = self.protocol
        protocol.connectionLost(reason)
