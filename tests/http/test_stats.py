"""What connection managers count."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.stats import HTTP1Stats, ListenerManagerStats, ManagerStats
from twisted_envoy.stats.scope import Store


class StatsTests(SynchronousTestCase):
    """Names and classes."""

    def test_names(self) -> None:
        """Envoy's names, under the prefix that was given."""
        store = Store()
        ManagerStats(store.scope("http.web"))
        ListenerManagerStats(store.scope("listener.a.http.web"))
        HTTP1Stats(store.scope("http1"))

        for name in (
            "http.web.downstream_cx_total",
            "http.web.tracing.random_sampling",
            "listener.a.http.web.downstream_rq_completed",
            "http1.response_flood",
        ):
            self.assertIn(name, store.counters)
        self.assertIn("http.web.downstream_cx_active", store.gauges)
        self.assertIn("http.web.downstream_rq_time", store.histograms)

    def test_classes(self) -> None:
        """The hundreds of a status find its counter."""
        for stats in (ManagerStats(Store()), ListenerManagerStats(Store())):
            self.assertIs(stats.byClass[4], stats.downstream_rq_4xx)
            self.assertIs(stats.byClass[1], stats.downstream_rq_1xx)
            self.assertEqual(stats.byClass[0].name, "none")
