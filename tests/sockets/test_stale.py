"""Whose loss a reactor reports."""

from __future__ import annotations

import socket

from twisted.internet import main
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.sockets.stale import isStale


class StaleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)

    def test_aliveSocket(self) -> None:
        """A socket that is well was not meant."""
        self.assertTrue(isStale(self.ours, Failure(ConnectionLost())))

    def test_deadSocket(self) -> None:
        """A socket whose peer has hung up was."""
        self.theirs.close()

        self.assertFalse(isStale(self.ours, Failure(ConnectionLost())))

    def test_reactorStops(self) -> None:
        """A reactor that stops means every socket, well or not."""
        self.assertFalse(isStale(self.ours, Failure(main.CONNECTION_LOST)))
