"""Responses that are sent again and again, as a peer's decoder reads them."""

from __future__ import annotations

from hpack import Decoder
from hyperframe.frame import DataFrame, HeadersFrame
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import names, parse
from twisted_envoy.codec.h2.answered import Answered
from twisted_envoy.codec.h2.hpack_encoder import Encoder
from twisted_envoy.codec.headers import HeaderMap

FIELDS = ((b":status", b"200"), (b"date", b"today"), (b"x", b"y"))


class AnsweredTests(SynchronousTestCase):
    """With an encoder of ours and a decoder of hpack's."""

    def setUp(self) -> None:
        self.answered = Answered()
        self.encoder = Encoder(True, 4096)
        self.decoder = Decoder()
        self.kept = 0

    def send(self, number: int, fields: HeaderMap, body: bytes = b"hello") -> bytes:
        """As LeanCore.answer does."""
        answered = self.answered
        if fields is answered.fields and answered.changes == self.encoder.changes:
            self.kept += 1
            return number.to_bytes(4, "big").join(answered.pieces)
        return answered.encode(self.encoder, number, fields, body, 16384)

    def check(self, data: bytes, number: int, fields: HeaderMap, body: bytes = b"hello") -> None:
        """The frames say what was to be sent."""
        frames = parse(data)
        head = frames[0]
        assert isinstance(head, HeadersFrame)
        self.assertEqual({one.stream_id for one in frames}, {number})
        self.assertIn("END_HEADERS", head.flags)
        said = self.decoder.decode(head.data, raw=True)
        self.assertEqual([(bytes(a), bytes(b)) for a, b in said], list(fields.items()))
        self.assertIn("END_STREAM", frames[-1].flags)
        if body:
            assert isinstance(frames[1], DataFrame)
            self.assertEqual(frames[1].data, body)

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
        self.encoder.resize(0)
        self.decoder.max_allowed_table_size = 4096
        kept = self.kept
        for number in range(21, 31, 2):
            self.check(self.send(number, fields), number, fields)
        self.assertEqual(self.decoder.header_table_size, 0)
        self.assertGreater(self.kept, kept)

    def test_emptyBody(self) -> None:
        """Headers alone end the stream."""
        fields = HeaderMap(FIELDS)
        for number in range(1, 20, 2):
            data = self.send(number, fields, b"")
            self.assertEqual(names(data), ["Headers"])
            self.check(data, number, fields, b"")
        self.assertGreater(self.kept, 4)

    def test_longBlock(self) -> None:
        """A block that is longer than a frame is cut, and never kept."""
        fields = HeaderMap((*FIELDS, (b"cookie", b"\xff" * 40000)))
        for number in (1, 3, 5, 7):
            data = self.send(number, fields)
            self.assertEqual(names(data)[-3:], ["Continuation", "Continuation", "Data"])
        self.assertEqual(self.kept, 0)
