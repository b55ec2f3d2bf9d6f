"""What sockets share."""

from __future__ import annotations

import errno
import os

from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import NOBODY, SocketContext, failureOf, lost, tell


class EventsTests(SynchronousTestCase):
    """Failures, and those who hear nothing."""

    def test_lost(self) -> None:
        """The words of the system, without a traceback."""
        failure = lost(OSError(errno.EPIPE, os.strerror(errno.EPIPE)))
        self.assertIsInstance(failure.value, ConnectionLost)
        self.assertIn(os.strerror(errno.EPIPE), str(failure.value))
        self.assertEqual(failure.frames, [])
        self.assertIn("oops", str(lost(OSError("oops")).value))

    def test_nobody(self) -> None:
        """Every event may come to nobody."""
        NOBODY.makeConnection(None)
        NOBODY.dataReceived(b"x")
        NOBODY.readConnectionLost()
        NOBODY.writeConnectionLost()
        NOBODY.connectionLost(failureOf(ConnectionLost()))

    def test_tell(self) -> None:
        """What raises is logged and goes no further; others are called."""
        heard: list[object] = []
        tell(heard.append, 1)
        self.assertEqual(heard, [1])
        tell(lambda: 1 / 0)
        (logged,) = self.flushLoggedErrors(ZeroDivisionError)
        self.assertIsInstance(logged, Failure)

    def test_context(self) -> None:
        """A new set of sockets waits for nobody."""
        clock = Clock()
        context = SocketContext(clock, TurnQueue(clock))  # type: ignore[arg-type]
        self.assertEqual(context.lingering, set())
