"""Frames as bytes, read by hyperframe."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import parse
from twisted_envoy.codec.h2 import frames


class FramesTests(SynchronousTestCase):
    """Each builder."""

    def test_small(self) -> None:
        """One frame each, with what was asked for."""
        (found,) = parse(frames.dataHeader(3, True, 5) + b"abc")
        self.assertEqual(
            (found.stream_id, found.data, set(found.flags)), (5, b"abc", {"END_STREAM"})
        )
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
