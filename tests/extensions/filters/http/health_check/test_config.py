"""The health_check filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context as BareContext
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.health_check import factories
from twisted_envoy.extensions.filters.http.health_check.filter import HealthCheck
from twisted_envoy.interfaces.extensions import Node
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class Context(BareContext):
    """With what this filter asks for."""

    node = Node(cluster="ncl")
    clusters: dict[str, object] = {}
    drain = None


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """And obeyed by the filter."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        config = configOf(
            factory.typeURL,
            {
                "pass_through_mode": True,
                "cache_time": "1s",
                "headers": [{"name": "a"}],
                "cluster_min_healthy_percentages": {"c": {"value": 12.5}},
            },
        )
        self.assertIsInstance(factory.build(config, Context())(), HealthCheck)
        self.assertEqual(unreadFields(config), [])

    def test_errors(self) -> None:
        """A cache needs an upstream's answers; routes have nothing to say."""
        (factory,) = factories
        fields = {"pass_through_mode": False, "cache_time": "1s"}
        config = configOf(factory.typeURL, fields)
        error = self.assertRaises(ConfigError, factory.build, config, Context())
        self.assertEqual(
            error.problem, "cache_time_ms must not be set when path_through_mode is disabled"
        )
        self.assertRaises(ConfigError, factory.buildRoute, config, Context())
        self.assertEqual(factory.routeTypeURL, "")
