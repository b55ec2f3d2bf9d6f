"""
Connection limit: count connections, end those that are too many.

Envoy: extensions.filters.network.connection_limit.v3.ConnectionLimit
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from twisted_envoy.extensions.common.turn_away import stopWaiting, turnAway
from twisted_envoy.network.link import Link
from twisted_envoy.stats.metrics import Counter, Gauge


class Limit:
    """
    What all connections of one configured filter share.

    Args:
        most: connections that are let through at a time.
        delay: seconds that one too many is kept before it is closed.
        active, limited: the filter's two stats.

    Attributes:
        connections: open ones; those that wait to be closed count too.
    """

    __slots__ = ("active", "connections", "delay", "limited", "most", "reactor")

    def __init__(
        self, most: int, delay: float, reactor: IReactorTime, active: Gauge, limited: Counter
    ) -> None:
        self.most = most
        self.delay = delay
        self.reactor = reactor
        self.active = active
        self.limited = limited
        self.connections = 0


class ConnectionLimit(Link):
    """Stands only in the way of a connection that is one too many."""

    __slots__ = ("_limit", "_rejected", "_timer")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._rejected = False
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        limit = self._limit
        limit.active.value += 1
        limit.connections += 1
        if limit.connections > limit.most:
            limit.limited.value += 1
            self._reject()

    def readConnectionLost(self) -> None:
        if self._rejected:
            self.transport.loseConnection()
        else:
            self.deliverEnd()

    def connectionLost(self, reason: Failure) -> None:
        stopWaiting(self._timer)
        self._timer = None
        self._limit.connections -= 1
        self._limit.active.value -= 1

    def _reject(self) -> None:
        self._rejected = True
        self.hold()
        limit = self._limit
        self._timer = turnAway(
            self, "over_connection_limit", limit.delay, limit.reactor, self.closeConnection
        )


class Unlimited(Link):
    """What stands there when the filter is switched off."""

    __slots__ = ()
