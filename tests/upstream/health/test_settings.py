"""How long to wait for the next check."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import settings
from twisted_envoy.upstream.health.settings import Failure, Transition

STILL, PENDING, CHANGED = Transition.UNCHANGED, Transition.PENDING, Transition.CHANGED


class DelayTests(SynchronousTestCase):
    """By the last result, what it did, and traffic."""

    def setUp(self) -> None:
        self.settings = settings(
            interval=1,
            noTrafficInterval=60,
            noTrafficHealthyInterval=70,
            unhealthyInterval=2,
            unhealthyEdgeInterval=3,
            healthyEdgeInterval=4,
        )

    def test_intervals(self) -> None:
        """Each has its own."""
        for healthy, transition, traffic, delay in (
            (True, STILL, True, 1),
            (True, CHANGED, True, 1),
            (True, PENDING, True, 4),
            (False, STILL, True, 2),
            (False, CHANGED, True, 2),
            (False, PENDING, True, 3),
            (True, STILL, False, 70),
            (True, PENDING, False, 60),
            (False, STILL, False, 60),
        ):
            found = self.settings.delay(healthy, transition, traffic, Random(0))
            self.assertEqual(found, delay, (healthy, transition, traffic))

    def test_jitter(self) -> None:
        """Some more, absolute or in percent."""
        for fields in ({"intervalJitter": 0.5}, {"intervalJitterPercent": 50}):
            random = Random(0)
            found = [settings(**fields).delay(True, STILL, True, random) for _ in range(200)]
            self.assertTrue(1 <= min(found) < 1.05 and 1.45 < max(found) <= 1.5)

    def test_bounds(self) -> None:
        """The runtime may bound it; it is never 0."""
        for fields, delay in (
            ({"interval": 0}, 0.001),
            ({"least": lambda: 5000}, 5),
            ({"most": lambda: 100}, 0.1),
            ({"least": lambda: 5000, "most": lambda: 100}, 5),
        ):
            self.assertEqual(settings(**fields).delay(True, STILL, True, Random(0)), delay)

    def test_network(self) -> None:
        """Failures of the network are not what a host says."""
        found = {one.name for one in Failure if one.isNetwork}
        self.assertEqual(found, {"NETWORK", "NETWORK_TIMEOUT"})
