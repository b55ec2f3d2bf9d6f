"""The cors filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from tests.http.routes.test_cors import EVERYTHING
from twisted_envoy.extensions.filters.http.cors import factories
from twisted_envoy.extensions.filters.http.cors.filter import Cors
from twisted_envoy.http.routes.cors import CorsPolicy
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_build(self) -> None:
        """The filter itself has no fields."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        made = factory.build(configOf(factory.typeURL), Context())()
        self.assertIsInstance(made, Cors)
        self.assertEqual(made.defines, {"decodeHeaders", "encodeHeaders"})

    def test_route(self) -> None:
        """Every field is read."""
        (factory,) = factories
        config = configOf(factory.routeTypeURL, EVERYTHING)
        self.assertIsInstance(factory.buildRoute(config, Context()), CorsPolicy)
        self.assertEqual(unreadFields(config), [])
