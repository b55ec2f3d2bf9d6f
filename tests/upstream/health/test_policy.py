"""What a cluster makes of the health of its hosts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.upstream.health.policy import HealthPolicy


class PolicyTests(SynchronousTestCase):
    def test_threshold(self) -> None:
        """50 %, or what the config says, or what the runtime does."""
        self.assertEqual(HealthPolicy().threshold(), 50)
        self.assertEqual(HealthPolicy(panicThreshold=20).threshold(), 20)
        self.assertEqual(HealthPolicy(override=lambda: 0).threshold(), 0)
        self.assertEqual(HealthPolicy(override=lambda: 300).threshold(), 100)
