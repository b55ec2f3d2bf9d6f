"""What the health_check filter counts of its answers: `http.<stat_prefix>.health_check.*`."""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope


class HealthCheckStats:
    """Envoy: HealthCheckFilterStats."""

    cached_response: Counter
    degraded: Counter
    failed: Counter
    failed_cluster_empty: Counter
    failed_cluster_not_found: Counter
    failed_cluster_unhealthy: Counter
    ok: Counter
    request_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
