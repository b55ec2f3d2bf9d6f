"""Tests for twisted_envoy.extensions.internal_redirect.safe_cross_scheme.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.internal_redirect.safe_cross_scheme import factories


class FactoryTests(SynchronousTestCase):
    def test_predicate(self) -> None:
        """Only from http to https is refused."""
        (factory,) = factories
        accepts = factory.build(configOf(factory.typeURL), Context())
        found = [accepts(None, "", "", *pair) for pair in ((0, 0), (0, 1), (1, 0), (1, 1))]
        self.assertEqual(found, [True, False, True, True])
