"""
What a health check of a cluster says, whatever protocol it speaks.

Envoy: config.core.v3.HealthCheck; HealthCheckerImplBase::interval
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from random import Random

from twisted_envoy.values import dataclass

_LEAST = 0.001


class Transition(Enum):
    """What one result did to a host."""

    UNCHANGED = 0
    PENDING = 1
    CHANGED = 2


class Failure(Enum):
    """Why a check failed, as the event log names it."""

    ACTIVE = "ACTIVE"
    PASSIVE = "PASSIVE"
    NETWORK = "NETWORK"
    NETWORK_TIMEOUT = "NETWORK_TIMEOUT"

    @property
    def isNetwork(self) -> bool:
        """The host was not reached, or said nothing."""
        return self in (Failure.NETWORK, Failure.NETWORK_TIMEOUT)


def _unset() -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class HealthCheckSettings:
    """
    All times are seconds.

    Attributes:
        kind: `HTTP`, `TCP` or `GRPC`, for the event log.
        unhealthyThreshold, healthyThreshold: how many results in a row change a host.
        noTrafficInterval: between two checks as long as the cluster never had a connection;
            noTrafficHealthyInterval: the same of healthy hosts.
        unhealthyInterval: of hosts that failed. unhealthyEdgeInterval, healthyEdgeInterval: while
            a host is about to change.
        least, most: milliseconds, of the runtime; None without.
    """

    kind: str
    timeout: float
    interval: float
    unhealthyThreshold: int
    healthyThreshold: int
    initialJitter: float = 0.0
    intervalJitter: float = 0.0
    intervalJitterPercent: int = 0
    reuseConnection: bool = True
    noTrafficInterval: float = 60.0
    noTrafficHealthyInterval: float = 60.0
    unhealthyInterval: float = 0.0
    unhealthyEdgeInterval: float = 0.0
    healthyEdgeInterval: float = 0.0
    alwaysLogFailures: bool = False
    alwaysLogSuccess: bool = False
    least: Callable[[], int | None] = _unset
    most: Callable[[], int | None] = _unset

    def delay(self, healthy: bool, transition: Transition, traffic: bool, random: Random) -> float:
        """
        How long to wait for the next check.

        Args:
            healthy: the last check succeeded. transition: what it did.
            traffic: the cluster has had a connection.
        """
        pending = transition is Transition.PENDING
        if not traffic:
            base = self.noTrafficInterval
            if healthy and not pending:
                base = self.noTrafficHealthyInterval
        elif healthy:
            base = self.healthyEdgeInterval if pending else self.interval
        else:
            base = self.unhealthyEdgeInterval if pending else self.unhealthyInterval
        base += random.random() * base * self.intervalJitterPercent / 100
        base += random.random() * self.intervalJitter
        most, least = self.most(), self.least()
        if most is not None:
            base = min(base, most / 1000)
        if least is not None:
            base = max(base, least / 1000)
        return max(base, _LEAST)
