"""Connections to one host: each connect() is one new connection, as in Envoy's TCP pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from zope.interface import implementer

from twisted_envoy.interfaces.upstream import ITCPPool
from twisted_envoy.upstream.tcp_connection import PoolConnection, PoolError, PoolUser

if TYPE_CHECKING:
    from twisted_envoy.upstream.host import Host


@implementer(ITCPPool, IStreamClientEndpoint)
class TCPPool:
    """
    Makes connections to one host.

    Args:
        host: where they go.
        endpoint: its connector, with everything that the downstream connection asked for.

    Attributes:
        begin: of the endpoint, where it has one: starts a connection for a ConnectUser.
    """

    __slots__ = ("_endpoint", "_host", "begin")

    def __init__(self, host: Host, endpoint: IStreamClientEndpoint) -> None:
        self._host = host
        self._endpoint = endpoint
        self.begin: Callable[[Any], Any] | None = getattr(endpoint, "begin", None)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """
        One new connection.

        Returns:
            Fires with the factory's protocol; fails with PoolError, or CancelledError.
        """
        waiting = _PendingConnection(protocolFactory)
        waiting.connection = self.open(waiting, protocolFactory)
        return waiting.done

    def open(
        self, user: PoolUser, factory: IProtocolFactory | None = None
    ) -> PoolConnection | None:
        """
        One new connection for a user, who may have been told of a failure when this returns.

        Args:
            factory: is started, and stopped when the connection is lost or was never made.
        Returns:
            To be cancelled when nobody waits any more; None when nothing was begun.
        """
        host = self._host
        cluster = host.cluster
        if cluster.connections.inUse >= cluster.connections.most:
            cluster.stats.upstream_cx_overflow.value += 1
            user.poolFailed(PoolError("UO"))
            return None
        if cluster.pending.inUse >= cluster.pending.most:
            cluster.stats.upstream_rq_pending_overflow.value += 1
            user.poolFailed(PoolError(""))  # no flag says this
            return None
        connection = PoolConnection(host, user, factory)
        connection.start(self._endpoint, self.begin if factory is None else None)
        return connection


class _PendingConnection:
    """Waits with a Deferred for a connection whose protocol a factory makes."""

    __slots__ = ("_factory", "connection", "done")

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.connection: PoolConnection | None = None
        self.done: Deferred[Any] = Deferred(self._cancel)

    def buildProtocol(self, addr: IAddress) -> Any:
        return self._factory.buildProtocol(addr)

    def poolReady(self, protocol: Any) -> None:
        self.connection = None
        self.done.callback(protocol)

    def poolFailed(self, problem: PoolError) -> None:
        self.connection = None
        self.done.errback(problem)

    def _cancel(self, done: Deferred[Any]) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.cancel()
