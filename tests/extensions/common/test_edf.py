"""The earliest deadline first scheduler."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.edf import EDFScheduler


def sequence(weights, picks, start=0):
    """What is picked of a, b, c, ... with these weights."""
    items = dict(zip("abcdefgh", weights, strict=False))
    scheduler = EDFScheduler(tuple(items), items.__getitem__, start)
    return "".join(scheduler.pick() for _ in range(picks))


class SequenceTests(SynchronousTestCase):
    def test_asObservedOnEnvoy(self):
        """260 picks of real Envoy 1.40 each; only where they begin is random there."""
        self.assertIn("aabcaaac" * 32, sequence((5, 1, 2), 270))
        self.assertIn("babbabbcabb" * 23, sequence((3, 7, 1), 270))
        self.assertIn("bcaaabcaaaabcaaa" * 16, sequence((10, 3, 3), 290))

    def test_equalWeightsTakeTurns(self):
        """In order."""
        self.assertEqual(sequence((1, 1, 1), 6), "abcabc")
        self.assertEqual(sequence((7, 7, 7), 6), "abcabc")

    @given(st.lists(st.integers(1, 60), min_size=1, max_size=8))
    def test_everyPeriodIsExact(self, weights):
        """In as many picks as the weights sum up to, each has its share, again and again."""
        total = sum(weights)
        picked = sequence(weights, total * 3)

        for start in range(0, total * 3, total):
            shares = Counter(picked[start : start + total])
            self.assertEqual([shares[letter] for letter in "abcdefgh"[: len(weights)]], weights)
        self.assertEqual(picked[total : 2 * total], picked[2 * total :])

    @given(st.lists(st.integers(1, 60), min_size=1, max_size=2), st.integers(0, 10**9))
    def test_startIsSomewhereInTheSequence(self, weights, start):
        """As if so many picks had been made."""
        total = sum(weights)
        ahead = start % total
        whole = sequence(weights, ahead + 50)
        self.assertEqual(sequence(weights, 50, start), whole[ahead:])

    @given(st.lists(st.integers(1, 2**32), min_size=1, max_size=8), st.integers(0, 2**32))
    def test_startIsFast(self, weights, start):
        """Also with weights that are huge."""
        picked = sequence(weights, 3, start)
        self.assertEqual(len(picked), 3)

    def test_weightsMayChange(self):
        """A new weight counts from the next time that the item is put back."""
        weights = {"a": 1.0, "b": 1.0}
        scheduler = EDFScheduler(("a", "b"), weights.__getitem__)
        self.assertEqual([scheduler.pick() for _ in range(4)], ["a", "b", "a", "b"])

        weights["a"] = 3.0

        picked = Counter(scheduler.pick() for _ in range(40))
        self.assertLess(abs(picked["a"] - 30), 1)
