"""Shares by hash."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.matching.input_matchers.consistent_hashing import factories
from twisted_envoy.network.xxhash import xxHash64


class ConsistentHashingTests(SynchronousTestCase):
    def test_threshold(self) -> None:
        """What is at least the threshold."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"threshold": 3, "modulo": 10})
        matches = factory.build(config, None)
        self.assertEqual(unreadFields(config), [])
        texts = [str(number) for number in range(50)]
        found = [matches(text) for text in texts]
        self.assertEqual(found, [xxHash64(text.encode()) % 10 >= 3 for text in texts])
        self.assertEqual(set(found), {True, False})
        self.assertFalse(matches(None))

    def test_seed(self) -> None:
        """Makes another hash."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"threshold": 3, "modulo": 10, "seed": 7})
        matches = factory.build(config, None)
        self.assertEqual(unreadFields(config), [])
        texts = [str(number) for number in range(50)]
        expected = [xxHash64(text.encode(), 7) % 10 >= 3 for text in texts]
        self.assertEqual([matches(text) for text in texts], expected)
