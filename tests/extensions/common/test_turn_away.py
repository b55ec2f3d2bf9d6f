"""Tests of twisted_envoy.extensions.common.turn_away; more by those of the filters that use it."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.turn_away import stopWaiting, turnAway


class TurnAwayTests(SynchronousTestCase):
    """A connection that is one too many."""

    def setUp(self):
        self.clock = Clock()
        self.said = []
        self.info = SimpleNamespace(localCloseReason="")
        self.link = SimpleNamespace(
            chain=SimpleNamespace(streamInfo=self.info),
            pauseProducing=lambda: self.said.append("paused"),
        )

    def turnAway(self, delay):
        return turnAway(
            self.link,
            "why",
            delay,
            self.clock,
            lambda: self.said.append(self.info.localCloseReason),
        )

    def test_atOnce(self):
        """Without a delay it is closed, and the reason is there before."""
        timer = self.turnAway(0.0)
        self.assertEqual((self.said, timer), (["why"], None))
        stopWaiting(timer)

    def test_later(self):
        """With one it reads no more, and is closed when the time is over."""
        timer = self.turnAway(2.0)
        self.clock.advance(1.9)
        self.assertEqual((self.said, self.info.localCloseReason), (["paused"], ""))
        self.clock.advance(0.2)
        self.assertEqual(self.said, ["paused", "why"])
        stopWaiting(timer)

    def test_goneBefore(self):
        """A connection that is lost meanwhile is not closed any more."""
        stopWaiting(self.turnAway(2.0))
        self.assertEqual((self.said, self.clock.getDelayedCalls()), (["paused"], []))
