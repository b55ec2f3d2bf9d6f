"""Tests of twisted_envoy.codec.h1.fields; other parsers are the judges of some."""

from __future__ import annotations

import h11
import httptools
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ServerOwner
from twisted_envoy.codec.h1.fields import (
    closesConnection,
    contentLength,
    findEnd,
    hasToken,
    splitLines,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError


def read(fields: bytes) -> list[tuple[bytes, bytes]] | str:
    """The fields of a request; details when it is refused."""
    owner = ServerOwner()
    owner.feed(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")
    if owner.error is not None:
        return owner.error.details
    headers = owner.requests[0].headers
    assert headers is not None
    return [(name, value) for name, value in headers.pairs() if name not in (b":method", b":path")]


class FieldTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Blanks around a value are none of it; any byte that is no control is."""
        fields = read(b"X:\r\nY:   \r\nZ: \t v \t\r\nHi: a\xff\tb\r\n")
        self.assertEqual(fields, [(b"x", b""), (b"y", b""), (b"z", b"v"), (b"hi", b"a\xff\tb")])

    def test_names(self) -> None:
        """Every token is a name, in lower case; nothing else is."""
        self.assertEqual(read(b"!#$%&'*+-.^_`|~1Az: b\r\n"), [(b"!#$%&'*+-.^_`|~1az", b"b")])
        for line in (
            *(
                b"X : b",
                b"X",
                b": v",
                b"X\xff: b",
                b"a(b: b",
                b"a@b: b",
                b"\rX: b",
                b"Host",
                b"a/b:",
            ),
            *(b"X\t: b", b'"x": b', b"{x}: b", b"[x]: b", b"x=y: b"),
        ):
            self.assertEqual(read(b"A: b\r\n" + line + b"\r\n"), "http1.codec_error", line)

    def test_controls(self) -> None:
        """Control characters are refused, wherever they are."""
        for byte in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F):
            line = b"X: a" + bytes([byte]) + b"b\r\n"
            self.assertEqual(read(line), "http1.invalid_characters", line)

    def test_lineEnds(self) -> None:
        """Bare line feeds end lines; carriage returns inside a value are taken out."""
        for fields in (
            b"A: 1\nB: 2\n",
            b"A: 1\r\nB: 2\n",
            b"A: 1\nB: 2\r\n",
            b"A: 1\r\r\nB: 2\r\n",
        ):
            self.assertEqual(read(fields), [(b"a", b"1"), (b"b", b"2")], fields)
        self.assertEqual(read(b"A: 1\r2\r\n"), [(b"a", b"12")])
        self.assertEqual(read(b"Content-Length: 1\r2\r\n"), "http1.codec_error")
        self.assertEqual(read(b"Transfer-Encoding: chun\rked\r\n"), "http1.codec_error")

    def test_folded(self) -> None:
        """Folded lines are joined with their blanks; the first line cannot be one."""
        self.assertEqual(read(b"A: b\r\n  c\r\n\td\r\n"), [(b"a", b"b  c\td")])
        self.assertEqual(read(b"A: b\r\n   \r\nC: d\r\n"), [(b"a", b"b"), (b"c", b"d")])
        self.assertEqual(read(b"A: b\nA: c\n d\n"), [(b"a", b"b"), (b"a", b"c d")])
        self.assertEqual(read(b"A:\r\n b\r\n"), [(b"a", b"b")])
        self.assertEqual(read(b" A: b\r\n"), "http1.codec_error")
        self.assertEqual(read(b"Host: a\r\n Content-Length: 5\r\n"), "http.invalid_authority")

    def test_order(self) -> None:
        """Fields keep their order."""
        self.assertEqual(
            read(b"B: 1\r\nA: 2\r\nb: 3\r\n"), [(b"b", b"1"), (b"a", b"2"), (b"b", b"3")]
        )


class BlockTests(SynchronousTestCase):
    def test_end(self) -> None:
        """The first empty line ends a block."""
        for data, end in (
            *((b"a\r\n\r\nb", 5), (b"a\n\nb", 3), (b"a\r\n\nb", 4), (b"a\n\r\nb", 4)),
            *((b"a\n\nb\r\n\r\n", 3), (b"a\r\n\r\nb\n\n", 5), (b"a\r\n\r", -1), (b"a\n", -1)),
        ):
            self.assertEqual(findEnd(data, 0), end, data)

    def test_ordinary(self) -> None:
        """Only CRLF may be in a block that is split the fast way."""
        self.assertEqual(splitLines(b"a\r\nb\r\n\r\n"), [b"a", b"b"])
        for block in (b"a\nb\r\n\r\n", b"a\rb\r\n\r\n", b"a\0b\r\n\r\n", b"a\n\nb\r\n\r\n"):
            self.assertIsNone(splitLines(block))

    def test_earlierEnd(self) -> None:
        """A head that ends with bare line feeds ends there, whatever comes behind."""
        owner = ServerOwner(answers=True)
        owner.feed(b"GET /1 HTTP/1.1\nHost: a\n\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        paths = [message.headers and message.headers[b":path"] for message in owner.requests]
        self.assertEqual(paths, [b"/1", b"/2"])


class MeaningTests(SynchronousTestCase):
    def test_lengths(self) -> None:
        """Digits only, once, below 2**64."""
        for value, length in (
            (b"5", 5),
            (b"05", 5),
            (b"0", 0),
            (b"18446744073709551615", 2**64 - 1),
        ):
            self.assertEqual(contentLength(HeaderMap([(b"content-length", value)])), length)
        self.assertIsNone(contentLength(HeaderMap()))
        for value in (
            *(b"", b"+5", b"-5", b"0x5", b"5, 5", b"5 5", b"5.0", b"18446744073709551616"),
            *(b"9" * 5000, b"\xd9\xa5", b"1_0"),
        ):
            headers = HeaderMap([(b"content-length", value)])
            self.assertRaises(CodecError, contentLength, headers)
        twice = HeaderMap([(b"content-length", b"5"), (b"a", b""), (b"content-length", b"5")])
        self.assertRaises(CodecError, contentLength, twice)

    def test_tokens(self) -> None:
        """Words between commas, of all values, in any case."""
        headers = HeaderMap([(b"c", b"a, Close"), (b"c", b"x")])
        for token, found in ((b"close", True), (b"x", True), (b"clo", False), (b"a", True)):
            self.assertEqual(hasToken(headers, b"c", token), found)
        self.assertFalse(hasToken(headers, b"d", b"close"))
        self.assertFalse(hasToken(HeaderMap([(b"c", b"closed")]), b"c", b"close"))

    def test_closes(self) -> None:
        """Which messages end their connection."""
        for protocol, pairs, closes in (
            ("HTTP/1.1", [], False),
            ("HTTP/1.1", [(b"connection", b"close")], True),
            ("HTTP/1.1", [(b"connection", b"keep-alive")], False),
            ("HTTP/1.1", [(b"proxy-connection", b"Close")], True),
            ("HTTP/1.0", [], True),
            ("HTTP/1.0", [(b"connection", b"Keep-Alive")], False),
            ("HTTP/1.0", [(b"connection", b"keep-alive, close")], True),
        ):
            self.assertEqual(closesConnection(protocol, HeaderMap(pairs)), closes, pairs)


NAME = st.sampled_from([b"A", b"b-C", b"Host", b"Accept", b"X-Y", b"a b", b"\xe9", b"", b"Cookie"])
VALUE = st.sampled_from(
    [b"", b"1", b" 2 ", b"\t3", b"a b", b"\xff", b"a\0", b"c\rd", b"a\n e", b","]
)
HEADS = st.lists(
    st.tuples(NAME, st.sampled_from([b":", b": ", b" :", b""]), VALUE), max_size=5
).map(lambda lines: b"".join(a + b + c + b"\r\n" for a, b, c in lines))


class _Seen:
    """What httptools tells."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_message_complete(self) -> None:
        self.complete = True


class OracleTests(SynchronousTestCase):
    """Other parsers are stricter; what they take we read the same way."""

    def check(self, fields: bytes, expected: list[tuple[bytes, bytes]]) -> None:
        ours = read(fields)
        if ours == "http.invalid_authority":
            return
        assert not isinstance(ours, str), (ours, fields)
        hosts = [value for name, value in expected if name == b"host"]
        theirs = [pair for pair in expected if pair[0] != b"host"]
        if hosts:
            theirs.append((b":authority", b",".join(hosts)))
        self.assertEqual(sorted(ours), sorted(theirs))

    @settings(max_examples=200, deadline=None)
    @given(HEADS)
    def test_httptools(self, fields: bytes) -> None:
        """llhttp."""
        seen = _Seen()
        try:
            httptools.HttpRequestParser(seen).feed_data(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")
        except httptools.HttpParserError:
            return
        if seen.complete:
            self.check(fields, seen.fields)

    @settings(max_examples=200, deadline=None)
    @given(HEADS)
    def test_h11(self, fields: bytes) -> None:
        """h11; it joins folded lines with one blank."""
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return
        if isinstance(event, h11.Request) and b"\n " not in fields and b"\r" not in fields[:-2]:
            self.check(fields, [(bytes(name), bytes(value)) for name, value in event.headers])
