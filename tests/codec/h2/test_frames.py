"""Frames as bytes, read by hyperframe."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import parse
from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.failures import ConnectionFailure


class FramesTests(SynchronousTestCase):
    """Each builder."""

    def test_strippedHeaders(self) -> None:
        """Where a block is behind padding and priority; both must be whole."""
        for flags, payload, expected in (
            (0, b"abc", (0, 3)),
            (8, b"\x02abc12", (1, 4)),
            (32, b"\0\0\0\3\x10abc", (5, 8)),
            (40, b"\x01\0\0\0\3\x10abc1", (6, 9)),
        ):
            found = frames.stripHeaders(flags, 1, payload, 0, len(payload))
            self.assertEqual(found, expected)
        for flags, payload, code in (
            (8, b"", 6),
            (8, b"\x01", 1),
            (32, b"\0\0\0\3", 6),
            (32, b"\x80\0\0\1\0", 1),
            (40, b"\x05\0\0\0\3\0", 1),
        ):
            with self.assertRaises(ConnectionFailure) as caught:
                frames.stripHeaders(flags, 1, payload, 0, len(payload))
            self.assertEqual(caught.exception.code, code)

    def test_small(self) -> None:
        """One frame each, with what was asked for."""
        (found,) = parse(frames.rstStream(7, 11))
        self.assertEqual((found.stream_id, found.error_code), (7, 11))
        (found,) = parse(frames.windowUpdate(0, 2**31 - 1))
        self.assertEqual(found.window_increment, 2**31 - 1)
        (found,) = parse(frames.ping(b"12345678", True))
        self.assertEqual((found.opaque_data, set(found.flags)), (b"12345678", {"ACK"}))
        (found,) = parse(frames.goAway(9, 1))
        self.assertEqual((found.last_stream_id, found.error_code), (9, 1))
        (found,) = parse(frames.settings(((1, 2), (3, 4))))
        self.assertEqual(dict(found.settings), {1: 2, 3: 4})

    def test_headers(self) -> None:
        """As many frames as it takes; only the first says that the stream ends."""
        for size, sizes in ((0, [0]), (10, [10]), (11, [10, 1]), (30, [10, 10, 10])):
            block = bytes(range(size))
            found = parse(frames.headersFrames(3, block, True, 10))
            self.assertEqual([len(piece.data) for piece in found], sizes)
            self.assertEqual(b"".join(piece.data for piece in found), block)
            ends = ["END_HEADERS" in piece.flags for piece in found]
            self.assertEqual(ends, [False] * (len(sizes) - 1) + [True])
            self.assertEqual(["END_STREAM" in piece.flags for piece in found].count(True), 1)
            self.assertIn("END_STREAM", found[0].flags)
