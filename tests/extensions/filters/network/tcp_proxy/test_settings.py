"""Which cluster a connection goes to."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings, Target


class Counting:
    """Gives every number below a limit in turn."""

    def __init__(self):
        self.next = -1

    def randrange(self, limit):
        self.next = (self.next + 1) % limit
        return self.next


class PickTests(SynchronousTestCase):
    """Weighted clusters."""

    def made(self, *weights):
        targets = tuple(Target(str(n), weight, None) for n, weight in enumerate(weights))
        none = None
        return Settings(targets, sum(weights), none, none, Counting(), none, none, none, none)

    @given(st.lists(st.integers(1, 20), min_size=2, max_size=5))
    @settings(deadline=None)
    def test_shares(self, weights):
        """Over all numbers each target gets exactly its weight."""
        made = self.made(*weights)
        picked = Counter(made.pick().cluster for _ in range(sum(weights)))
        self.assertEqual(picked, {str(n): weight for n, weight in enumerate(weights)})

    def test_single(self):
        """One target needs no number."""
        made = self.made(5)
        self.assertEqual(made.pick().cluster, "0")
        self.assertEqual(made.random.next, -1)
