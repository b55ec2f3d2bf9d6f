"""Tests for twisted_envoy.extensions.internal_redirect.allow_listed_routes.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.internal_redirect.allow_listed_routes import factories


class FactoryTests(SynchronousTestCase):
    def test_predicate(self) -> None:
        """allowed_route_names are where redirects may go."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"allowed_route_names": ["a"]})
        accepts = factory.build(config, Context())
        self.assertTrue(accepts(None, "x", "a", False, False))
        self.assertFalse(accepts(None, "a", "x", False, False))
