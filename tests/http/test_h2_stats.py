"""The names of HTTP/2's counters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.stats.scope import Store


class HTTP2StatsTests(SynchronousTestCase):
    """The bundle under its scope."""

    def test_names(self) -> None:
        """Each attribute is the metric of that name below the scope."""
        store = Store()

        stats = HTTP2Stats(store.scope("cluster.x.http2."))
        stats.rx_reset.value += 1

        self.assertEqual(store.counters["cluster.x.http2.rx_reset"].value, 1)
        self.assertIn("cluster.x.http2.streams_active", store.gauges)
