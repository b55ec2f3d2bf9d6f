"""Actions and who follows them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.overload import OverloadActions


class OverloadActionsTests(SynchronousTestCase):
    """By name."""

    def test_followed(self) -> None:
        """Each change is told, once; who comes later is told how it is."""
        actions = OverloadActions()
        early: list[float] = []
        late: list[float] = []
        actions.follow("a", early.append)
        for value in (0.0, 0.5, 0.5, 1.0):
            actions.set("a", value)
        actions.set("b", 1.0)
        actions.follow("a", late.append)
        actions.set("a", 0.0)
        self.assertEqual((early, late), ([0.5, 1.0, 0.0], [1.0, 0.0]))
