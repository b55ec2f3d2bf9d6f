"""Tests for twisted_envoy.stats.histogram."""

from __future__ import annotations

from math import isnan

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.histogram import DEFAULT_BUCKETS, Histogram, Statistics, binOf, widthOf


class BinTests(SynchronousTestCase):
    def test_twoSignificantDigits(self) -> None:
        """Bins are as in Envoy's detailed view."""
        edges = {value: (binOf(value), widthOf(binOf(value))) for value in (0, 1, 9, 10, 99)}
        self.assertEqual(edges, {0: (0, 0), 1: (1, 0.1), 9: (9, 0.1), 10: (10, 1), 99: (99, 1)})
        self.assertEqual((binOf(134), widthOf(130)), (130, 10))
        self.assertEqual((binOf(3_599_999), widthOf(3_500_000)), (3_500_000, 100_000))

    def test_belowZeroIsZero(self) -> None:
        """Nothing negative is kept."""
        self.assertEqual(binOf(-5), 0)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(min_value=1, max_value=2**62))
    def test_everyValueLiesInItsBin(self, value: int) -> None:
        """left <= value < left + width, up to the precision of a float."""
        left = binOf(value)

        self.assertLessEqual(left, value * (1 + 1e-12))
        self.assertLess(value, (left + widthOf(left)) * (1 + 1e-12))


class StatisticsTests(SynchronousTestCase):
    def test_quantilesAsEnvoyGivesThem(self) -> None:
        """Three values of one bin lie evenly in it; single ones in their bins' middles."""
        same, spread = Statistics({1.0: 3}), Statistics({35.0: 1, 30.0: 1, 34.0: 1})

        self.assertEqual([same.quantile(q) for q in (0, 0.25)], [1.025, 1.025])
        self.assertEqual([same.quantile(q) for q in (0.5, 0.75, 1)], [1.05, 1.075, 1.075])
        self.assertEqual([spread.quantile(q) for q in (0, 0.25)], [30.5, 30.5])
        self.assertEqual([spread.quantile(q) for q in (0.5, 0.75, 1)], [34.5, 35.5, 35.5])

    def test_nothingHasNoQuantiles(self) -> None:
        """Without values a quantile is nan."""
        self.assertTrue(isnan(Statistics({}).quantile(0.5)))

    def test_sumIsOfWeightedMiddles(self) -> None:
        """The sum that Envoy printed for the same bins; zeros add nothing."""
        statistics = Statistics({0.0: 7, 30.0: 1, 34.0: 1, 35.0: 1})

        self.assertEqual(statistics.sum, 100.47751464835579)

    def test_bucketsCountBinsThatStartAtTheBound(self) -> None:
        """A value equal to a bound is below it, as in Envoy."""
        statistics = Statistics({0.0: 1, 1.0: 2, 30.0: 3})

        self.assertEqual(statistics.cumulative((0.5, 1, 25, 50)), (1, 3, 3, 6))
        self.assertEqual(statistics.disjoint((0.5, 1, 25, 50)), (1, 2, 0, 3))

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=50))
    def test_quantilesStayInOrder(self, values: list[int]) -> None:
        """Quantiles never fall, and lie between the least and the greatest bin."""
        histogram = Histogram("h")
        for value in values:
            histogram.record(value)
        histogram.merge()

        quantiles = histogram.total.quantiles()

        self.assertEqual(list(quantiles), sorted(quantiles))
        self.assertGreaterEqual(quantiles[0], binOf(min(values)))
        self.assertLessEqual(
            quantiles[-1], (binOf(max(values)) + widthOf(binOf(max(values)))) * (1 + 1e-12)
        )
        self.assertEqual(histogram.total.count, len(values))


class HistogramTests(SynchronousTestCase):
    def test_bins(self) -> None:
        """Each value is in its bin, be it small, large, below zero or with a fraction."""
        histogram = Histogram("h")
        for value in (-5, 0.9, 9.99, 15.5, 15, 999, 1000, 1234.5):
            histogram.record(value)
        histogram.merge()
        expected = {0.0: 2, 9.0: 1, 15.0: 2, 990.0: 1, 1000.0: 1, 1200.0: 1}
        self.assertEqual(histogram.interval.bins, expected)
        self.assertEqual(histogram.total.bins, expected)

    def test_visibleAfterMerge(self) -> None:
        """What is recorded shows only after the interval's end."""
        histogram = Histogram("h", "ms")
        histogram.record(5.9)
        self.assertEqual((histogram.used, histogram.total.count), (False, 0))

        histogram.merge()

        self.assertEqual((histogram.used, histogram.total.bins), (True, {5.0: 1}))
        self.assertEqual((histogram.unit, histogram.buckets), ("ms", DEFAULT_BUCKETS))

    def test_anIntervalEndsAtTheNextMerge(self) -> None:
        """The interval shows the last period only, the total everything."""
        histogram = Histogram("h")
        histogram.record(5)
        histogram.merge()

        histogram.record(5)
        histogram.record(70)
        histogram.merge()

        self.assertEqual(histogram.interval.bins, {5.0: 1, 70.0: 1})
        self.assertEqual(histogram.total.bins, {5.0: 2, 70.0: 1})

    def test_aQuietIntervalIsEmpty(self) -> None:
        """Merging without new values empties the interval and keeps the total."""
        histogram = Histogram("h")
        histogram.record(5)
        histogram.merge()

        histogram.merge()

        self.assertEqual((histogram.interval.count, histogram.total.count), (0, 1))
        self.assertTrue(histogram.used)
