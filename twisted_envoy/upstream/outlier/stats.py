"""The counters of outlier detection."""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class OutlierStats:
    """`cluster.<name>.outlier_detection.*`."""

    ejections_active: Gauge
    ejections_consecutive_5xx: Counter
    ejections_detected_consecutive_5xx: Counter
    ejections_detected_consecutive_gateway_failure: Counter
    ejections_detected_consecutive_local_origin_failure: Counter
    ejections_detected_degradation: Counter
    ejections_detected_failure_percentage: Counter
    ejections_detected_local_origin_failure_percentage: Counter
    ejections_detected_local_origin_success_rate: Counter
    ejections_detected_success_rate: Counter
    ejections_enforced_consecutive_5xx: Counter
    ejections_enforced_consecutive_gateway_failure: Counter
    ejections_enforced_consecutive_local_origin_failure: Counter
    ejections_enforced_failure_percentage: Counter
    ejections_enforced_local_origin_failure_percentage: Counter
    ejections_enforced_local_origin_success_rate: Counter
    ejections_enforced_success_rate: Counter
    ejections_enforced_total: Counter
    ejections_overflow: Counter
    ejections_success_rate: Counter
    ejections_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.ejections_active.value = 0
