"""The network RBAC filter's factory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.network.rbac import factories
from twisted_envoy.interfaces.network import INetworkFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_obeysEveryField(self) -> None:
        """And there is a dot behind the prefix, however it was written."""
        (factory,) = factories
        self.assertTrue(INetworkFilterFactory.providedBy(factory))
        self.assertFalse(factory.terminal)
        for prefix in ("p", "p."):
            fields: dict[str, Any] = {
                "stat_prefix": prefix,
                "rules": {},
                "shadow_rules": {},
                "shadow_rules_stat_prefix": "s",
                "enforcement_type": "CONTINUOUS",
                "delay_deny": "1s",
            }
            config = configOf(factory.typeURL, fields)
            context = Context()
            factory.build(config, context)
            self.assertEqual(unreadFields(config), [])
            self.assertEqual(
                sorted(context.stats.counters),
                [
                    "p.rbac.allowed",
                    "p.rbac.denied",
                    "p.rbac.s.shadow_allowed",
                    "p.rbac.s.shadow_denied",
                ],
            )

    def test_headers(self) -> None:
        """There are none to look at."""
        (factory,) = factories
        policy = {"permissions": [{"header": {"name": "a"}}], "principals": [{"any": True}]}
        fields = {"stat_prefix": "p", "rules": {"policies": {"p": policy}}}
        self.assertRaises(ConfigError, factory.build, configOf(factory.typeURL, fields), Context())
