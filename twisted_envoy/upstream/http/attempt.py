"""
One connect of an HTTP pool, until it is confirmed or has failed.

    event               counters
    confirmed           those of the connection from now on
    failed              cx_connect_fail, cx_destroy_remote
    connect_timeout     cx_connect_fail, cx_connect_timeout, cx_destroy_local
    given up            cx_connect_fail, cx_destroy_local

Envoy: ConnPoolImplBase::onConnectionEvent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.http import Reset
from twisted_envoy.network.timers import Deadline
from twisted_envoy.upstream.counting import (
    connectFailure,
    countConnectFailed,
    countDestroyed,
    countLength,
    countStarted,
    isBindError,
)
from twisted_envoy.upstream.http.connection import PooledConnection
from twisted_envoy.upstream.http.settings import HTTP1

if TYPE_CHECKING:
    from twisted_envoy.upstream.http.pool import HTTPPool

_log = Logger("upstream")


@implementer(IProtocolFactory)
class Attempt:
    """
    Makes one connection; its own factory.

    Args:
        pool: whose it is.

    Attributes:
        capacity: streams that the connection will take.
    """

    noisy = False

    __slots__ = ("_connecting", "_connection", "_over", "_pool", "_started", "_timer", "capacity")

    def __init__(self, pool: HTTPPool) -> None:
        self._pool = pool
        longest = pool.http.settings.common.maxRequestsPerConnection
        self.capacity = min(longest or pool.streamLimit, pool.streamLimit)
        self._connecting: Deferred[Any] | None = None
        self._connection: PooledConnection | None = None
        self._over = False
        self._started = 0.0
        self._timer: Deadline | None = None

    def start(self) -> None:
        """Begin; the pool may be told of its end before this returns."""
        pool = self._pool
        host = pool.host
        cluster = host.cluster
        countStarted(host, pool.limits.connections)
        if pool.http.settings.automatic:
            pass  # it is counted when the protocol is known
        elif pool.protocol == HTTP1:
            cluster.stats.upstream_cx_http1_total.value += 1
        else:
            cluster.stats.upstream_cx_http2_total.value += 1
        self._started = cluster.seconds()
        self._timer = cluster.connectTimeouts.add(self._timedOut)
        try:
            connecting = pool.endpoint.connect(self)
        except Exception:
            _log.failure("a transport socket raised instead of connecting")
            connecting = fail()
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._failed, errbackArgs=(connecting.called,))

    def doStart(self) -> None:
        """Part of IProtocolFactory."""

    def doStop(self) -> None:
        """Part of IProtocolFactory."""

    def buildProtocol(self, addr: IAddress) -> PooledConnection:
        self._connection = PooledConnection(self._pool, self._started)
        return self._connection

    def giveUp(self) -> None:
        """Nobody wants it."""
        if not self._over:
            self._abandon(Reset.LOCAL_CONNECTION_FAILURE)

    def _connected(self, connection: PooledConnection) -> None:
        self._settle()
        self._pool.attemptEnded(self)
        self._pool.connected(connection)

    def _failed(self, failure: Failure, immediate: bool) -> None:
        if self._over:
            return
        if self._connection is not None:
            _log.failure("a new connection to a host raised; it is closed", failure)
        text = connectFailure(self._pool.host, failure, immediate)
        learned = getattr(failure.value, "passthrough", None)
        local = isBindError(self._pool.host, failure)
        reason = Reset.LOCAL_CONNECTION_FAILURE if local else Reset.REMOTE_CONNECTION_FAILURE
        self._fail(reason, text, learned)

    def _timedOut(self) -> None:
        self._timer = None
        self._pool.host.cluster.stats.upstream_cx_connect_timeout.value += 1
        self._abandon(Reset.CONNECTION_TIMEOUT)

    def _abandon(self, reason: Reset) -> None:
        self._over = True
        if self._connecting is not None:
            self._connecting.cancel()
        self._fail(reason, "")

    def _settle(self) -> None:
        self._over = True
        self._connecting = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fail(self, reason: Reset, details: str, learned: Any = None) -> None:
        self._settle()
        pool = self._pool
        host = pool.host
        remote = reason is Reset.REMOTE_CONNECTION_FAILURE
        countDestroyed(host, remote, pool.limits.connections)
        countConnectFailed(host)
        countLength(host, self._started)
        pool.attemptEnded(self)
        pool.connectFailed(reason, details, learned)
