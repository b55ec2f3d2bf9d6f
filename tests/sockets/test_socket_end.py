"""Tests of twisted_envoy.sockets.socket_end: how a connection ends; see test_stream, too."""

from __future__ import annotations

from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure

from tests.sockets.test_socket_reader import EdgeTestCase


class EndTests(EdgeTestCase):
    def test_closedAtTheBoundary(self) -> None:
        """A close is done when the event has ended, and the poller forgets the connection."""
        notes, _ = self.make()
        notes.transport.loseConnection()
        self.assertEqual(notes.heard, [])
        self.clock.advance(0)

        self.assertEqual(notes.heard, ["ConnectionDone"])
        self.assertEqual(len(self.poller._edges), 0)
        self.assertEqual(self.clock.readers, [])

    def test_onlyItEnds(self) -> None:
        """A callback that raises ends its own connection; all others are told in the same round."""
        pairs = [self.make() for _ in range(3)]

        def fail() -> None:
            raise ValueError

        pairs[1][0].then = fail
        for _, peer in pairs:
            peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

        self.assertEqual(
            [notes.heard for notes, _ in pairs], [[b"x"], [b"x", "ValueError"], [b"x"]]
        )
        self.assertEqual(len(self.poller._edges), 2)

    def test_reactorStops(self) -> None:
        """Every connection is lost, and the reactor watches nothing any more."""
        pairs = [self.make() for _ in range(3)]

        self.poller.connectionLost(Failure(CONNECTION_LOST))

        self.assertEqual([notes.heard for notes, _ in pairs], [["ConnectionLost"]] * 3)
        self.assertEqual(len(self.poller._edges), 0)
