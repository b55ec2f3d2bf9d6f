"""
How the load of a retry is spread: not on priorities that were tried, as long as there are others.

Envoy: source/extensions/retry/priority/previous_priorities
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.upstream import IRetryPriority, PriorityLoads


@implementer(IRetryPriority)
class PreviousPriorities:
    """
    One request's.

    Args:
        frequency: after so many attempts priorities are left out, and again after as many.
        tried: the hosts of the attempts so far; grows.
    """

    __slots__ = ("_excluded", "_frequency", "_from", "_loads", "_tried")

    def __init__(self, frequency: int, tried: list[Any]) -> None:
        self._frequency = frequency
        self._tried = tried
        self._from = 0
        self._excluded: set[int] = set()
        self._loads: PriorityLoads | None = None

    def loads(self, health: Sequence[tuple[int, int]], usual: PriorityLoads) -> PriorityLoads:
        tried = self._tried[self._from :]
        if len(tried) < self._frequency:
            return usual
        if len(tried) % self._frequency == 0:
            self._excluded.update(host.priority for host in tried)
            self._loads = self._adjusted(health)
        return usual if self._loads is None else self._loads

    def _adjusted(self, health: Sequence[tuple[int, int]]) -> PriorityLoads | None:
        left = self._left(health)
        if not any(map(sum, left)):
            self._excluded.clear()  # all were tried: begin anew
            self._from = len(self._tried)
            left = self._left(health)
        total = min(100, sum(map(sum, left)))
        if not total:
            return None
        healthy, degraded = [0] * len(left), [0] * len(left)
        load = 100
        while load:
            for kind, shares in enumerate((healthy, degraded)):
                for priority, available in enumerate(left):
                    share = min(load, available[kind] * 100 // total)
                    shares[priority] += share
                    load -= share
        return healthy, degraded

    def _left(self, health: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        return [
            (0, 0) if priority in self._excluded else one for priority, one in enumerate(health)
        ]
