"""Cutting bytes into frames; what is written before CodecError is raised."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import (
    EH,
    ES,
    HELLO,
    PING,
    PREFACE,
    SETTINGS,
    block,
    frame,
    headers,
    names,
    window,
)
from tests.codec.h2.support import RESPONSE, OverLibrary, Side
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings


class CodecTests(SynchronousTestCase):
    """Either role."""

    def test_everySplitPoint(self) -> None:
        """Of a response, in two pieces and byte by byte."""
        data = SETTINGS + headers(1, [(b":status", b"100")], EH)
        data += frame(1, 0, 1, block(RESPONSE)[:2]) + frame(9, EH, 1, block(RESPONSE)[2:])
        data += frame(0, 8, 1, b"\x02body\0\0") + PING + frame(0xBB, 0, 1, b"unknown")
        data += window(1, 7) + headers(1, [(b"a", b"b")])
        cuts = [[data[:cut], data[cut:]] for cut in range(len(data))]
        cuts.append([data[place : place + 1] for place in range(len(data))])
        for pieces in cuts:
            side = Side(True)
            request = side.request()
            for piece in pieces:
                self.assertIsNone(side.receive(piece))
            self.assertEqual(request.kinds(), ["1xx", "headers", "data", "trailers"])
            self.assertEqual(bytes(request.body), b"body")

    def test_goAwayComesFirst(self) -> None:
        """GOAWAY is in the output when CodecError is raised, for each kind of failure."""
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            PREFACE + PING,
            HELLO + frame(0, 0, 0),
            HELLO + frame(0, 0, 1, bytes(20_000)),
            HELLO + frame(1, ES | EH, 1, b"\xff\xff\xff\xff\xff\x01"),
            HELLO + headers(2),
            HELLO + frame(4, 0, 0, b"\0\4\xff\xff\xff\xff"),
            HELLO + window(0, 0),
            HELLO + window(0, 1) * 6,
            HELLO + PING * 1001,
            HELLO + headers(1, flags=EH) + frame(0, 0, 1) * 2,
        ):
            side = Side(False)
            self.assertIsNotNone(side.receive(data), data)
            self.assertEqual(names(side.wire.take())[-1], "GoAway", data)

    def test_resetComesFirst(self) -> None:
        """RST_STREAM is in the output when the decoder is told."""
        for data in (
            headers(1, [*postFields(), (b"content-length", b"2")], EH) + frame(0, 0, 1, b"abc"),
            headers(1, flags=EH) + window(1, 0),
            headers(1, flags=EH) + window(1, 2**31 - 1),
            headers(1) + frame(0, 0, 1, b"x"),
        ):
            side = Side(False)
            side.receive(HELLO)
            side.wire.take()
            self.assertIsNone(side.receive(data))
            self.assertEqual(names(side.wire.take()), ["RstStream"])
            self.assertIsNotNone(side.owner.requests[0].reset)

    def test_windowIsReturnedForWhatIsDropped(self) -> None:
        """DATA of streams that were reset does not use the connection's window up."""
        side = Side(False, HTTP2Settings(initialConnectionWindow=70_000))
        side.receive(HELLO + headers(1, flags=EH))
        side.wire.take()
        side.owner.requests[0].encoder.resetStream(Reset.LOCAL)
        for _ in range(20):
            self.assertIsNone(side.receive(frame(0, 0, 1, bytes(16000))))
        self.assertIn("WindowUpdate", names(side.wire.take()))


def postFields() -> list[tuple[bytes, bytes]]:
    """A POST."""
    return [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":authority", b"a"),
        (b":path", b"/"),
    ]


class LibraryCodecTests(OverLibrary, CodecTests):
    """The same over the reference core."""
