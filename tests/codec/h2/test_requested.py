"""Requests that are sent again and again, as a peer's decoder reads them."""

from __future__ import annotations

from typing import Any

from hpack import Decoder
from hyperframe.frame import HeadersFrame
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import names, parse
from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.lean import LeanCore
from twisted_envoy.codec.h2.requested import AnswerHead, Requested
from twisted_envoy.codec.h2.resets import ResetStreams
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

ID = b"x-request-id"
FIELDS = (
    (b":method", b"GET"),
    (b":path", b"/a"),
    (b":authority", b"a.test"),
    (ID, b"none"),
    (b"accept", b"*/*"),
)


def idOf(number: int) -> bytes:
    """An ID; all are as long."""
    return b"%036x" % number


class RequestedTests(SynchronousTestCase):
    """With a core of ours and a decoder of hpack's."""

    def setUp(self) -> None:
        self.core = LeanCore(True, HTTP2Settings(), HeaderLimits(), {}, ResetStreams())
        self.decoder = Decoder()
        self.made = 0
        encode = Requested.encode

        def counted(*arguments: Any) -> bytes:
            self.made += 1
            return encode(*arguments)

        self.patch(Requested, "encode", counted)

    def check(self, requested: Requested, fields: HeaderMap, number: int, value: bytes) -> None:
        """What is sent says that."""
        data = self.core.request(number, requested, value)
        self.assertEqual(self.core.highest, number)
        (head,) = parse(data)
        assert isinstance(head, HeadersFrame)
        self.assertEqual(head.stream_id, number)
        self.assertEqual(sorted(head.flags), ["END_HEADERS", "END_STREAM"])
        said = [(bytes(a), bytes(b)) for a, b in self.decoder.decode(head.data, raw=True)]
        expected = fields.copy()
        if value:
            expected[ID] = value
        self.assertEqual(said, list(expected.items()))

    def test_keptOnceItSettles(self) -> None:
        """Fields enter the table first; then nothing is encoded any more."""
        fields = HeaderMap(FIELDS)
        requested = Requested(fields, ID)
        self.assertEqual(requested.method, b"GET")
        for number in range(1, 60, 2):
            self.check(requested, fields, number, idOf(number))
        self.assertLess(self.made, 6)

    def test_withoutHole(self) -> None:
        """A request may be the same each time."""
        fields = HeaderMap(FIELDS)
        requested = Requested(fields, b"")
        for number in range(1, 60, 2):
            self.check(requested, fields, number, b"")
        self.assertLess(self.made, 6)

    def test_otherValues(self) -> None:
        """A value of another size, or one that stands elsewhere too, is encoded."""
        fields = HeaderMap(FIELDS)
        requested = Requested(fields, ID)
        for number in range(1, 60, 2):
            value = idOf(number)[number % 3 :]
            self.check(requested, fields, number, value)
        twice = HeaderMap((*FIELDS, (b"x", b"/a")))
        requested = Requested(twice, ID)
        made = self.made
        for number in range(61, 99, 2):
            self.check(requested, twice, number, b"/a")
        self.assertEqual(self.made - made, 19)

    def test_tableChanges(self) -> None:
        """Other requests enter the table meanwhile; its size changes."""
        fields, others = HeaderMap(FIELDS), HeaderMap((*FIELDS, (b"more", b"of it")))
        requested, other = Requested(fields, ID), Requested(others, ID)
        for number in range(1, 90, 4):
            self.check(requested, fields, number, idOf(number))
            if number > 20:
                self.check(other, others, number + 2, idOf(number))
            if number in (41, 61):
                size = 0 if number == 41 else 4096
                setting = frames.setting.pack(frames.HEADER_TABLE_SIZE, size)
                self.core.receiveSettings(setting, 0, 6)
        self.assertLess(self.made, 30)

    def test_otherConnection(self) -> None:
        """What one connection has in its table another one has not."""
        fields = HeaderMap(FIELDS)
        requested = Requested(fields, ID)
        for number in range(1, 20, 2):
            self.check(requested, fields, number, idOf(number))
        self.core = LeanCore(True, HTTP2Settings(), HeaderLimits(), {}, ResetStreams())
        self.decoder = Decoder()
        for number in range(1, 20, 2):
            self.check(requested, fields, number, idOf(number))
        self.assertLess(self.made, 12)

    def test_smallerFrames(self) -> None:
        """A peer that takes long frames no more gets none, though one was kept."""
        requested = Requested(HeaderMap((*FIELDS, (b"cookie", b"\xff" * 20000))), ID)
        for size, expected in ((40000, ["Headers"]), (16384, ["Headers", "Continuation"])):
            setting = frames.setting.pack(frames.MAX_FRAME_SIZE, size)
            self.core.receiveSettings(setting, 0, 6)
            for number in range(1, 12, 2):
                data = self.core.request(number, requested, idOf(number))
                self.assertEqual(names(data), expected)
        self.assertLess(self.made, 11)

    def test_longBlock(self) -> None:
        """A block that is longer than a frame is cut, and never kept."""
        fields = HeaderMap((*FIELDS, (b"cookie", b"\xff" * 40000)))
        requested = Requested(fields, ID)
        for number in (1, 3, 5, 7):
            data = self.core.request(number, requested, idOf(number))
            self.assertEqual(names(data), ["Headers", "Continuation", "Continuation"])
        self.assertEqual(self.made, 4)


class AnswerHeadTests(SynchronousTestCase):
    """AnswerHead."""

    def test_copies(self) -> None:
        """It keeps its own headers."""
        headers = HeaderMap(((b":status", b"200"), (b"a", b"b")))
        head = AnswerHead(headers)
        headers[b"a"] = b"c"

        self.assertEqual(head.status, 200)
        self.assertEqual(head.headers[b"a"], b"b")
        self.assertIsNone(head.carried)
