"""Responses that are sent again and again, as a peer's decoder reads them."""

from __future__ import annotations

from typing import Any

from hpack import Decoder
from hyperframe.frame import DataFrame, HeadersFrame
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import names, parse
from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.answered import Answered
from twisted_envoy.codec.h2.lean import LeanCore
from twisted_envoy.codec.h2.resets import ResetStreams
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

FIELDS = ((b":status", b"200"), (b"date", b"today"), (b"x", b"y"))


class AnsweredTests(SynchronousTestCase):
    """With a core of ours and a decoder of hpack's."""

    def setUp(self) -> None:
        settings = HTTP2Settings(hpackTableSize=4096)
        self.core = LeanCore(False, settings, HeaderLimits(), {}, ResetStreams())
        self.decoder = Decoder()
        self.kept = 0
        self.made = 0
        encode = Answered.encode

        def counted(*arguments: Any) -> bytes:
            self.made += 1
            return encode(*arguments)

        self.patch(Answered, "encode", counted)

    def send(self, number: int, fields: HeaderMap, body: bytes = b"hello") -> bytes:
        """What is sent; `kept` counts what was not made for it."""
        made = self.made
        data = self.core.answer(number, fields, body)
        self.kept += made == self.made
        return data

    def check(self, data: bytes, number: int, fields: HeaderMap, body: bytes = b"hello") -> None:
        """The frames say what was to be sent."""
        said = parse(data)
        head = said[0]
        assert isinstance(head, HeadersFrame)
        self.assertEqual({one.stream_id for one in said}, {number})
        self.assertIn("END_HEADERS", head.flags)
        block = self.decoder.decode(head.data, raw=True)
        self.assertEqual([(bytes(a), bytes(b)) for a, b in block], list(fields.items()))
        self.assertIn("END_STREAM", said[-1].flags)
        if body:
            assert isinstance(said[1], DataFrame)
            self.assertEqual(said[1].data, body)

    def test_keptOnceItSettles(self) -> None:
        """Fields enter the table first; then the bytes are the same but for the number."""
        fields = HeaderMap(FIELDS)
        for number in range(1, 40, 2):
            self.check(self.send(number, fields), number, fields)
        self.assertGreater(self.kept, 14)

    def test_otherFields(self) -> None:
        """Another map, and what else changes the table, is encoded anew."""
        fields = HeaderMap(FIELDS)
        for number in range(1, 20, 2):
            self.check(self.send(number, fields), number, fields)
        others = HeaderMap((*FIELDS, (b"more", b"of it")))
        for number in range(21, 41, 2):
            one = others if number % 4 == 1 else fields
            self.check(self.send(number, one), number, one)
        for number in range(41, 51, 2):
            self.check(self.send(number, fields), number, fields)

    def test_resized(self) -> None:
        """A smaller table of the peer's is told of in the next block."""
        fields = HeaderMap(FIELDS)
        for number in range(1, 20, 2):
            self.check(self.send(number, fields), number, fields)
        self.core.receiveSettings(frames.setting.pack(frames.HEADER_TABLE_SIZE, 0), 0, 6)
        self.decoder.max_allowed_table_size = 4096
        kept = self.kept
        for number in range(21, 31, 2):
            self.check(self.send(number, fields), number, fields)
        self.assertEqual(self.decoder.header_table_size, 0)
        self.assertGreater(self.kept, kept)

    def test_otherBodies(self) -> None:
        """A body belongs to its answer, however alike the headers are."""
        fields = HeaderMap(FIELDS)
        for number in range(1, 60, 2):
            body = b"%05d" % number if number % 5 else b"%d" % number
            self.check(self.send(number, fields, body), number, fields, body)
        self.assertGreater(self.kept, 9)

    def test_emptyBody(self) -> None:
        """Headers alone end the stream."""
        fields = HeaderMap(FIELDS)
        for number in range(1, 20, 2):
            data = self.send(number, fields, b"")
            self.assertEqual(names(data), ["Headers"])
            self.check(data, number, fields, b"")
        self.assertGreater(self.kept, 4)

    def test_smallerFrames(self) -> None:
        """A peer that takes long frames no more gets none, though one was kept."""
        fields = HeaderMap((*FIELDS, (b"cookie", b"\xff" * 20000)))
        for size, expected in ((40000, ["Headers", "Data"]), (16384, ["Headers", "Continuation"])):
            setting = frames.setting.pack(frames.MAX_FRAME_SIZE, size)
            self.core.receiveSettings(setting, 0, 6)
            for number in range(1, 12, 2):
                self.assertEqual(names(self.send(number, fields))[:2], expected)
        self.assertGreater(self.kept, 1)

    def test_longBlock(self) -> None:
        """A block that is longer than a frame is cut, and never kept."""
        fields = HeaderMap((*FIELDS, (b"cookie", b"\xff" * 40000)))
        for number in (1, 3, 5, 7):
            data = self.send(number, fields)
            self.assertEqual(names(data)[-3:], ["Continuation", "Continuation", "Data"])
        self.assertEqual(self.kept, 0)
