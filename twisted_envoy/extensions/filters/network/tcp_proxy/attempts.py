"""
The attempts of a TCP proxy to reach an upstream, one after the other.

    state       event                        next
    trying      chosen                       under way
    trying      nowhere to go                over: the proxy fails (UH UO NC)
    under way   connected, or tunnel open    over
    under way   failed, attempts left        trying, at once or after a back-off
    under way   failed, none left            over: the proxy fails (URX)
    any         cancelled                    over
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.errors import StreamError
from twisted_envoy.extensions.filters.network.tcp_proxy.choice import (
    NO_HOST,
    NOT_CONNECTED,
    NoUpstream,
    choose,
)
from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream
from twisted_envoy.network.timers import Backoff
from twisted_envoy.state.passthrough import upstreamState
from twisted_envoy.upstream.options import optionsOf
from twisted_envoy.upstream.tcp_connection import PoolConnection

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel import Tunnel

_log = Logger("filter")


class Attempts:
    """
    Tries until an upstream connection is there; the proxy's `begin` is told by its Upstream.

    Args:
        proxy: whom they are for.
    """

    __slots__ = ("_backoff", "_cluster", "_connecting", "_proxy", "_retryNow", "_trying", "_tunnel")

    def __init__(self, proxy: TCPProxy) -> None:
        self._proxy: TCPProxy | None = proxy
        self._connecting: PoolConnection | Deferred[Any] | None = None
        self._tunnel: Tunnel | None = None
        self._cluster: Any = None
        self._backoff: Backoff | None = None
        self._trying = False
        self._retryNow = False

    def start(self) -> None:
        """Try until an attempt is under way, or all have failed."""
        proxy = self._proxy
        if proxy is None:
            return
        wire = proxy.chain.transport
        try:
            while not proxy.closed and self._try(proxy):
                pass
        except Exception:
            self._trying = False
            self._raised(wire)

    def _raised(self, wire: Any) -> None:
        """Something that this connection's end or begin concerns raised: it alone is closed."""
        _log.failure("connecting raised; the connection is closed")
        self.cancel()
        wire.abortConnection()

    def resume(self, cluster: Any, connecting: PoolConnection) -> None:
        """Go on with the first one, which was begun without us."""
        self._cluster = cluster
        self._connecting = connecting

    @property
    def isAsked(self) -> bool:
        """Has a tunnel been asked for that has no answer yet?"""
        return self._tunnel is not None and self._tunnel.isAsked

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._proxy = self._tunnel = None
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()

    def _try(self, proxy: TCPProxy) -> bool:
        """
        One attempt.

        Returns:
            True when it failed at once and the next may be made at once.
        """
        info = proxy.upstreamInfo
        settings = proxy.settings
        downstream = proxy.streamInfo
        try:
            cluster, host = choose(settings, downstream, info)
            pool = None if settings.tunnel is None else self._poolOf(proxy, cluster, host)
        except NoUpstream as problem:
            proxy.fail(problem.flag, problem.reason)
            return False
        info.host = host
        info.attempts += 1
        if info.attempts == 1:
            info.hostsAttempted, info.hostNamesAttempted = host.asAttempted
        else:
            addresses, names = host.asAttempted
            info.hostsAttempted = info.hostsAttempted + addresses
            info.hostNamesAttempted = info.hostNamesAttempted + names
        self._trying = True
        self._retryNow = False
        self._cluster = cluster
        if pool is not None:
            assert settings.newTunnel is not None
            self._tunnel = tunnel = settings.newTunnel(proxy, cluster.stats)
            self._connecting = asking = tunnel.start(pool)
            asking.addCallbacks(self.poolReady, self._failed)
        else:
            before = info.connectionIDsAttempted if info.attempts > 1 else None
            info.connectionID = settings.nextID()
            if before is not None:  # else it is the only one
                info.connectionIDsAttempted = [*before, info.connectionID]
            options = optionsOf(downstream, proxy.chain.transport, cluster)
            self._connecting = host.tcpPool(options).open(self)
        self._trying = False
        return self._retryNow

    def _poolOf(self, proxy: TCPProxy, cluster: Any, host: Any) -> Any:
        """Where a tunnel is asked for; None for a connection without one."""
        request = proxy.settings.tunnel
        info = proxy.streamInfo
        if request is None or not request.applies(info):
            return None
        options = optionsOf(info, proxy.chain.transport, cluster)
        pool = cluster.httpPool(host, "", options, "default")
        if pool is None:
            raise NoUpstream("UH", NO_HOST)
        return pool

    # What the pool calls.

    def buildProtocol(self, addr: object) -> Upstream | None:
        """There is a connection."""
        proxy = self._proxy
        return None if proxy is None else Upstream(proxy, self._cluster.stats)

    def poolReady(self, upstream: object) -> None:
        """It has begun."""
        self._connecting = self._tunnel = None
        proxy, self._proxy = self._proxy, None
        if proxy is None:
            return
        proxy.attemptsOver()
        host: Any = proxy.upstreamInfo.host
        if host.monitor is not None:
            try:
                host.monitor.connectedTCP()
            except Exception:
                self._raised(proxy.chain.transport)

    def poolFailed(self, problem: StreamError) -> None:
        """It could not be had."""
        self._connecting = None
        proxy = self._proxy
        if proxy is None or proxy.closed:
            return
        wire = proxy.chain.transport
        try:
            self._next(proxy, problem)
        except Exception:
            self._raised(wire)

    def _failed(self, failure: Failure) -> None:
        """So it is with a tunnel."""
        self._connecting = self._tunnel = None
        proxy = self._proxy
        problem = failure.value
        if proxy is None or proxy.closed or isinstance(problem, CancelledError):
            return
        if isinstance(problem, StreamError):
            self._next(proxy, problem)
        else:
            _log.failure("connecting raised; the connection is closed", failure)
            proxy.transport.abortConnection()

    def _next(self, proxy: TCPProxy, problem: StreamError) -> None:
        cluster = self._cluster
        info = proxy.upstreamInfo
        if problem.flag:
            proxy.streamInfo.raiseFlag(problem.flag)
        elif not problem.reason:
            info.host = None  # it was not even asked
        host: Any = info.host
        if problem.flag == "UF" and host.monitor is not None:
            (host.monitor.connectFailed if problem.reason else host.monitor.timedOut)()
        info.transportFailureReason = problem.reason
        info.filterState = upstreamState((), getattr(problem, "passthrough", None))
        settings = proxy.settings
        if info.attempts >= settings.maxConnectAttempts:
            cluster.stats.upstream_cx_connect_attempts_exceeded.value += 1
            proxy.fail("URX", NOT_CONNECTED)
        elif settings.newBackoff is not None:
            if self._backoff is None:
                self._backoff = settings.newBackoff()
            proxy.schedule(self._backoff.next(), self.start)
        elif self._trying:
            self._retryNow = True
        else:
            self.start()
