"""Header blocks in several frames."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, ES, HELLO, frame, headers, parse
from tests.codec.h2.support import RESPONSE, OverLibrary, Side
from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.failures import TOO_MANY_HEADERS, ConnectionFailure
from twisted_envoy.codec.h2.pieces import Pieces
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HeaderLimits


class PiecesTests(SynchronousTestCase):
    """What is joined."""

    def setUp(self) -> None:
        self.pieces = Pieces(HeaderLimits())

    def test_whole(self) -> None:
        """One frame, without padding and priority, ended if the first one was."""
        payload = b"\x02" + b"\0\0\0\0\x10" + b"abc" + b"\0\0"
        flags = frames.PADDED | frames.PRIORITY_FLAG | frames.END_STREAM
        self.pieces.begin(flags, 1, payload, 0, len(payload))
        self.pieces.add(b"de")
        self.assertEqual(self.pieces.whole(5), frame(1, EH | ES, 5, b"abcde"))

    def test_cut(self) -> None:
        """Less than its own fields."""
        flags = frames.PRIORITY_FLAG
        with self.assertRaises(ConnectionFailure) as caught:
            self.pieces.begin(flags, 1, b"abc", 0, 3)
        self.assertEqual(caught.exception.code, frames.FRAME_SIZE_ERROR)

    def test_bounds(self) -> None:
        """So many frames, so many bytes."""
        self.pieces.begin(0, 1, b"", 0, 0)
        for _ in range(63):
            self.pieces.add(b"a")
        self.assertRaises(ConnectionFailure, self.pieces.add, b"a")

        self.pieces.begin(0, 1, b"", 0, 0)
        with self.assertRaises(ConnectionFailure) as caught:
            self.pieces.add(bytes(65537 + 4 * HeaderLimits().maxBytes))
        self.assertEqual(caught.exception.details, TOO_MANY_HEADERS)


class EarlyTests(SynchronousTestCase):
    """A request is one from its first frame on."""

    def setUp(self) -> None:
        self.side = Side(False)
        self.side.receive(HELLO)
        self.block = headers(1)[9:]

    def begin(self, stream: int = 1) -> None:
        self.assertIsNone(self.side.receive(frame(1, ES, stream, self.block[:3])))

    def test_everySplitPoint(self) -> None:
        """Wherever a block is cut, the request is the same."""
        for at in range(len(self.block) + 1):
            number = 2 * at + 1
            self.side.receive(frame(1, ES, number, self.block[:at]))
            request = self.side.owner.requests[-1]
            self.assertEqual(request.kinds(), [])
            self.side.receive(frame(9, EH, number, self.block[at:]))
            self.assertEqual(request.kinds(), ["headers"])
            self.assertTrue(request.ended)

    def test_answered(self) -> None:
        """It can be answered before its headers are whole; the connection goes on."""
        self.begin()
        (request,) = self.side.owner.requests
        self.side.wire.take()

        request.encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        request.encoder.resetStream(Reset.LOCAL)
        answer, reset = parse(self.side.wire.take())
        self.side.receive(frame(9, EH, 1, self.block[3:]) + headers(3))

        self.assertEqual((answer.stream_id, reset.error_code), (1, 0))
        self.assertEqual(request.kinds(), [])
        self.assertEqual([one.kinds() for one in self.side.owner.requests], [[], ["headers"]])

    def test_otherFrame(self) -> None:
        """Nothing else may come between; the request hears of it."""
        self.begin()
        self.side.receive(headers(3))
        self.assertEqual(self.side.owner.requests[0].kinds(), ["reset"])


class LibraryEarlyTests(OverLibrary, EarlyTests):
    """The same over the reference core."""
