"""Which counters there are."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.http.health_check.stats import HealthCheckStats
from twisted_envoy.stats.scope import Store


class StatsTests(SynchronousTestCase):
    """Envoy's names."""

    def test_names(self) -> None:
        """All of them, in the scope that is given."""
        store = Store()
        HealthCheckStats(store.scope("http.a.health_check."))
        self.assertEqual(
            sorted(name.rsplit(".", 1)[1] for name in store.counters),
            [
                *("cached_response", "degraded", "failed", "failed_cluster_empty"),
                *("failed_cluster_not_found", "failed_cluster_unhealthy", "ok", "request_total"),
            ],
        )
