"""
Collects garbage while memory is short.

Envoy: `envoy.overload_actions.shrink_heap`
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_envoy.stats.metrics import Counter

INTERVAL = 10.0


class HeapShrinker:
    """
    Args:
        interval: seconds between two collections, while they are wanted.
        count: of them.
        collect: does it.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        count: Counter,
        interval: float = INTERVAL,
        collect: Callable[[], object] = gc.collect,
    ) -> None:
        self._reactor = reactor
        self._count = count
        self._interval = interval
        self._collect = collect
        self._timer: IDelayedCall | None = None

    def wanted(self, value: float) -> None:
        """As OverloadActions tells it: in part is not at all."""
        if value < 1:
            self.stop()
        elif self._timer is None:
            self._timer = self._reactor.callLater(self._interval, self._shrink)

    def stop(self) -> None:
        """No more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _shrink(self) -> None:
        self._timer = self._reactor.callLater(self._interval, self._shrink)
        self._count.value += 1
        self._collect()
