"""
Circuit breakers: how much of a cluster may be in use at once.

Follows `config.cluster.v3.CircuitBreakers`; the defaults are Envoy's.
"""

from __future__ import annotations

from twisted_envoy.stats.metrics import Gauge
from twisted_envoy.stats.scope import Scope


class Resource:
    """
    A number in use and the most that may be.

    Args:
        most: the limit; the breaker is open while that many are in use.
        opened: the gauge that shows 1 while it is open.
        remaining: the gauge that shows how many are left, None when nobody tracks it.
    """

    __slots__ = ("inUse", "most", "opened", "remaining")

    def __init__(self, most: int, opened: Gauge, remaining: Gauge | None = None) -> None:
        self.most = most
        self.inUse = 0
        self.opened = opened
        self.remaining = remaining
        if remaining is not None:
            remaining.value = most

    @property
    def full(self) -> bool:
        """True when no more may be taken."""
        return self.inUse >= self.most

    def take(self) -> None:
        """One more is in use."""
        self.inUse += 1
        if self.inUse >= self.most or self.remaining is not None:
            self.show()

    def give(self) -> None:
        """One less is in use."""
        self.inUse -= 1
        if self.inUse + 1 >= self.most or self.remaining is not None:
            self.show()

    def show(self) -> None:
        """
        Have the gauges say how many are in use.

        Who changes that number itself, which saves a call, calls this if it is, or was, `most` or
        more, or there is a gauge of what remains.
        """
        self.opened.value = 1 if self.inUse >= self.most else 0
        if self.remaining is not None:
            self.remaining.value = max(self.most - self.inUse, 0)


class RetryBudget:
    """
    Retries as a share of the requests that are under way; takes the place of max_retries.

    Args:
        percent: share of 100 of requests and of those that wait for a connection.
        least: retries that are always allowed.
        opened: the gauge that shows 1 while no more may be taken.

    Envoy: ResourceManagerImpl::RetryBudgetImpl
    """

    __slots__ = ("_least", "_limits", "_opened", "_percent", "inUse")

    def __init__(self, limits: Limits, percent: float, least: int, opened: Gauge) -> None:
        self._limits = limits
        self._percent = percent
        self._least = least
        self._opened = opened
        self.inUse = 0

    @property
    def most(self) -> int:
        """How many there may be now."""
        limits = self._limits
        active = limits.requests.inUse + limits.pendingRequests.inUse
        return max(int(active * self._percent / 100), self._least)

    @property
    def full(self) -> bool:
        """True when no more may be taken."""
        return self.inUse >= self.most

    def take(self) -> None:
        """One more is in use."""
        self.inUse += 1
        self._opened.value = 1 if self.full else 0

    def give(self) -> None:
        """One less is in use."""
        self.inUse -= 1
        self._opened.value = 1 if self.full else 0


class Limits:
    """
    The resources of one routing priority.

    Args:
        scope: of `circuit_breakers.default.` or `.high.`.
        maxConnections, maxPendingRequests, maxRequests, maxRetries, maxConnectionPools: the limits.
        trackRemaining: show `remaining_*` gauges too.
        retryBudget: percent and least of a RetryBudget; None: maxRetries holds.
    """

    __slots__ = ("connectionPools", "connections", "pendingRequests", "requests", "retries")

    def __init__(
        self,
        scope: Scope,
        maxConnections: int = 1024,
        maxPendingRequests: int = 1024,
        maxRequests: int = 1024,
        maxRetries: int = 3,
        maxConnectionPools: int = 2**64 - 1,
        trackRemaining: bool = False,
        retryBudget: tuple[float, int] | None = None,
    ) -> None:
        def resource(most: int, opened: str, remaining: str) -> Resource:
            left = scope.gauge(remaining) if trackRemaining else None
            return Resource(most, scope.gauge(opened), left)

        self.connections = resource(maxConnections, "cx_open", "remaining_cx")
        self.pendingRequests = resource(maxPendingRequests, "rq_pending_open", "remaining_pending")
        self.requests = resource(maxRequests, "rq_open", "remaining_rq")
        self.retries: Resource | RetryBudget = (
            resource(maxRetries, "rq_retry_open", "remaining_retries")
            if retryBudget is None
            else RetryBudget(self, *retryBudget, scope.gauge("rq_retry_open"))
        )
        self.connectionPools = resource(maxConnectionPools, "cx_pool_open", "remaining_cx_pools")
