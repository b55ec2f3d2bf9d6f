"""The RBAC filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.filters.http.rbac import factories
from twisted_envoy.extensions.filters.http.rbac.filter import Policies
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_stats(self) -> None:
        """Under the connection manager's, with the prefixes."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        self.assertFalse(factory.terminal)
        fields = {
            "rules": {},
            "shadow_rules": {},
            "rules_stat_prefix": "r",
            "shadow_rules_stat_prefix": "s",
            "track_per_rule_stats": True,
        }
        config = configOf(factory.typeURL, fields)
        context = Context()
        context.scope = context.stats.scope("http.web.")
        factory.build(config, context)
        self.assertEqual(unreadFields(config), [])
        self.assertEqual(
            sorted(context.stats.counters),
            [
                "http.web.rbac.r.allowed",
                "http.web.rbac.r.denied",
                "http.web.rbac.s.shadow_allowed",
                "http.web.rbac.s.shadow_denied",
            ],
        )

    def test_routes(self) -> None:
        """Without `rbac` nothing decides; stats are the filter's."""
        (factory,) = factories
        context = Context()
        empty = factory.buildRoute(configOf(factory.routeTypeURL), context)
        self.assertEqual(empty, Policies())
        rbac = {"rules": {}, "rules_stat_prefix": "r", "track_per_rule_stats": True}
        config = configOf(factory.routeTypeURL, {"rbac": rbac})
        own = factory.buildRoute(config, context)
        self.assertEqual(unreadFields(config), [])
        self.assertEqual((own.prefix, own.shadowPrefix, own.perPolicy), ("r", "", True))
        self.assertIsNone(own.shadowEngine)
        self.assertEqual(context.stats.counters, {})
