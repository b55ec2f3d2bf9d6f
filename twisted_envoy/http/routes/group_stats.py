"""
What requests of one virtual cluster, or of one route with a stat_prefix, add to.

    vhost.<virtual host>.vcluster.<virtual cluster>.*     vhost.<virtual host>.route.<stat_prefix>.*

Envoy: Router::VirtualClusterStats, RouteStats
"""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope


def codeCounters(scope: Scope, status: int, prefixes: tuple[str, ...]) -> tuple[Counter, ...]:
    """`upstream_rq_completed`, `upstream_rq_2xx` and `upstream_rq_200` under each prefix."""
    names = ["upstream_rq_completed"]
    if 100 <= status < 600:
        names += [f"upstream_rq_{status // 100}xx", f"upstream_rq_{status}"]
    return tuple(scope.counter(prefix + name) for prefix in prefixes for name in names)


class GroupStats:
    """
    Of one group.

    Args:
        scope: its prefix is as above.
    """

    upstream_rq_retry: Counter
    upstream_rq_retry_limit_exceeded: Counter
    upstream_rq_retry_overflow: Counter
    upstream_rq_retry_success: Counter
    upstream_rq_timeout: Counter
    upstream_rq_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self._scope = scope
        self._codes: dict[int, tuple[Counter, ...]] = {}
        self._time: Histogram | None = None

    def charge(self, status: int) -> None:
        """One answer with this status."""
        counters = self._codes.get(status)
        if counters is None:
            counters = self._codes[status] = codeCounters(self._scope, status, ("",))
        for counter in counters:
            counter.value += 1

    def recordTime(self, milliseconds: int) -> None:
        """From the request's end to the response's."""
        if self._time is None:
            self._time = self._scope.histogram("upstream_rq_time", "Milliseconds")
        self._time.record(milliseconds)
