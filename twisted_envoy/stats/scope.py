"""
Scopes: metrics by name under a prefix, and the Store at the root that owns them all.

Follows Envoy's `Stats::Scope`: the same full name always gives the same object, so two filters with
one stat_prefix add up in one counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted_envoy.stats.histogram import DEFAULT_BUCKETS, Histogram
from twisted_envoy.stats.metrics import ComputedGauge, Counter, Gauge, TextReadout
from twisted_envoy.stats.tags import TagRules


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
            found = Counter(fullName)
            if not self.store.rejects(fullName):
                self.store.counters[fullName] = found
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
            found = Gauge(fullName)
            if not self.store.rejects(fullName):
                self.store.gauges[fullName] = found
        if not isinstance(found, Gauge):
            raise ValueError(f"{found.name} is a computed gauge")
        return found

    def computedGauge(
        self, name: str, function: Callable[[], int], isUsed: Callable[[], bool] | None = None
    ) -> ComputedGauge:
        """
        A gauge that is computed when read; a second function of one name adds to the first.

        Args:
            function: gives this part's value now; `ComputedGauge.drop` takes it out again.
            isUsed: whether Envoy would have written it by now, be it 0; None: from the start.
        Raises:
            ValueError: a written gauge has that name.
        """
        fullName = sanitizeName(self.prefix + name)
        found = self.store.gauges.get(fullName)
        if found is None:
            found = ComputedGauge(fullName)
            if not self.store.rejects(fullName):
                self.store.gauges[fullName] = found
        if not isinstance(found, ComputedGauge):
            raise ValueError(f"{found.name} is a written gauge")
        found.functions.append(function)
        if isUsed is not None:
            found.uses.append(isUsed)
        return found

    def histogram(self, name: str, unit: str = "") -> Histogram:
        """The histogram of that name, made when there is none; the first unit stays."""
        fullName = sanitizeName(self.prefix + name)
        found = self.store.histograms.get(fullName)
        if found is None:
            found = Histogram(fullName, unit, self.store.bucketsOf(fullName))
            if not self.store.rejects(fullName):
                self.store.histograms[fullName] = found
        return found

    def textReadout(self, name: str) -> TextReadout:
        """The text readout of that name, made when there is none."""
        fullName = sanitizeName(self.prefix + name)
        found = self.store.textReadouts.get(fullName)
        if found is None:
            found = TextReadout(fullName)
            if not self.store.rejects(fullName):
                self.store.textReadouts[fullName] = found
        return found

    def scope(self, prefix: str) -> Scope:
        """A scope below this one; a missing dot at the end of the prefix is added."""
        if prefix and not prefix.endswith("."):
            prefix += "."
        return Scope(self.store, self.prefix + prefix)


def _nothing(name: str) -> bool:
    return False


def _usual(name: str) -> tuple[float, ...]:
    return DEFAULT_BUCKETS


class Store(Scope):
    """
    The root scope, which owns all metrics; dicts are by full name, in order of creation.

    Args:
        tags: what of names are tags; None for Envoy's own rules.
        rejects: says of a full name that its metric, though it counts, is nowhere to be seen.
        bucketsOf: the buckets of a histogram of that full name.
    """

    __slots__ = ("bucketsOf", "counters", "gauges", "histograms", "rejects", "tags", "textReadouts")

    def __init__(
        self,
        tags: TagRules | None = None,
        rejects: Callable[[str], bool] = _nothing,
        bucketsOf: Callable[[str], tuple[float, ...]] = _usual,
    ) -> None:
        super().__init__(self, "")
        self.tags = TagRules() if tags is None else tags
        self.rejects = rejects
        self.bucketsOf = bucketsOf
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
