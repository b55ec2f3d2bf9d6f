"""A connection manager's settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.filter_plan import FilterPlan
from twisted_envoy.http.settings import ManagerSettings, Timeouts


class ManagerSettingsTests(SynchronousTestCase):
    """What follows from what is given."""

    def test_queues(self) -> None:
        """Equal time-outs share a timer each; time is the reactor's."""
        clock = Clock()
        some: Any = None
        edge, replies = SimpleNamespace(isSameForAll=True), SimpleNamespace(isPlain=True)
        settings = ManagerSettings(
            *("AUTO", FilterPlan(())),
            *(some, edge, replies, clock, some, some, some, some, some, some, some, some),
            *(some, some, some, some),
            timeouts=Timeouts(streamIdle=7.0, idle=9.0),
        )

        clock.advance(3)

        self.assertEqual(settings.seconds(), 3)
        self.assertEqual(settings.idleWatch.timeout, 7.0)
        self.assertEqual(settings.idleQueue.delay, 9.0)
