"""Resources are looked at, and actions taken."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.overload import OverloadActions
from twisted_envoy.server.overload_manager import OverloadManager, Trigger
from twisted_envoy.stats.scope import Store


class Monitor:
    """A resource; None: nobody knows."""

    def __init__(self, value: float | None) -> None:
        self.value = value

    def pressure(self) -> float:
        if self.value is None:
            raise OSError("gone")
        return self.value


class TriggerTests(SynchronousTestCase):
    """How far an action is taken."""

    def test_threshold(self) -> None:
        """All or nothing."""
        found = [Trigger("m", 0.5, 0.5).valueOf(value) for value in (0.4, 0.5, 0.6)]
        self.assertEqual(found, [0.0, 1.0, 1.0])

    def test_scaled(self) -> None:
        """In part."""
        found = [Trigger("m", 0.5, 0.75).valueOf(value) for value in (0.5, 0.625, 0.75, 2)]
        self.assertEqual(found, [0.0, 0.5, 1.0, 1.0])


class OverloadManagerTests(SynchronousTestCase):
    """On a Clock."""

    def test_looks(self) -> None:
        """Again and again; the furthest trigger counts; a failure keeps what was."""
        clock, store, actions = Clock(), Store(), OverloadActions()
        one, two = Monitor(0.6), Monitor(0.1)
        told: list[float] = []
        actions.follow("act", told.append)
        manager = OverloadManager(
            0.5,
            {"one": one, "two": two},
            {"act": (Trigger("one", 0.5, 0.7), Trigger("two", 0.9, 0.9))},
            actions,
            clock,
            store,
        )
        manager.start()
        self.assertEqual([round(value, 3) for value in told], [0.5])
        self.assertEqual(store.value("overload.act.scale_percent"), 50)
        two.value, one.value = 0.95, None
        clock.advance(0.5)
        self.assertEqual(told[1:], [1.0])
        self.assertEqual(
            {name: store.value(f"overload.{name}") for name in ("act.active", "two.pressure")},
            {"act.active": 1, "two.pressure": 95},
        )
        self.assertEqual(store.value("overload.one.failed_updates"), 1)
        self.assertEqual(store.value("overload.one.pressure"), 60)
        manager.stop()
        manager.stop()
        self.assertEqual(clock.getDelayedCalls(), [])
