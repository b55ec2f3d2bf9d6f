"""
Scopes: metrics by name under a prefix, and the Store at the root that owns them all.

Follows Envoy's `Stats::Scope`: the same full name always gives the same object, so two filters with
one stat_prefix add up in one counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import ComputedGauge, Counter, Gauge, TextReadout


def sanitizeName(name: str) -> str:
    """A name as Envoy stores it: `://`, `:/`, `:` and NUL become `_`."""
    if ":" not in name and "\0" not in name:
        return name
    return name.replace("://", "_").replace(":/", "_").replace(":", "_").replace("\0", "_")


class Scope:
    """
    A prefix of names; made by `Store.scope` or another scope's.

    Args:
        store: where the metrics are kept.
        prefix: "" or a prefix that ends with a dot.
    """

    __slots__ = ("prefix", "store")

    def __init__(self, store: Store, prefix: str) -> None:
        self.store = store
        self.prefix = prefix

    def counter(self, name: str) -> Counter:
        """The counter of that name, made when there is none."""
        fullName = sanitizeName(self.prefix + name)
        found = self.store.counters.get(fullName)
        if found is None:
            found = self.store.counters[fullName] = Counter(fullName)
        return found

    def gauge(self, name: str) -> Gauge:
        """
        The gauge of that name, made when there is none.

        Raises:
            ValueError: a computed gauge has that name.
        """
        fullName = sanitizeName(self.prefix + name)
        found = self.store.gauges.get(fullName)
        if found is None:
            found = self.store.gauges[fullName] = Gauge(fullName)
        if not isinstance(found, Gauge):
            raise ValueError(f"{found.name} is a computed gauge")
        return found

    def computedGauge(self, name: str, function: Callable[[], int]) -> ComputedGauge:
        """
        A gauge that is computed when read; a second function of one name adds to the first.

        Args:
            function: gives this part's value now; `ComputedGauge.drop` takes it out again.
        Raises:
            ValueError: a written gauge has that name.
        """
        fullName = sanitizeName(self.prefix + name)
        found = self.store.gauges.get(fullName)
        if found is None:
            found = self.store.gauges[fullName] = ComputedGauge(fullName)
        if not isinstance(found, ComputedGauge):
            raise ValueError(f"{found.name} is a written gauge")
        found.functions.append(function)
        return found

    def histogram(self, name: str, unit: str = "") -> Histogram:
        """The histogram of that name, made when there is none; the first unit stays."""
        fullName = sanitizeName(self.prefix + name)
        found = self.store.histograms.get(fullName)
        if found is None:
            found = self.store.histograms[fullName] = Histogram(fullName, unit)
        return found

    def textReadout(self, name: str) -> TextReadout:
        """The text readout of that name, made when there is none."""
        fullName = sanitizeName(self.prefix + name)
        found = self.store.textReadouts.get(fullName)
        if found is None:
            found = self.store.textReadouts[fullName] = TextReadout(fullName)
        return found

    def scope(self, prefix: str) -> Scope:
        """A scope below this one; a missing dot at the end of the prefix is added."""
        if prefix and not prefix.endswith("."):
            prefix += "."
        return Scope(self.store, self.prefix + prefix)


class Store(Scope):
    """The root scope, which owns all metrics; dicts are by full name, in order of creation."""

    __slots__ = ("counters", "gauges", "histograms", "textReadouts")

    def __init__(self) -> None:
        super().__init__(self, "")
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge | ComputedGauge] = {}
        self.histograms: dict[str, Histogram] = {}
        self.textReadouts: dict[str, TextReadout] = {}

    def merge(self) -> None:
        """End the histograms' interval; called every stats flush interval."""
        for histogram in self.histograms.values():
            histogram.merge()

    def resetCounters(self) -> None:
        """All counters to 0, as `/reset_counters`; gauges and histograms keep their values."""
        for counter in self.counters.values():
            counter.reset()

    def numbers(self) -> Iterator[Counter | Gauge | ComputedGauge]:
        """All counters, then all gauges."""
        yield from self.counters.values()
        yield from self.gauges.values()

    def value(self, name: str) -> int:
        """
        The value of the counter or gauge of that full name (for tests and benches).

        Raises:
            KeyError: there is none.
        """
        found = self.counters.get(name) or self.gauges[name]
        return found.value
