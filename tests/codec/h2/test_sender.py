"""The way out: turns, and what is counted."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import frame, parse
from tests.codec.h2.support import Side
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.sender import greeting
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings

REQUEST = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a"))


class SenderTests(SynchronousTestCase):
    """One connection's."""

    def test_answersCount(self) -> None:
        """Answers count as control frames, bodies as DATA frames; the limit is the limit."""
        side = Side(False, HTTP2Settings(maxOutboundControlFrames=2))
        sender = side.codec.sender
        side.wire.take()

        sender.answer(b"1")
        sender.sendData(1, b"", False)
        sender.sendData(1, b"data", True)
        sender.answer(b"2")
        with self.assertRaises(ConnectionFailure):
            sender.answer(b"3")

        self.assertEqual(side.wire.take(), b"1%b%b23" % (frame(0, 0, 1), frame(0, 1, 1, b"data")))
        self.assertEqual(side.codec.floods.sentData, 2)
        self.assertEqual(sender.sendWindow, 65535 - 4)

    def test_largeBodies(self) -> None:
        """They are not copied."""
        side = Side(False)
        side.wire.take()
        pieces: list[bytes] = []
        side.codec.sender.write = pieces.append
        data = bytes(5000)
        side.codec.sender.sendData(1, data, False)
        self.assertIs(pieces[1], data)
        self.assertEqual(b"".join(pieces), frame(0, 0, 1, data))

    def test_goneStreamsDoNotWait(self) -> None:
        """A stream that waits for the connection's window and is reset leaves the queue."""
        side = Side(True)
        sender = side.codec.sender
        sender.sendWindow = 0
        streams = [side.codec.newStream(side) for _ in range(3)]
        for stream in streams:
            stream.encodeHeaders(HeaderMap(REQUEST), False)
            stream.encodeData(b"abc", False)
        self.assertEqual(list(sender.ready), streams)

        for stream in streams[1:]:
            stream.resetStream(Reset.LOCAL)

        self.assertEqual(list(sender.ready), streams[:1])
        self.assertFalse(streams[1].isReady)

    def test_greeting(self) -> None:
        """A client begins with the preface and refuses pushes, a server does neither."""
        settings = HTTP2Settings(initialConnectionWindow=65536)
        client, server = greeting(settings, True), greeting(settings, False)
        self.assertTrue(client.startswith(b"PRI"))
        self.assertEqual(next(iter(parse(client)[0].settings)), 2)
        self.assertNotIn(2, parse(server)[0].settings)
        self.assertEqual(parse(server)[1].window_increment, 1)
