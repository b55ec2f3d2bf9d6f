"""Tests for twisted_envoy.http.edge.refusal."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge import refusal
from twisted_envoy.http.edge.refusal import Refusal, redirectTo, undetected
from twisted_envoy.http.stats import ManagerStats
from twisted_envoy.state.stream_info import RESPONSE_FLAGS
from twisted_envoy.stats.scope import Store


class RefusalTests(SynchronousTestCase):
    """Refusals."""

    def test_countersAndFlagsExist(self) -> None:
        """Whoever answers looks them up by name."""
        stats = ManagerStats(Store())
        known = [each for each in vars(refusal).values() if isinstance(each, Refusal)]
        for each in (*known, redirectTo(b"/"), undetected(403)):
            if each.counter:
                self.assertEqual(getattr(stats, each.counter).value, 0)
            self.assertTrue(not each.flag or each.flag in RESPONSE_FLAGS)

    def test_redirect(self) -> None:
        """Names the path."""
        self.assertEqual(redirectTo(b"/a").headers, ((b"location", b"/a"),))
