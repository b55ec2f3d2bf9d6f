"""
Requests to one host: who waits, which connection takes the next, when another one is made.

    newStream   a connection is ready: the newest such takes the request
                none is: the request waits, and a connection is made when more wait than those
                that are being made could take
    connected, a stream ended, the peer allows more: those who wait are served in order
    a connect failed: everybody who waits fails, unless the connects under way suffice for all
    the last connection is gone and nobody waits: the host forgets the pool

Envoy: source/common/conn_pool/conn_pool_base.cc
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.codec.http import IStreamDecoder, Reset
from twisted_envoy.interfaces.http import IHTTPPool, IPoolUser
from twisted_envoy.upstream.http.attempt import Attempt
from twisted_envoy.upstream.http.connection import PooledConnection
from twisted_envoy.upstream.http.settings import HTTP1

if TYPE_CHECKING:
    from twisted_envoy.state.filter_state import Entry
    from twisted_envoy.upstream.circuit_breaker import Limits
    from twisted_envoy.upstream.host import Host
    from twisted_envoy.upstream.http.settings import UpstreamHTTP

_log = Logger("upstream")

_AT_ONCE = 3
"""Connections that are begun for one request at most."""


class _PendingRequest:
    """A request without a connection."""

    __slots__ = ("_pool", "decoder", "user")

    def __init__(self, pool: HTTPPool, decoder: IStreamDecoder, user: IPoolUser) -> None:
        self._pool = pool
        self.decoder = decoder
        self.user = user

    def cancel(self) -> None:
        """Nobody wants it any more; nothing happens when it was served or has failed."""
        self._pool.cancelled(self)


@implementer(IHTTPPool)
class HTTPPool:
    """
    The pool of one host, protocol, priority and kind of connection.

    Args:
        host: where the requests go.
        key: under which the host keeps the pool.
        protocol: `HTTP/1.1` or `HTTP/2`.
        limits: circuit breakers of the priority.
        endpoint: makes the connections.
        http: what pools of the cluster share.
        shared: filter state that goes along with each connection: that of the first request.

    Attributes:
        connectingCapacity: streams that the connections under way will take.
        streamLimit: streams that one connection takes at once, as far as the config says.
        ready: connections that take another stream, the one that became so last at the end.
        attempts: connects under way; connections: all that are made.
        requests: of limits. waits: who has asked and has no connection.
    """

    __slots__ = (
        "_draining",
        "_key",
        "_posted",
        "waits",
        "attempts",
        "connectingCapacity",
        "connections",
        "endpoint",
        "host",
        "http",
        "limits",
        "protocol",
        "ready",
        "requests",
        "shared",
        "streamLimit",
    )

    def __init__(
        self,
        host: Host,
        key: Hashable,
        protocol: str,
        limits: Limits,
        endpoint: IStreamClientEndpoint,
        http: UpstreamHTTP,
        shared: Collection[tuple[str, Entry]] = (),
    ) -> None:
        self.host = host
        self.shared = shared
        self.protocol = protocol
        self.limits = limits
        self.requests = limits.requests
        self.endpoint = endpoint
        self.http = http
        self.connectingCapacity = 0
        self.ready: dict[PooledConnection, None] = {}
        self.streamLimit = 1 if protocol == HTTP1 else http.settings.http2.maxConcurrentStreams
        self.attempts: set[Attempt] = set()
        self.connections: set[PooledConnection] = set()
        self._key = key
        self.waits: dict[_PendingRequest, None] = {}
        self._posted = False
        self._draining = False

    @property
    def busy(self) -> bool:
        """Somebody waits, or uses a connection."""
        return bool(self.waits) or any(one.active for one in self.connections)

    def newStream(self, decoder: IStreamDecoder, user: IPoolUser) -> Callable[[], None] | None:
        ready = self.ready
        if ready:
            self._attach(next(reversed(ready)), decoder, user)
            return None
        if self.limits.pendingRequests.full:
            self.host.cluster.stats.upstream_rq_pending_overflow.value += 1
            user.poolFailed(Reset.OVERFLOW, "")
            return None
        waiting = _PendingRequest(self, decoder, user)
        self._enqueue(waiting)
        self._connect()
        return waiting.cancel if waiting in self.waits else None

    # Those who wait.

    def _enqueue(self, waiting: _PendingRequest) -> None:
        host = self.host
        stats = host.cluster.stats
        stats.upstream_rq_pending_total.value += 1
        stats.upstream_rq_pending_active.value += 1
        host.stats.rq_pending_active.value += 1
        self.limits.pendingRequests.take()
        self.waits[waiting] = None

    def _dequeued(self) -> None:
        host = self.host
        host.cluster.stats.upstream_rq_pending_active.value -= 1
        host.stats.rq_pending_active.value -= 1
        self.limits.pendingRequests.give()

    def cancelled(self, waiting: _PendingRequest) -> None:
        """A request that waits does so no more; a connect that is under way goes on."""
        if waiting in self.waits:
            del self.waits[waiting]
            self._dequeued()
            self.host.cluster.stats.upstream_rq_cancelled.value += 1
            self.forgetWhenUnused()

    def serveSoon(self) -> None:
        """A connection became ready; who waits gets it when the current event has ended."""
        if self.waits and not self._posted:
            self._posted = True
            self.http.post(self._servePosted)

    def _servePosted(self) -> None:
        self._posted = False
        self.serve()

    def serve(self) -> None:
        """Give the ready connections to who waits, and make more if more are needed."""
        while self.waits and self.ready:
            waiting = next(iter(self.waits))
            del self.waits[waiting]
            self._dequeued()
            self._attach(next(reversed(self.ready)), waiting.decoder, waiting.user)
        if self.waits:
            self._connect()

    def _attach(
        self, connection: PooledConnection, decoder: IStreamDecoder, user: IPoolUser
    ) -> None:
        requests = self.requests
        if requests.inUse >= requests.most:
            self.host.cluster.stats.upstream_rq_active_overflow.value += 1
            user.poolFailed(Reset.OVERFLOW, "")
            return
        requests.take()
        encoder = connection.newStream(decoder)
        try:
            user.poolReady(encoder, connection)
        except Exception:
            _log.failure("a pool's user raised; its stream is reset")
            encoder.resetStream(Reset.LOCAL)
            self._reset(decoder)

    # Connections.

    def _connect(self) -> None:
        """Begin connections while more wait than those under way will take."""
        connections = self.limits.connections
        for _ in range(_AT_ONCE):
            if len(self.waits) <= self.connectingCapacity:
                return
            full = connections.full
            if full:
                self.host.cluster.stats.upstream_cx_overflow.value += 1
                if self.connections or self.attempts:
                    return
            attempt = Attempt(self)
            self.connectingCapacity += attempt.capacity
            self.attempts.add(attempt)
            attempt.start()
            if full:
                return

    def attemptEnded(self, attempt: Attempt) -> None:
        """A connect is over, one way or the other."""
        self.connectingCapacity -= attempt.capacity
        self.attempts.discard(attempt)

    def connected(self, connection: PooledConnection) -> None:
        """It may take streams."""
        self.connections.add(connection)
        connection.begin()
        self.serve()
        if self._draining:
            connection.closeAfterStream()

    def connectFailed(self, reason: Reset, details: str, learned: Any = None) -> None:
        """A connect has failed, or was given up; learned: IPoolUser.poolFailed's."""
        if len(self.waits) > self.connectingCapacity:
            failing, self.waits = self.waits, {}
            for waiting in failing:
                self.host.cluster.stats.upstream_rq_pending_failure_eject.value += 1
                self._dequeued()
                try:
                    waiting.user.poolFailed(reason, details, learned)
                except Exception:
                    _log.failure("a pool's user raised; its stream is reset")
                    self._reset(waiting.decoder)
        self._oneLess()

    def _reset(self, decoder: IStreamDecoder) -> None:
        """End the request of a user that raised."""
        try:
            decoder.streamReset(Reset.LOCAL, "")
        except Exception:
            _log.failure("a pool's user raised when its stream was reset")

    def connectionGone(self, connection: PooledConnection) -> None:
        """It takes part no more."""
        self.connections.discard(connection)
        self._oneLess()

    def _oneLess(self) -> None:
        if self.waits:
            self._connect()
        self.forgetWhenUnused()

    def forgetWhenUnused(self) -> None:
        """Without connections and without anybody who waits there is nothing to keep."""
        if not (self.connections or self.attempts or self.waits):
            self.host.forgetPool(self._key, self)

    def transports(self) -> list[object]:
        """Of the connections that are made."""
        return [connection.transport for connection in self.connections]

    def drain(self) -> None:
        """The host is gone: connections end with their last request."""
        self._draining = True
        self.drainConnections()

    def drainConnections(self) -> None:
        """Those that there are end with their last request; new ones may be made."""
        for connection in list(self.connections):
            connection.closeAfterStream()

    def close(self) -> None:
        """Nobody uses it: close what is made, give up what is being made."""
        for attempt in list(self.attempts):
            attempt.giveUp()
        for connection in list(self.connections):
            connection.close()
        self.forgetWhenUnused()
