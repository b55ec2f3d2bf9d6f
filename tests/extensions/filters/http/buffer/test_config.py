"""The buffer filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.buffer import factories
from twisted_envoy.extensions.filters.http.buffer.filter import Buffer
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_build(self) -> None:
        """Everything is read."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        config = configOf(factory.typeURL, {"max_request_bytes": 5})
        self.assertIsInstance(factory.build(config, Context())(), Buffer)
        self.assertEqual(unreadFields(config), [])

    def test_routes(self) -> None:
        """Switched off, or another limit."""
        (factory,) = factories
        for fields, size in (({"disabled": True}, 0), ({"buffer": {"max_request_bytes": 7}}, 7)):
            config = configOf(factory.routeTypeURL, fields)
            self.assertEqual(factory.buildRoute(config, Context()), size)
            self.assertEqual(unreadFields(config), [])

    def test_noLimit(self) -> None:
        """There has to be one."""
        self.assertRaises(ConfigError, configOf, factories[0].typeURL, {})
