"""How the load of retries is spread."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.extensions.retry.priority.previous_priorities.loads import PreviousPriorities
from twisted_envoy.interfaces.upstream import IRetryPriority

USUAL = ([100, 0, 0], [0, 0, 0])
WELL = [(100, 0), (100, 0), (100, 0)]


class LoadsTests(SynchronousTestCase):
    def make(self, frequency: int = 1) -> PreviousPriorities:
        self.tried: list[Any] = []
        made = PreviousPriorities(frequency, self.tried)
        verifyObject(IRetryPriority, made)
        return made

    def tryAt(self, priority: int) -> None:
        self.tried.append(SimpleNamespace(priority=priority))

    def test_first(self) -> None:
        """As usual until there were enough attempts."""
        made = self.make(2)
        self.tryAt(0)
        self.assertIs(made.loads(WELL, USUAL), USUAL)
        self.tryAt(0)
        self.assertEqual(made.loads(WELL, USUAL)[0], [0, 100, 0])
        self.tryAt(1)
        self.assertEqual(made.loads(WELL, USUAL)[0], [0, 100, 0])
        self.tryAt(1)
        self.assertEqual(made.loads(WELL, USUAL)[0], [0, 0, 100])

    def test_anew(self) -> None:
        """When all were tried, all are there again."""
        made = self.make()
        for priority in range(3):
            self.tryAt(priority)
            loads = made.loads(WELL, USUAL)
        self.assertEqual(loads[0], [100, 0, 0])
        self.assertIs(made.loads(WELL, USUAL), USUAL)

    def test_rest(self) -> None:
        """What the left ones can take, scaled up; rounding goes to the first."""
        made = self.make()
        self.tryAt(0)
        loads = made.loads([(100, 0), (33, 0), (33, 0), (33, 0)], USUAL)
        self.assertEqual(loads, ([0, 34, 33, 33], [0, 0, 0, 0]))

    def test_degraded(self) -> None:
        """Degraded hosts count, too."""
        made = self.make()
        self.tryAt(0)
        self.assertEqual(made.loads([(100, 0), (0, 70)], USUAL), ([0, 0], [0, 100]))

    def test_nobody(self) -> None:
        """Without any usable host it is as usual."""
        made = self.make()
        self.tryAt(0)
        self.assertIs(made.loads([(0, 0), (0, 0)], USUAL), USUAL)
