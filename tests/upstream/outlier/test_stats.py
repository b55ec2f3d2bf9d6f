"""The counters of outlier detection."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.outlier.kinds import Kind
from twisted_envoy.upstream.outlier.stats import OutlierStats


class StatsTests(SynchronousTestCase):
    def test_names(self) -> None:
        """All of Envoy's: 21."""
        store = Store()
        stats = OutlierStats(store.scope("cluster.c.outlier_detection."))
        self.assertEqual(len(list(store.numbers())), 21)
        for kind in Kind:
            self.assertEqual(getattr(stats, kind.detected).value, 0)
            self.assertEqual(getattr(stats, kind.enforced).value, 0)
