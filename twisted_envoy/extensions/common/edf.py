"""
Earliest deadline first: picks items in proportion to their weights, spread evenly.

Each item is due again 1/weight after it was due last; the one due first is picked, and of two due
at once the one that waits longer. Observed on Envoy 1.40: the sequence repeats exactly, and begins
anywhere in it. With a hundred hosts a pick is a few steps in a heap.

Envoy: Upstream::EdfScheduler
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heapreplace
from typing import Generic, TypeVar

T = TypeVar("T")


class _Entry(Generic[T]):
    """An item; due at `since + count / weight`, so that no error adds up while weight stays."""

    __slots__ = ("count", "item", "since", "weight")

    def __init__(self, item: T, weight: float, count: int) -> None:
        self.item = item
        self.weight = weight
        self.count = count
        self.since = 0.0


class EDFScheduler(Generic[T]):
    """
    A fixed set of items.

    Args:
        items: at least one.
        weightOf: asked when an item is put in and each time it is picked; must be more than 0.
        start: how many picks to be ahead of the beginning, modulo the sum of the weights.
    """

    __slots__ = ("_heap", "_turn", "_weightOf")

    def __init__(self, items: Sequence[T], weightOf: Callable[[T], float], start: int = 0) -> None:
        self._weightOf = weightOf
        weights = [weightOf(item) for item in items]
        total = sum(weights)
        ahead = start % max(int(total), 1)
        entries = []
        for item, weight in zip(items, weights, strict=True):
            picked = int(ahead * weight / total)
            entries.append((picked / weight, _Entry(item, weight, picked + 1)))
        entries.sort(key=lambda pair: pair[0])
        self._heap = [
            (entry.count / entry.weight, turn, entry) for turn, (_, entry) in enumerate(entries)
        ]
        self._turn = len(entries)
        heapify(self._heap)
        for _ in range(ahead - sum(entry.count - 1 for _, entry in entries)):
            self.pick()

    def pick(self) -> T:
        """The item that is due; it is due again later."""
        heap = self._heap
        due, _, entry = heap[0]
        weight = self._weightOf(entry.item)
        if weight == entry.weight:
            entry.count += 1
        else:
            entry.since, entry.count, entry.weight = due, 1, weight
        heapreplace(heap, (entry.since + entry.count / weight, self._turn, entry))
        self._turn += 1
        return entry.item
