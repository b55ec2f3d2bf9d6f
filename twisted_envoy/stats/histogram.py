"""
Histograms, log-linear with two significant digits, as Envoy's (circllhist).

A recorded value falls into a bin `[left, left + width)`: 0 alone, then 1, 1.1, ... 9.9 (width 0.1),
10, 11, ... 99 (width 1), 100, 110, ... (width 10) and so on.  What is recorded becomes visible at
the next `merge()` (Envoy: every `stats_flush_interval`, 5 s by default): the last interval's values
and the cumulative ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import ceil, nan

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)
"""What `/stats` shows, as Envoy."""

DEFAULT_BUCKETS = (
    *(0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0),
    *(30000.0, 60000.0, 300000.0, 600000.0, 1800000.0, 3600000.0),
)
"""Upper bounds of the buckets of the Prometheus and bucket views."""


def binOf(value: int) -> float:
    """The left edge of the bin that a value falls into; what is below 0 counts as 0."""
    if value < 10:
        return float(value) if value > 0 else 0.0
    scale: int = 10 ** (len(str(value)) - 2)
    return float(value // scale * scale)


SMALL = 1000
"""Values below are counted as they are until they are merged."""


def widthOf(left: float) -> float:
    """The width of the bin with this left edge (as `binOf` gives it)."""
    if left < 10:
        return 0.1 if left else 0.0
    return float(10 ** (len(str(int(left))) - 2))


class Statistics:
    """
    What one period's values amount to.

    Args:
        bins: left edge -> count.
    """

    __slots__ = ("bins", "count")

    def __init__(self, bins: Mapping[float, int]) -> None:
        self.bins = dict(sorted(bins.items()))
        self.count = sum(bins.values())

    @property
    def sum(self) -> float:
        """About the sum of all values: each counts as its bin's (weighted) middle."""
        total = 0.0
        for left, count in self.bins.items():
            if left:
                width = widthOf(left)
                total += (left + width * (left / (left + left + width))) * count
        return total

    def quantile(self, quantile: float) -> float:
        """
        The value at a quantile (0 to 1).

        The values of a bin are taken to lie evenly inside it.

        Returns:
            nan when there are no values.
        """
        rank = max(1, ceil(quantile * self.count))
        before = 0
        for left, count in self.bins.items():
            if before + count >= rank:
                return left + widthOf(left) * (rank - before) / (count + 1)
            before += count
        return nan

    def quantiles(self) -> tuple[float, ...]:
        """The values at `QUANTILES`."""
        return tuple(self.quantile(quantile) for quantile in QUANTILES)

    def cumulative(self, bounds: Iterable[float]) -> tuple[int, ...]:
        """For each upper bound, how many values are in bins that start at or below it."""
        return tuple(
            sum(count for left, count in self.bins.items() if left <= bound) for bound in bounds
        )

    def disjoint(self, bounds: Iterable[float]) -> tuple[int, ...]:
        """For each upper bound, how many values are above the bound before it."""
        counts, before = [], 0
        for count in self.cumulative(bounds):
            counts.append(count - before)
            before = count
        return tuple(counts)


class Histogram:
    """
    A distribution of whole numbers.

    Args:
        name: the full name, `listener.127.0.0.1_80.downstream_cx_length_ms`.
        unit: `ms`, `us`, `bytes`, `percent` or "" (nothing is converted).
        buckets: upper bounds, lowest first.

    Attributes:
        interval: Statistics of the last merged interval.
        total: Statistics of everything up to the last merge.
        pending: what came since then -> how often; who has no time for a call adds a whole number
            below SMALL by itself.
    """

    __slots__ = ("buckets", "interval", "name", "pending", "total", "unit")

    def __init__(
        self, name: str, unit: str = "", buckets: tuple[float, ...] = DEFAULT_BUCKETS
    ) -> None:
        self.name = name
        self.unit = unit
        self.buckets = buckets
        self.pending: defaultdict[float, int] = defaultdict(int)
        self.interval = Statistics({})
        self.total = Statistics({})

    @property
    def used(self) -> bool:
        """Whether a value was ever merged."""
        return self.total.count > 0

    def record(self, value: float) -> None:
        """Take one value; a fraction is cut off."""
        whole = int(value)
        self.pending[whole if whole < SMALL else binOf(whole)] += 1

    def merge(self) -> None:
        """End the interval: what was recorded since the last call becomes visible."""
        pending = self.pending
        if not pending:
            if self.interval.count:
                self.interval = Statistics({})
            return
        self.pending = defaultdict(int)
        bins = dict(self.total.bins)
        new: defaultdict[float, int] = defaultdict(int)
        for value, count in pending.items():
            left = binOf(int(value)) if value < SMALL else value
            new[left] += count
            bins[left] = bins.get(left, 0) + count
        self.interval = Statistics(new)
        self.total = Statistics(bins)
