"""Shares by hash, under the runtime."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.matching.input_matchers.runtime_fraction import factories
from twisted_envoy.network.xxhash import xxHash64


class RuntimeFractionTests(SynchronousTestCase):
    def test_share(self) -> None:
        """The same text always has the same answer."""
        (factory,) = factories
        fraction = {"default_value": {"numerator": 30}, "runtime_key": "k"}
        config = configOf(factory.typeURL, {"runtime_fraction": fraction})
        context = Context()
        matches = factory.build(config, context)
        self.assertEqual(unreadFields(config), [])
        texts = [str(number) for number in range(100)]
        found = [matches(text) for text in texts]
        self.assertEqual(found, [xxHash64(text.encode()) % 100 < 30 for text in texts])
        self.assertFalse(matches(None))

        context.runtime.values["k"] = 100

        self.assertTrue(all(map(matches, texts)))

    def test_seed(self) -> None:
        """Makes another share."""
        (factory,) = factories
        fraction = {"default_value": {"numerator": 30}}
        config = configOf(factory.typeURL, {"runtime_fraction": fraction, "seed": 7})
        matches = factory.build(config, Context())
        self.assertEqual(unreadFields(config), [])
        texts = [str(number) for number in range(100)]
        expected = [xxHash64(text.encode(), 7) % 100 < 30 for text in texts]
        self.assertEqual([matches(text) for text in texts], expected)
