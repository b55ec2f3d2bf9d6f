"""Limits of open connections."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.limits import ConnectionLimit


class ConnectionLimitTests(SynchronousTestCase):
    """Counting against a limit."""

    def test_reached(self):
        """It is reached while as many are open."""
        limit = ConnectionLimit(2)
        seen = []
        for active in range(4):
            limit.active = active
            seen.append(limit.reached)
        self.assertEqual(seen, [False, False, True, True])

    def test_none(self):
        """Without one it is never reached; 0 always is."""
        limit = ConnectionLimit()
        limit.active = 10**9
        self.assertFalse(limit.reached)
        self.assertTrue(ConnectionLimit(0).reached)
