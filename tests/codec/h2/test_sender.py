"""The way out: turns, and what is counted."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import parse
from tests.codec.h2.support import Side
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.sender import greeting
from twisted_envoy.codec.settings import HTTP2Settings


class SenderTests(SynchronousTestCase):
    """One connection's."""

    def test_answersCount(self) -> None:
        """Answers count as control frames, bodies as DATA frames; the limit is the limit."""
        side = Side(False, HTTP2Settings(maxOutboundControlFrames=2))
        sender = side.codec.sender
        side.wire.take()

        sender.answer(b"1")
        sender.writeData(b"header", b"")
        sender.writeData(b"header", b"data")
        sender.answer(b"2")
        with self.assertRaises(ConnectionFailure):
            sender.answer(b"3")

        self.assertEqual(side.wire.take(), b"1headerheaderdata23")
        self.assertEqual(side.codec.floods.sentData, 2)

    def test_greeting(self) -> None:
        """A client begins with the preface and refuses pushes, a server does neither."""
        settings = HTTP2Settings(initialConnectionWindow=65536)
        client, server = greeting(settings, True), greeting(settings, False)
        self.assertTrue(client.startswith(b"PRI"))
        self.assertEqual(next(iter(parse(client)[0].settings)), 2)
        self.assertNotIn(2, parse(server)[0].settings)
        self.assertEqual(parse(server)[1].window_increment, 1)
