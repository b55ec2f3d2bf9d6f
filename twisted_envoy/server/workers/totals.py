"""
The stats of all workers as those of one server.

What building alone writes (members of a cluster, certificates) is in the first process's own store,
which serves nothing; so a total is that value and what each worker has put on top of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted_envoy.stats.histogram import Histogram, Statistics
from twisted_envoy.stats.metrics import Counter, Gauge, TextReadout
from twisted_envoy.stats.scope import Store

_OWN = ("server.", "listener_manager.", "cluster_manager.", "runtime.", "http.admin.")
_ADMIN = "listener.admin."
_LISTENER = "listener."
_WORKER = ".worker_0."
_EACH = frozenset({"listener_manager.listener_create_success"})
"""Envoy counts these once for each worker."""
_ADDED = re.compile(r"server\.(?:total_connections|memory_\w+)")
"""The first process's, and those of all workers."""
_MOST = re.compile(
    r"cluster\..*\.(?:membership_\w+|max_host_weight|version|update_\w+|assignment_\w+"
    r"|warming_state|circuit_breakers\..*_open|health_check\.(?:healthy|degraded)"
    r"|outlier_detection\.ejections_active|\w+_by_sds)"
    r"|overload\..*|tls_.*_by_sds|.*\.(?:key_rotation_failed|update_time)"
)
"""What all workers find out by themselves, and mean the same by."""
_SUBSETS = re.compile(r"cluster\..*\.lb_subsets_(?:active|created|removed)")
"""Counted by Envoy for its main thread and each worker, by one of ours for two."""

Stats = Mapping[str, Any]


class Totals:
    """
    Adds up.

    Args:
        own: the store of the first process.
        count: of workers.
    """

    def __init__(self, own: Store, count: int) -> None:
        self._own = own
        self._count = count
        self._latest: dict[int, Stats] = {}
        self._ended: dict[str, int] = {}
        self._endedBins: dict[str, tuple[str, dict[float, int]]] = {}

    def take(self, index: int, stats: Stats) -> None:
        """What a worker says now."""
        self._latest[index] = stats

    def ended(self, index: int) -> None:
        """A worker has gone: what it has counted stays, what it had open is no more."""
        stats = self._latest.pop(index, None)
        if stats is None:
            return
        for name, value in stats["counters"].items():
            name = self._named(name, index)
            if not _MOST.fullmatch(name):
                grown = value - self._ownCount(name)
                self._ended[name] = self._ended.get(name, 0) + max(0, grown)
        for name, (unit, _, total) in stats["histograms"].items():
            _, bins = self._endedBins.setdefault(name, (unit, {}))
            _add(bins, total)

    def resetCounters(self) -> None:
        """As `/reset_counters`; the workers reset theirs."""
        self._own.resetCounters()
        self._ended.clear()
        for stats in self._latest.values():
            for name in stats["counters"]:
                stats["counters"][name] = 0

    def store(self) -> Store:
        """All stats; the first process's own are there themselves, the others are copies."""
        own = self._own
        store = Store(own.tags, bucketsOf=own.bucketsOf)
        self._counters(store)
        self._gauges(store)
        self._histograms(store)
        store.textReadouts.update(own.textReadouts)
        for stats in self._latest.values():
            for name, text in stats["texts"].items():
                readout = store.textReadouts[name] = TextReadout(name)
                readout.value = text
        return store

    def _ownCount(self, name: str) -> int:
        found = self._own.counters.get(name)
        return 0 if found is None else found.value

    def _named(self, name: str, index: int) -> str:
        """A worker's own stats bear its number."""
        if index and name.startswith(_LISTENER) and _WORKER in name:
            return name.replace(_WORKER, f".worker_{index}.")
        return name

    def _names(self, own: Iterable[str], of: str) -> dict[str, list[int]]:
        """Every name, in the order of the own ones, with what the workers say."""
        said: dict[str, list[int]] = {}
        for name in own:
            said[name] = []
            if name.startswith(_LISTENER) and _WORKER in name:
                said.update({self._named(name, at): [] for at in range(1, self._count)})
        for index, stats in sorted(self._latest.items()):
            for name, value in stats[of].items():
                said.setdefault(self._named(name, index), []).append(value)
        return said

    def _counters(self, store: Store) -> None:
        own = self._own.counters
        names = self._names(own, "counters")
        for name in self._ended:
            names.setdefault(name, [])
        for name, said in names.items():
            if _isOwn(name) and name not in _EACH:
                if name in own:
                    store.counters[name] = own[name]
                continue
            counter = store.counters[name] = Counter(name)
            found = own.get(name)
            if name in _EACH and found is not None:
                counter.value = found.value * self._count
            elif said or name in self._ended:
                total = self._total(name, 0 if found is None else found.value, said)
                counter.value = total + self._ended.get(name, 0)
            elif found is not None:
                counter.value = found.value

    def _gauges(self, store: Store) -> None:
        own = self._own.gauges
        for name, said in self._names(own, "gauges").items():
            found = own.get(name)
            if _isOwn(name) and not _ADDED.fullmatch(name):
                if found is not None:
                    store.gauges[name] = found
                continue
            gauge = store.gauges[name] = Gauge(name)
            base = 0 if found is None else found.value
            if _ADDED.fullmatch(name):
                gauge.value = base + sum(said)
            elif said:
                gauge.value = self._total(name, base, said)
            elif found is not None:
                gauge.value = found.value

    def _total(self, name: str, base: int, said: list[int]) -> int:
        if _MOST.fullmatch(name):
            return max(said, default=base)
        if _SUBSETS.fullmatch(name):
            return max(said, default=base) // 2 * (self._count + 1)
        return base + sum(value - base for value in said)

    def _histograms(self, store: Store) -> None:
        for name, found in self._own.histograms.items():
            own = _isOwn(name)
            store.histograms[name] = found if own else _copy(name, found.unit, store.bucketsOf)
        bins: dict[str, tuple[str, dict[float, int], dict[float, int]]] = {}
        for name, (unit, total) in self._endedBins.items():
            bins[name] = (unit, {}, dict(total))
        for stats in self._latest.values():
            for name, (unit, interval, total) in stats["histograms"].items():
                of = bins.setdefault(name, (unit, {}, {}))
                _add(of[1], interval)
                _add(of[2], total)
        for name, (unit, intervals, totals) in bins.items():
            if not _isOwn(name):
                histogram = store.histograms[name] = _copy(name, unit, store.bucketsOf)
                histogram.interval = Statistics(intervals)
                histogram.total = Statistics(totals)


def _isOwn(name: str) -> bool:
    """Is it the first process that knows?"""
    return name.startswith(_OWN) or name.startswith(_ADMIN)


def _copy(name: str, unit: str, bucketsOf: Callable[[str], tuple[float, ...]]) -> Histogram:
    return Histogram(name, unit, bucketsOf(name))


def _add(bins: dict[float, int], more: Iterable[Iterable[Any]]) -> None:
    for left, count in more:
        bins[left] = bins.get(left, 0) + count
