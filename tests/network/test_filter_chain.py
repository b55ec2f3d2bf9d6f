"""A configured filter chain."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.filter_chain import FilterChain


class FilterChainTests(SynchronousTestCase):
    """What a connection that matches gets."""

    def test_frozen(self):
        """It is made once, and shared by all connections: nothing in it changes."""
        chain = FilterChain("name", None, (object,))
        self.assertEqual((chain.name, chain.match, chain.makers), ("name", None, (object,)))
        with self.assertRaises(FrozenInstanceError):
            chain.name = "other"
