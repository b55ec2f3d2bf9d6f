"""The counters of health checks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.health.stats import HealthCheckStats


class StatsTests(SynchronousTestCase):
    def test_names(self) -> None:
        """All of Envoy's."""
        store = Store()
        HealthCheckStats(store.scope("cluster.c.health_check."))
        self.assertEqual(
            sorted(one.name.removeprefix("cluster.c.health_check.") for one in store.numbers()),
            [
                *("attempt", "degraded", "failure", "healthy", "network_failure"),
                *("passive_failure", "success", "verify_cluster"),
            ],
        )
