"""The counters of RBAC filters; their names are real Envoy's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.rbac.engine import Verdict
from twisted_envoy.extensions.common.rbac.stats import RBACStats
from twisted_envoy.stats.scope import Store


class StatsTests(SynchronousTestCase):
    def count(self, prefix: str = "", shadowPrefix: str = "", perPolicy: bool = True) -> Store:
        """Count each verdict once, and one without a policy."""
        store = Store()
        stats = RBACStats(store.scope("x.rbac."), prefix, shadowPrefix)
        self.assertEqual(len(store.counters), 4)
        for verdict in (Verdict(True, "a b"), Verdict(False, "c"), Verdict(False, "")):
            stats.decided(verdict, perPolicy)
            stats.tried(verdict, perPolicy)
        return store

    def values(self, store: Store) -> dict[str, int]:
        return {name: counter.value for name, counter in store.counters.items()}

    def test_names(self) -> None:
        """All are there from the beginning, those of policies when they count."""
        self.assertEqual(
            self.values(self.count()),
            {
                "x.rbac.allowed": 1,
                "x.rbac.denied": 2,
                "x.rbac.shadow_allowed": 1,
                "x.rbac.shadow_denied": 2,
                "x.rbac.policy.a b.allowed": 1,
                "x.rbac.policy.c.denied": 1,
                "x.rbac.policy.a b.shadow_allowed": 1,
                "x.rbac.policy.c.shadow_denied": 1,
            },
        )

    def test_prefixes(self) -> None:
        """Each kind has its own, and a dot behind it."""
        self.assertEqual(
            sorted(self.values(self.count("r_", "s."))),
            [
                "x.rbac.r_.allowed",
                "x.rbac.r_.denied",
                "x.rbac.r_.policy.a b.allowed",
                "x.rbac.r_.policy.c.denied",
                "x.rbac.s.policy.a b.shadow_allowed",
                "x.rbac.s.policy.c.shadow_denied",
                "x.rbac.s.shadow_allowed",
                "x.rbac.s.shadow_denied",
            ],
        )

    def test_withoutPolicies(self) -> None:
        """Only the sums."""
        self.assertEqual(len(self.count(perPolicy=False).counters), 4)
