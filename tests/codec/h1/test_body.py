"""Tests of twisted_envoy.codec.h1.body."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h1.body import ChunkedBody, RawBody
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits

LIMITS = HeaderLimits(maxBytes=100, maxCount=2)


class RawTests(SynchronousTestCase):
    def test_raw(self) -> None:
        """Everything belongs to a tunnel, and it does not end by itself."""
        body = RawBody()
        self.assertEqual(body.feed(b"abc", 1), b"bc")
        self.assertEqual((body.position, body.ended), (3, False))


def decode(data: bytes, start: int = 0) -> tuple[bytes, int, bool]:
    body = ChunkedBody(HeaderLimits(), True)
    return body.feed(data, start), body.position, body.ended


class ChunkedTests(SynchronousTestCase):
    def test_taken(self) -> None:
        """What Envoy takes as chunks."""
        for data in (
            *(
                b"5\r\nhello\r\n0\r\n\r\n",
                b"5;a=b\r\nhello\r\n0;x\r\n\r\n",
                b"5 \r\nhello\r\n0\r\n\r\n",
            ),
            *(
                b"5\t\r\nhello\r\n0\r\n\r\n",
                b"5 ; a\r\nhello\r\n0\r\n\r\n",
                b"5\r\nhello\n0\r\n\r\n",
            ),
            *(b"5\r\nhello\r\n0\r\n\n", b"0000000000000000000000005\r\nhello\r\n000\r\n\r\n"),
            *(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
            b"5;" + b"a" * 40000 + b"\r\nhello\r\n0\r\n\r\n",
        ):
            self.assertEqual(decode(data + b"GET"), (b"hello", len(data), True), data[:30])
            self.assertEqual(decode(b"xx" + data, 2), (b"hello", len(data) + 2, True))
        self.assertEqual(decode(b"A\r\nhellohello\r\n0\r\n\r\n")[0], b"hellohello")
        self.assertEqual(decode(b"ffffffffffffffff\r\nx"), (b"x", 19, False))

    def test_refused(self) -> None:
        """What is no chunk, in any split; the first seven are stricter than Envoy or as strict."""
        for data in (
            *(b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\rX", b"5\r\nhello0\r\n\r\n"),
            *(b" 5\r\nhello\r\n", b"0x5\r\nhello\r\n", b"+5\r\nhello\r\n", b"-5\r\nhello\r\n"),
            *(
                b"10000000000000005\r\nhello",
                b"g\r\n",
                b"5g\r\nhello",
                b"\r\nhello",
                b";a\r\nhello",
            ),
            *(
                b"1_0\r\nhello",
                b"5\nhello\r\n",
                b"5\rhello\r\n",
                b"5;a\nb\r\nhello",
                b"5;a\rb\r\nhello",
            ),
            *(
                b'5;a="\n"\r\nhello',
                b"5\r\r\nhello",
                b"0\n\r\n",
                b"0\r\n\r\r\n\r\n\r\n",
                b"\n5\r\n",
            ),
            *(
                b"0\r\nX T: 1\r\n\r\n",
                b"0\r\nX: \0\r\n\r\n",
                b"0\r\nX\r\n\r\n",
                b"0\r\n X: 1\r\n\r\n",
            ),
            *(b"5\r\nhello\r\n\r\n", b"\xd9\xa5\r\n", b"5,5\r\nhello", b"5 5\r\nhello"),
        ):
            for pieces in ([data], [bytes([byte]) for byte in data]):
                body = ChunkedBody(HeaderLimits(), True)
                with self.assertRaises(CodecError, msg=data):
                    for piece in pieces:
                        body.feed(piece, 0)

    def test_oneCall(self) -> None:
        """Chunks that come together leave together; one alone is not copied twice."""
        body = ChunkedBody(LIMITS, False)
        self.assertEqual(body.feed(b"1\r\na\r\n2\r\nbc\r\n3\r\nd", 0), b"abcd")
        self.assertEqual(body.feed(b"ef\r\n", 0), b"ef")
        self.assertEqual(body.feed(b"0\r\n\r", 0), b"")
        self.assertFalse(body.ended)
        self.assertEqual(body.feed(b"\nG", 0), b"")
        self.assertEqual((body.ended, body.position), (True, 1))

    def test_trailers(self) -> None:
        """Trailers are fields, folded lines and all."""
        body = ChunkedBody(LIMITS, True)
        body.feed(b"0\r\nA: 1\r\n 2\nb:3\r\n\r\n", 0)
        assert body.trailers is not None
        self.assertEqual(list(body.trailers.pairs()), [(b"a", b"1 2"), (b"b", b"3")])

    def test_bounds(self) -> None:
        """Of trailers and of lines there may be as much as of a head."""
        for begin in (b"0\r\nx: ", b"5;", b"0000", b"0\r\nx: 1\r\n" + b"y: "):
            for end in (b"", b"\r\n\r\n"):
                body = ChunkedBody(LIMITS, False)
                with self.assertRaises(CodecError) as caught:
                    body.feed(begin + b"0" * 101 + end, 0)
                self.assertEqual(caught.exception.status, 431, begin)

    def test_count(self) -> None:
        """Trailers that are kept may be so many; those that are dropped are not counted."""
        data = b"0\r\n" + b"x: y\r\n" * 3 + b"\r\n"
        body = ChunkedBody(LIMITS, False)
        body.feed(data, 0)
        self.assertTrue(body.ended)
        self.assertIsNone(body.trailers)
        body = ChunkedBody(LIMITS, True)
        with self.assertRaises(CodecError) as caught:
            body.feed(data, 0)
        self.assertEqual(caught.exception.details, "http1.too_many_headers")

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.integers(1, 7))
    def test_roundTrip(self, chunks: list[bytes], size: int) -> None:
        """What was put into chunks comes out, however they come."""
        data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        body = ChunkedBody(LIMITS, True)
        got = b""
        for start in range(0, len(data), size):
            self.assertFalse(body.ended)
            piece = data[start : start + size]
            got += body.feed(piece, 0)
            self.assertEqual(body.position, len(piece))
        self.assertEqual((got, body.ended), (b"".join(chunks), True))
