"""Bundles of metrics."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope, Store


class Some:
    """Three metrics."""

    cx_total: Counter
    cx_active: Gauge
    cx_length_ms: Histogram

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class FillBundleTests(SynchronousTestCase):
    """Metrics as attributes."""

    def test_kinds(self) -> None:
        """Each annotated name becomes a metric of its kind, under the scope's prefix."""
        store = Store()
        some = Some(store.scope("a."))
        some.cx_total.value += 2
        some.cx_active.value = 1
        self.assertEqual(store.value("a.cx_total"), 2)
        self.assertEqual(store.value("a.cx_active"), 1)
        self.assertIs(store.histograms["a.cx_length_ms"], some.cx_length_ms)
        self.assertEqual(some.cx_length_ms.unit, "Milliseconds")

    def test_shared(self) -> None:
        """Two bundles under one prefix share their metrics."""
        store = Store()
        self.assertIs(Some(store).cx_total, Some(store).cx_total)
