"""First bytes of connections; the answers are Envoy 1.40's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.http_inspector import PREFACE, HTTPReader, NotHTTP

FOUND = {
    "http/1.1": (
        b"GET / HTTP/1.1\r\n",
        b"FOO / HTTP/1.1\r\n",
        b"get / HTTP/1.1\r\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET / HTTP/1.1 \r\n",
        b"GET\t/\tHTTP/1.1\r\n",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nfoo",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"CONNECT / HTTP/1.1\r\n",
        b"PRI / HTTP/1.1\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n",
    ),
    "http/1.0": (
        b"GET / HTTP/1.0\r\n",
        b"GET /\r\n",
        b"GET / \r\n",
        b"GET / HTTP/0.9\r\n",
        b"GET / HTTP/2.0\r\n",
        b"GET / HTTP/1.2\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX",
    ),
    "h2c": (PREFACE, PREFACE + b"abc"),
    "none": (
        b"hello\r\n",
        b"hello world\r\n",
        b"\r\nGET / HTTP/1.1\r\n",
        b"\n",
        b"\r",
        b"GE\xffT / HTTP/1.1\r\n",
        b"\xff",
        b"\x00\x01",
        b"\x16\x03\x01",
        b" GET / HTTP/1.1\r\n",
        b"GET / http/1.1\r\n",
        b"GET /a b HTTP/1.1\r\n",
        b"GET foo HTTP/1.1\r\n",
        b"G:T / HTTP/1.1\r\n",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET / HTTP/1.1x\r\n",
        b"GET / FTP/1.1\r\n",
        b"GET / HTTP/1.\r\n",
        b"GET\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-x\r\n",
    ),
}
WAITING = (b"", b"G", b"hello", b"GET / HTTP/1.1", b"GET / HTTP/1.1\r", b"PRI * HTTP/2.0\r\n")


def answer(*parts: bytes) -> str | None:
    """What a reader says of bytes that come in parts; it is asked no more once it knows."""
    reader = HTTPReader()
    data = b""
    for part in parts:
        data += part
        try:
            found = reader.feed(data)
        except NotHTTP:
            return "none"
        if found is not None:
            return found
    return None


class HTTPReaderTests(SynchronousTestCase):
    """Sans-IO."""

    def test_answers(self) -> None:
        """Each beginning gets Envoy's answer."""
        for expected, beginnings in FOUND.items():
            for data in beginnings:
                self.assertEqual(answer(data), expected, data[:40])

    def test_waits(self) -> None:
        """What may become anything is no answer."""
        for data in WAITING:
            self.assertIsNone(answer(data), data)

    def test_everySplit(self) -> None:
        """However the bytes come, the answer is the same."""
        for expected, beginnings in FOUND.items():
            for data in beginnings:
                if len(data) < 100:
                    for cut in range(len(data) + 1):
                        self.assertEqual(answer(data[:cut], data[cut:]), expected, (data, cut))
                    bytewise = [data[at : at + 1] for at in range(len(data))]
                    self.assertEqual(answer(*bytewise), expected, data)

    @given(st.binary(max_size=60), st.integers(0, 60))
    def test_anyBytes(self, data: bytes, cut: int) -> None:
        """Nothing breaks it, and parts make no difference."""
        self.assertEqual(answer(data[:cut], data[cut:]), answer(data))

    @given(st.binary(max_size=40))
    def test_anyLine(self, middle: bytes) -> None:
        """A complete line always has an answer."""
        self.assertIsNotNone(answer(b"GET " + middle + b" HTTP/1.1\r\n"))
