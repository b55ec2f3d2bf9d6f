"""
Shapes that parties along a way could read differently: which requests, with which bodies, are seen.

Each was tried against Envoy 1.40, and the verdict is Envoy's, but for those in STRICTER.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, ServerOwner
from twisted_envoy.codec.headers import HeaderMap

NEXT = b"GET /next HTTP/1.1\r\nHost: n\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

Seen = list[tuple[bytes, bytes]]
HELLO: Seen = [(b"/up", b"hello"), (b"/next", b"")]
EMPTY: Seen = [(b"/up", b""), (b"/next", b"")]
BAD = "http1.codec_error"
CONTROL = "http1.invalid_characters"
BOTH = "http1.content_length_and_chunked_not_allowed"
CODING = "http1.invalid_transfer_encoding"


def post(fields: bytes, body: bytes, method: bytes = b"POST") -> bytes:
    return method + b" /up HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + body


def length(value: bytes) -> bytes:
    return b"Content-Length:" + value + b"\r\n"


def coding(value: bytes) -> bytes:
    return b"Transfer-Encoding:" + value + b"\r\n"


def chunks(body: bytes) -> bytes:
    return post(CHUNKED, body + NEXT)


TAKEN: tuple[tuple[bytes, Seen], ...] = (
    (post(length(b" 5"), b"hello" + NEXT), HELLO),
    (post(length(b"5"), b"hello" + NEXT), HELLO),
    (post(length(b"    5  "), b"hello" + NEXT), HELLO),
    (post(length(b"\t5\t"), b"hello" + NEXT), HELLO),
    (post(length(b" 05"), b"hello" + NEXT), HELLO),
    (post(length(b"\r\n 5"), b"hello" + NEXT), HELLO),
    (post(length(b" 5\r"), b"hello" + NEXT), HELLO),
    (post(b"CONTENT-LENGTH: 5\r\n", b"hello" + NEXT), HELLO),
    (post(b"Content-Length: 5\n", b"hello" + NEXT), HELLO),
    (post(length(b" 5"), b"hello\r\n" + NEXT), HELLO),
    (post(length(b" 0"), NEXT), EMPTY),
    (post(b"", NEXT), EMPTY),
    (post(length(b" 5"), b"hello" + NEXT, b"GET"), HELLO),
    (post(length(b" 0"), NEXT, b"GET"), EMPTY),
    (post(length(b" 5"), b"hello" + NEXT, b"HEAD"), HELLO),
    (post(length(b" %d" % len(NEXT)), NEXT), [(b"/up", NEXT)]),
    (post(CHUNKED, CHUNKS + NEXT), HELLO),
    (post(CHUNKED, CHUNKS + NEXT, b"GET"), HELLO),
    (post(coding(b" CHUNKED"), CHUNKS + NEXT), HELLO),
    (post(coding(b"\tchunked"), CHUNKS + NEXT), HELLO),
    (post(coding(b" chunked  "), CHUNKS + NEXT), HELLO),
    (post(coding(b"\r\n chunked"), CHUNKS + NEXT), HELLO),
    (post(coding(b" chunked\r"), CHUNKS + NEXT), HELLO),
    (post(b"Transfer_Encoding: chunked\r\n", NEXT), EMPTY),
    (post(b"Content_Length: 5\r\n", NEXT), EMPTY),
    (post(b"X: a\r\n Content-Length: 5\r\n", NEXT), EMPTY),
    (post(b"X: a\r\n\tTransfer-Encoding: chunked\r\n", NEXT), EMPTY),
    (post(b"X: Content-Length: 5\r\n", NEXT), EMPTY),
    (chunks(b"5;a=b\r\nhello\r\n0;x\r\n\r\n"), HELLO),
    (chunks(b"5 ; a\r\nhello\r\n0\r\n\r\n"), HELLO),
    (chunks(b"5 \r\nhello\r\n0\r\n\r\n"), HELLO),
    (chunks(b"5\t\r\nhello\r\n0\r\n\r\n"), HELLO),
    (chunks(b"0000000000000000000000005\r\nhello\r\n0\r\n\r\n"), HELLO),
    (chunks(b"5\r\nhello\n0\r\n\r\n"), HELLO),
    (chunks(b"5\r\nhello\r\n0\r\n\n"), HELLO),
    (chunks(b"5;" + b"a" * 40000 + b"\r\nhello\r\n0\r\n\r\n"), HELLO),
    (chunks(b"5;a\0b\r\nhello\r\n0\r\n\r\n"), HELLO),
    (chunks(b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"), HELLO),
    (chunks(b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n"), HELLO),
    (chunks(b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), HELLO),
    (chunks(b"5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n"), HELLO),
    (chunks(b"%x\r\n%b\r\n0\r\n\r\n" % (len(NEXT), NEXT)), [(b"/up", NEXT), (b"/next", b"")]),
    (b"\r\n\r\n\n\n" + post(b"", NEXT), EMPTY),
    (b"POST /up HTTP/1.1\nHost: a\n\n" + NEXT, EMPTY),
    (b"POST /up HTTP/1.1\r\nHost: a\n\r\n" + NEXT, EMPTY),
    (b"POST /up HTTP/1.1\nHost: a\r\n\n" + NEXT, EMPTY),
    (b"POST http://b/up HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT, EMPTY),
    (post(b"X: a\rb\r\n", NEXT), EMPTY),
    (post(b"Upgrade: websocket\r\n", NEXT), EMPTY),
    (post(b"Connection: upgrade\r\nUpgrade: h2c\r\n", NEXT), EMPTY),
)

TUNNELS: tuple[tuple[bytes, bytes], ...] = (
    (b"CONNECT a:1 HTTP/1.1\r\n\r\n" + NEXT, NEXT),
    (b"CONNECT a:1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + NEXT, NEXT),
    (post(b"Connection: upgrade\r\nUpgrade: ws\r\n", NEXT), NEXT),
    (post(b"Connection: upgrade\r\nUpgrade: ws\r\n" + length(b" 0"), NEXT), NEXT),
    (post(b"Connection: upgrade\r\nUpgrade: ws\r\n" + length(b" 3"), NEXT), NEXT),
    (post(b"Connection: upgrade\r\nUpgrade: ws\r\n" + CHUNKED, CHUNKS + NEXT), CHUNKS + NEXT),
)
"""Everything behind these heads is payload, however it looks."""

REFUSED: tuple[tuple[bytes, str], ...] = (
    (post(length(b" 5") * 2, b"hello"), BAD),
    (post(length(b" 5") + length(b" 6"), b"hello"), BAD),
    (post(length(b" 5") + b"X: y\r\n" + b"content-LENGTH: 5\r\n", b"hello"), BAD),
    (post(length(b" 5, 5"), b"hello"), BAD),
    (post(length(b" +5"), b"hello"), BAD),
    (post(length(b" -5"), b"hello"), BAD),
    (post(length(b" 0x5"), b"hello"), BAD),
    (post(length(b""), b""), BAD),
    (post(length(b" 5 5"), b"hello"), BAD),
    (post(length(b" 5\r\n 5"), b"hello"), BAD),
    (post(length(b" 5.0"), b"hello"), BAD),
    (post(length(b" 5;"), b"hello"), BAD),
    (post(length(b' "5"'), b"hello"), BAD),
    (post(length(b" 18446744073709551616"), b"hello"), BAD),
    (post(length(b" \x0b5"), b"hello"), CONTROL),
    (post(length(b" 5\0"), b"hello"), CONTROL),
    (post(b"Content-Length : 5\r\n", b"hello"), BAD),
    (post(b"\xffContent-Length: 5\r\n", b"hello"), BAD),
    (post(b"Content Length: 5\r\n", b"hello"), BAD),
    (post(length(b" 5") + CHUNKED, CHUNKS), BOTH),
    (post(CHUNKED + length(b" 5"), CHUNKS), BOTH),
    (post(length(b" 0") + CHUNKED, CHUNKS), BOTH),
    (post(coding(b" identity") + length(b" 5"), b"hello"), BOTH),
    (post(coding(b" xchunked") + length(b" 5"), b"hello"), BOTH),
    (post(CHUNKED * 2, CHUNKS), CODING),
    (post(coding(b" chunked, chunked"), CHUNKS), CODING),
    (post(coding(b" gzip, chunked"), CHUNKS), CODING),
    (post(coding(b" chunked, gzip"), CHUNKS), CODING),
    (post(coding(b" gzip"), CHUNKS), CODING),
    (post(coding(b" identity"), b""), CODING),
    (post(coding(b' "chunked"'), CHUNKS), CODING),
    (post(coding(b" xchunked"), CHUNKS), CODING),
    (post(coding(b" chunked;q=1"), CHUNKS), CODING),
    (post(coding(b" chunked,"), CHUNKS), CODING),
    (post(coding(b" ,chunked"), CHUNKS), CODING),
    (post(coding(b""), CHUNKS), CODING),
    (post(coding(b" gzip") + CHUNKED, CHUNKS), CODING),
    (post(coding(b" chunk\r\n ed"), CHUNKS), CODING),
    (post(coding(b" \x0bchunked"), CHUNKS), CONTROL),
    (post(coding(b" chun\0ked"), CHUNKS), CONTROL),
    (post(b"Transfer-Encoding : chunked\r\n", CHUNKS), BAD),
    (post(b"Transfer-Encoding\r\n: chunked\r\n", CHUNKS), BAD),
    (b"POST /up HTTP/1.1\r\n Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, BAD),
    (post(b": chunked\r\n", CHUNKS), BAD),
    (b"CONNECT a:1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "http1.body_disallowed"),
    (b"CONNECT a:1 HTTP/1.1\r\n" + CHUNKED + b"\r\n" + CHUNKS, CODING),
    (chunks(b" 5\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"+5\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"-5\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"g\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"5g\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b";a\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"1_0\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"5\nhello\n0\n\n"), BAD),
    (chunks(b"5\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"5\rhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"5\r\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), BAD),
    (chunks(b'5;a="\n"\r\nhello\r\n0\r\n\r\n'), BAD),
    (chunks(b"5\r\nhello0\r\n\r\n"), BAD),
    (chunks(b"5\r\nhello\r\n0\nX-T: 1\n\n"), BAD),
    (chunks(b"5\r\nhello\r\n0\r\nX T: 1\r\n\r\n"), BAD),
    (chunks(b"5\r\nhello\r\n0\r\nX\r\n\r\n"), BAD),
    (chunks(b"5\r\nhello\r\n0\r\nX: \0\r\n\r\n"), CONTROL),
    (chunks(b"5\r\nhello\r\n0\r\n\r\r\n"), BAD),
)

STRICTER: tuple[tuple[bytes, str], ...] = (
    (chunks(b"5\r\nhelloX\r\n0\r\n\r\n"), BAD),
    (chunks(b"5\r\nhello;X\n0\r\n\r\n"), BAD),
    (post(length(b" 1\r5"), b"hello"), BAD),
)
"""Envoy takes the first two and reads over what stands between the data and the line's end."""


class SmugglingTests(SynchronousTestCase):
    def feed(self, data: bytes, size: int) -> ServerOwner:
        owner = ServerOwner(answers=True)
        owner.feed(*(data[start : start + size] for start in range(0, len(data), size)))
        return owner

    def seen(self, owner: ServerOwner) -> Seen:
        """The paths and bodies of all whole requests."""
        return [
            (message.headers[b":path"], message.body)
            for message in owner.requests
            if message.headers is not None and message.ended
        ]

    def test_enough(self) -> None:
        """There are at least as many shapes as promised."""
        self.assertGreaterEqual(len(TAKEN) + len(TUNNELS) + len(REFUSED) + len(STRICTER), 60)

    def test_taken(self) -> None:
        """Shapes that are read: exactly these requests, whole and byte by byte."""
        for data, seen in TAKEN:
            for size in (len(data), 1 if len(data) < 1000 else 777):
                owner = self.feed(data, size)
                self.assertIsNone(owner.error, data)
                self.assertEqual(self.seen(owner), seen, data)

    def test_tunnels(self) -> None:
        """Payload is never read as a request."""
        for data, payload in TUNNELS:
            for size in (len(data), 1):
                owner = self.feed(data, size)
                self.assertEqual(len(owner.requests), 1)
                self.assertEqual(owner.requests[0].body, payload)

    def test_refused(self) -> None:
        """Shapes that are refused: no request is whole, and nothing behind is read."""
        for data, details in REFUSED + STRICTER:
            for size in (len(data), 1):
                owner = self.feed(data + NEXT, size)
                assert owner.error is not None, data
                self.assertEqual(owner.error.details, details, data)
                self.assertEqual(self.seen(owner), [], data)
                self.assertEqual(len(owner.requests), 1)

    def test_framedAnew(self) -> None:
        """What is taken leaves with a framing of our own: another server sees the same requests."""
        for data, seen in TAKEN:
            first = self.feed(data, len(data))
            again = ServerOwner(answers=True)
            for message in first.requests:
                assert message.headers is not None
                headers = message.headers.copy()
                for name in (b"transfer-encoding", b"connection", b"upgrade", b"te"):
                    headers.remove(name)
                client = ClientOwner()
                client.request(headers, message.body or None)
                again.feed(client.sent)
            self.assertIsNone(again.error, data)
            self.assertEqual(self.seen(again), seen, data)

    def test_responseSplitting(self) -> None:
        """Nothing that comes in can put a line end into what goes out."""
        for value in (b"a\r\nX: b", b"a\nX: b", b"a\rX: b", b"a\r\n X: b"):
            owner = ServerOwner(answers=True)
            owner.feed(post(b"Y: " + value + b"\r\n", b""))
            headers = owner.requests[0].headers
            if headers is not None:
                self.assertIsInstance(headers, HeaderMap)
                for _, each in headers.pairs():
                    self.assertNotIn(b"\r", each)
                    self.assertNotIn(b"\n", each)
