"""Responses to CONNECT; every verdict here is Envoy 1.40's own on the same bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.connect_response import (
    MOST_BYTES,
    BadResponse,
    ConnectResponse,
    ConnectResponseReader,
)

OK = b"HTTP/1.1 200 OK\r\n"
END = b"\r\n"


def read(*chunks: bytes) -> ConnectResponse | None | str:
    """What becomes of the chunks, those behind an answer as its rest; "bad" for BadResponse."""
    reader = ConnectResponseReader()
    try:
        for at, chunk in enumerate(chunks, 1):
            answer = reader.feed(chunk)
            if answer is not None:
                rest = answer.rest + b"".join(chunks[at:])
                return ConnectResponse(answer.status, answer.closes, rest)
    except BadResponse:
        return "bad"
    return None


GOOD = {
    OK + END + b"EARLY": (200, False),
    b"HTTP/1.1 204 No\r\n\r\nX": (204, False),
    b"HTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\nX": (204, False),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\na: b\r\n\r\n" + OK + END + b"X": (200, False),
    b"HTTP/1.1 100 C\r\n\r\n" * 150 + OK + END: (200, False),
    b"HTTP/1.1 101 Switch\r\n\r\nX": (101, False),
    b"HTTP/1.0 200 OK\r\n\r\nX": (200, True),
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nX": (200, False),
    b"HTTP/2.0 200 OK\r\n\r\nX": (200, True),
    OK + b"connection: a\r\nConnection: b, Close\r\n\r\n": (200, True),
    OK + b"a: b\r\n" * 100 + END + b"X": (200, False),
    b"HTTP/1.1 200 OK\n\nX": (200, False),
    b"HTTP/1.1 200 OK\n\r\nX": (200, False),
    OK + b"a: b\r\n c\r\n\r\nX": (200, False),
    b"HTTP/1.1 200\r\n\r\nX": (200, False),
    b"HTTP/1.1 200 \r\n\r\nX": (200, False),
    b"HTTP/1.1  200 OK\r\n\r\nX": (200, False),
    b"HTTP/1.1\t200\tOK\r\n\r\nX": (200, False),
    b"HTTP/1.1 0200 OK\r\n\r\nX": (200, False),
    b"HTTP/1.1 200 O\xffK\r\n\r\nX": (200, False),
    OK + b"content-length: 1\r\n\r\nXYZ": (200, False),
    OK + b"content-length: \r\n 1\r\n\r\nXYZ": (200, False),
    OK + b"transfer-encoding: Chunked\r\n\r\nXYZ": (200, False),
    OK + b"a: b\x80c\td\r\n\r\nX": (200, False),
    OK + b"a: b\rc\r\n\r\nX": (200, False),
    b"HTTP/1.1 000 OK\r\n\r\nX": (0, False),
    b"HTTP/1.1 20 OK\r\n\r\nX": (20, False),
    b"HTTP/1.1 407 No\r\ncontent-length: 3\r\n\r\nabc": (407, False),
    b"HTTP/1.1 1000 No\r\n\r\n": (1000, False),
}
"""Response -> status, closes; the rest is what stands behind the last empty line."""

BAD = (
    b"hello there\r\n\r\n",
    b"hello",
    b"\r\n\r\n" + OK + END,
    b"http/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1-200 OK\r\n\r\n",
    b"HTTP/1 200 OK\r\n\r\n",
    b"HTTP/x.y 200 OK\r\n\r\n",
    b"HTTP/1.11 200 OK\r\n\r\n",
    b"HTTP/1.1 200OK\r\n\r\n",
    b"HTTP/1.1 -200 OK\r\n\r\n",
    b"HTTP/1.1 200 O\x01K\r\n\r\n",
    OK + b"foo bar\r\n\r\n",
    OK + b" a: c\r\n\r\n",
    OK + b"a: b\r\n c\0\r\n\r\n",
    OK + b"a: b\0c\r\n\r\n",
    OK + b"a: b\x01c\r\n\r\n",
    OK + b"a: b\x7fc\r\n\r\n",
    OK + b"foo : b\r\n\r\n",
    OK + b": b\r\n\r\n",
    OK + b"a(b: c\r\n\r\n",
    OK + b"a\x80: c\r\n\r\n",
    OK + b"a: b\r\n" * 101 + END,
    OK + b"content-length: x\r\n\r\n",
    OK + b"content-length:\r\n\r\n",
    OK + b"content-length: 1\r\n 2\r\n\r\n",
    OK + b"content-length: 1\r\ncontent-length: 1\r\n\r\n",
    OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
    OK + b"transfer-encoding: odd\r\n\r\n",
    OK + b"transfer-encoding: gzip, chunked\r\n\r\n",
    OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.1 403 No\r\ntransfer-encoding: odd\r\n\r\n",
    b"HTTP/1.1 204 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.1 204 OK\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 100 C\r\ncontent-length: 5\r\n\r\n" + OK + END,
    b"HTTP/1.1 100 C\r\nfoo\r\n\r\n" + OK + END,
)


class ConnectResponseTests(SynchronousTestCase):
    """Whole responses, and all the ways to cut them."""

    def test_good(self) -> None:
        """Each is read, and what is behind it is handed back."""
        for text, (status, closes) in GOOD.items():
            rest = text[
                max(text.rfind(end) + len(end) for end in (b"\n\r\n", b"\n\n") if end in text) :
            ]
            self.assertEqual(read(text), ConnectResponse(status, closes, rest), text)

    def test_bad(self) -> None:
        """Each is refused."""
        for text in BAD:
            self.assertEqual(read(text), "bad", text)

    def test_everySplit(self) -> None:
        """In two pieces, and in single bytes, the answer is the same."""
        for text in (*GOOD, *BAD):
            whole = read(text)
            for at in range(len(text)) if len(text) < 300 else range(0, len(text), 37):
                self.assertEqual(read(text[:at], text[at:]), whole, (text, at))
            self.assertEqual(read(*(text[at : at + 1] for at in range(len(text)))), whole, text)

    def test_partial(self) -> None:
        """Every beginning of a response asks for more, and is `begun` unless it is empty."""
        text = b"HTTP/1.1 103 E\r\n\r\n" + OK + b"a: b\r\n\r\n"
        for at in range(len(text)):
            reader = ConnectResponseReader()
            self.assertIsNone(reader.feed(text[:at]))
            self.assertEqual(reader.begun, at not in (0, len(b"HTTP/1.1 103 E\r\n\r\n")), at)

    def test_size(self) -> None:
        """A head may have 80 KiB and not a byte more, however it comes; the rest does not count."""
        room = MOST_BYTES - len(OK + b"a: \r\n\r\n")
        fits = OK + b"a: " + b"x" * room + b"\r\n\r\n"
        large = OK + b"a: " + b"x" * (room + 1) + b"\r\n\r\n"
        for size in (1000, 100_000):
            answer = read(
                *(fits[at : at + size] for at in range(0, len(fits), size)), b"r" * 100_000
            )
            self.assertIsInstance(answer, ConnectResponse)
            cut = [large[at : at + size] for at in range(0, len(large), size)]
            self.assertEqual(read(*cut), "bad")
        self.assertEqual(read(OK, b"x" * MOST_BYTES), "bad")

    def test_opens(self) -> None:
        """Any 2xx does."""
        opens = [
            code
            for code in (0, 101, 199, 200, 204, 299, 300, 403, 2000)
            if ConnectResponse(code, False, b"").opens
        ]
        self.assertEqual(opens, [200, 204, 299])

    @given(st.binary(max_size=80), st.integers(0, 100))
    def test_anything(self, noise: bytes, at: int) -> None:
        """Any bytes are answered or refused, the same however they come."""
        for text in (noise, OK + noise, b"HTTP/1.1 100 C\r\n" + noise):
            whole = read(text)
            self.assertEqual(read(text[:at], text[at:]), whole)
            self.assertEqual(read(*(text[i : i + 1] for i in range(len(text)))), whole)
