"""The names of clusters' and hosts' counters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.stats import ClusterStats, HostStats


class StatsTests(SynchronousTestCase):
    """Spelt as Envoy spells them."""

    def test_cluster(self):
        """Every metric is made at once, under the cluster's prefix; some gauges show a 0."""
        store = Store()
        stats = ClusterStats(store.scope("cluster.x."))
        stats.upstream_cx_total.value += 1
        self.assertEqual(store.value("cluster.x.upstream_cx_total"), 1)
        self.assertIn("cluster.x.upstream_cx_connect_ms", store.histograms)
        self.assertTrue(stats.membership_degraded.used)
        self.assertFalse(stats.upstream_cx_destroy.used)
        self.assertGreater(len(store.counters), 60)

    def test_host(self):
        """A host's have no place in the store."""
        stats = HostStats()
        stats.cx_total.value += 1
        self.assertEqual((stats.cx_total.value, stats.cx_active.value), (1, 0))
        self.assertEqual(
            {getattr(stats, name).name for name in HostStats.__slots__}, set(HostStats.__slots__)
        )
