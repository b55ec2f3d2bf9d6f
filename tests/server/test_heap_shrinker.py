"""Garbage is collected while that is wanted."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.heap_shrinker import HeapShrinker
from twisted_envoy.stats.metrics import Counter


class HeapShrinkerTests(SynchronousTestCase):
    """On a Clock."""

    def test_wanted(self) -> None:
        """Every so often, until it is not wanted."""
        clock, count, done = Clock(), Counter("c"), []
        shrinker = HeapShrinker(clock, count, 5.0, lambda: done.append(clock.seconds()))
        shrinker.wanted(0.9)
        self.assertEqual(clock.getDelayedCalls(), [])
        shrinker.wanted(1.0)
        shrinker.wanted(1.0)
        clock.pump([5, 5])
        self.assertEqual((done, count.value), ([5.0, 10.0], 2))
        shrinker.wanted(0.0)
        self.assertEqual(clock.getDelayedCalls(), [])
