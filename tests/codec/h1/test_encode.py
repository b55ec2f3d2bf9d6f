"""Tests of twisted_envoy.codec.h1.encode."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h1.encode import (
    fieldLines,
    proper,
    responseLines,
    statusLine,
    writeChunk,
)
from twisted_envoy.codec.headers import HeaderMap


class StatusTests(SynchronousTestCase):
    def test_reasons(self) -> None:
        """Envoy's phrases; `Unknown` where it has none."""
        for status, line in (
            (b"200", b"HTTP/1.1 200 OK\r\n"),
            (b"413", b"HTTP/1.1 413 Payload Too Large\r\n"),
            (b"418", b"HTTP/1.1 418 Unknown\r\n"),
            (b"451", b"HTTP/1.1 451 Unknown\r\n"),
            (b"599", b"HTTP/1.1 599 Last Unassigned Server Error Code\r\n"),
        ):
            self.assertEqual(statusLine(status, "HTTP/1.1"), line)
        self.assertEqual(statusLine(b"404", "HTTP/1.0"), b"HTTP/1.0 404 Not Found\r\n")


class FieldTests(SynchronousTestCase):
    def test_pseudoHeaders(self) -> None:
        """They are left out, wherever they stand."""
        self.assertEqual(fieldLines(HeaderMap([(b":status", b"200")])), b"")
        self.assertEqual(fieldLines(HeaderMap()), b"")
        self.assertEqual(fieldLines(HeaderMap([(b":a", b"1"), (b"b", b"2")])), b"b: 2\r\n")
        late = HeaderMap([(b":a", b"1"), (b"b", b"2"), (b":path", b"/"), (b"c", b"3")])
        self.assertEqual(fieldLines(late), b"b: 2\r\nc: 3\r\n")

    def test_responses(self) -> None:
        """The short way for responses gives the same lines."""
        for pairs in (
            *([], [(b"a", b"1")], [(b"a", b"1"), (b"b", b"")], [(b"a", b"1"), (b"a", b"2")]),
        ):
            headers = HeaderMap([(b":status", b"200"), *pairs])
            self.assertEqual(responseLines(headers), fieldLines(headers))
        late = HeaderMap([(b"a", b"1"), (b":status", b"200"), (b"b", b"2")])
        self.assertEqual(responseLines(late), b"a: 1\r\nb: 2\r\n")

    def test_repeated(self) -> None:
        """Each value of a name has its line."""
        headers = HeaderMap([(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b":x", b"")])
        self.assertEqual(fieldLines(headers), b"a: 1\r\nb: 2\r\na: 3\r\n")

    def test_proper(self) -> None:
        """As observed on Envoy."""
        for name, spelt in (
            (b"x-1a.b_c!d'e~f", b"X-1a.B_C!D'E~F"),
            (b"foo--bar", b"Foo--Bar"),
            (b"etag", b"Etag"),
            (b"", b""),
        ):
            self.assertEqual(proper(name), spelt)


class ChunkTests(SynchronousTestCase):
    def test_sizes(self) -> None:
        """Small data is one piece; large data is not copied; the end rides along."""
        for size, last, pieces in ((5, False, 1), (5, True, 1), (0, True, 1), (9000, True, 3)):
            written: list[bytes] = []
            data = b"x" * size
            count = writeChunk(written.append, data, last)
            whole = b"".join(written)
            self.assertEqual(len(written), pieces)
            self.assertEqual(count, len(whole))
            expected = b"%x\r\n%b\r\n" % (size, data) if size else b""
            self.assertEqual(whole, expected + (b"0\r\n\r\n" if last else b""))
            if size > 4096:
                self.assertIs(written[1], data)
