"""The counters of a cluster's health checks."""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class HealthCheckStats:
    """`cluster.<name>.health_check.*`."""

    attempt: Counter
    degraded: Gauge
    failure: Counter
    healthy: Gauge
    network_failure: Counter
    passive_failure: Counter
    success: Counter
    verify_cluster: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.degraded.value = self.healthy.value = 0
