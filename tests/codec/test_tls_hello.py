"""ClientHellos; every verdict here is Envoy 1.40's own on the same bytes."""

from __future__ import annotations

import ssl
import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.tls_hello import REASONS, ClientHello, ClientHelloReader, NotClientHello


def record(body: bytes, kind: int = 22, version: bytes = b"\3\1") -> bytes:
    """One TLS record."""
    return bytes([kind]) + version + struct.pack(">H", len(body)) + body


def message(body: bytes, kind: int = 1) -> bytes:
    """One handshake message."""
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def extension(number: int, body: bytes) -> bytes:
    """One extension."""
    return struct.pack(">HH", number, len(body)) + body


def serverName(*names: bytes, kind: int = 0) -> bytes:
    """The SNI extension."""
    block = b"".join(bytes([kind]) + struct.pack(">H", len(name)) + name for name in names)
    return extension(0, struct.pack(">H", len(block)) + block)


def protocols(*names: bytes) -> bytes:
    """The ALPN extension."""
    block = b"".join(bytes([len(name)]) + name for name in names)
    return extension(16, struct.pack(">H", len(block)) + block)


def hello(
    extensions: bytes | None = b"",
    version: bytes = b"\3\3",
    session: bytes = b"",
    ciphers: bytes = b"\xc0\x2f\x00\x2f",
    compressions: bytes = b"\0",
    extra: bytes = b"",
) -> bytes:
    """A ClientHello message."""
    body = version + b"R" * 32 + bytes([len(session)]) + session
    body += struct.pack(">H", len(ciphers)) + ciphers
    body += bytes([len(compressions)]) + compressions
    if extensions is not None:
        body += struct.pack(">H", len(extensions)) + extensions
    return message(body + extra)


def fromOpenSSL(name: str | None, *alpn: str) -> bytes:
    """What a real client sends."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


NAMED = hello(serverName(b"A.test") + protocols(b"h2", b"http/1.1"))
V2 = b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + b"\0\0\x2f" * 7 + b"c" * 16


class HelloTestCase(SynchronousTestCase):
    """Reads."""

    def read(self, data: bytes) -> ClientHello | None:
        """What the reader says of bytes that come at once."""
        self.reader = ClientHelloReader()
        return self.reader.feed(data)

    def refused(self, data: bytes) -> str:
        """Why it refuses them."""
        error = self.assertRaises(NotClientHello, self.read, data)
        self.assertEqual(error.code, REASONS.get(error.reason, error.code))
        reason: str = error.reason
        return reason


class FoundTests(HelloTestCase):
    """What is a ClientHello."""

    def test_openSSL(self) -> None:
        """A real client's name and protocols."""
        found = self.read(fromOpenSSL("Some.Host.test", "h2", "http/1.1"))
        self.assertEqual(found, ClientHello(0x303, "some.host.test", ("h2", "http/1.1")))
        self.assertEqual(self.read(fromOpenSSL(None)), ClientHello(0x303))

    def test_extensions(self) -> None:
        """None at all, an empty block, others only."""
        for extensions in (None, b"", extension(10, b"\0"), extension(43, b"\2\3\4")):
            self.assertEqual(self.read(record(hello(extensions))), ClientHello(0x303))

    def test_names(self) -> None:
        """Any bytes but NUL, in lower case; up to 255 of them."""
        for name, text in (
            (b"a.test.", "a.test."),
            (b"A b", "a b"),
            ("\u00c9.test".encode(), "\u00c3\u0089.test"),
            (b"x" * 255, "x" * 255),
        ):
            self.assertEqual(self.read(record(hello(serverName(name)))), ClientHello(0x303, text))

    def test_malformedProtocols(self) -> None:
        """A broken ALPN list is as good as none."""
        for body in (b"\0\0", b"\0\5\2h2", b"\0\1\0", b"\0\3\2h2x", b"\0"):
            found = self.read(record(hello(extension(16, body))))
            self.assertEqual(found, ClientHello(0x303))

    def test_versions(self) -> None:
        """The legacy version is told as it is; the record's own does not matter beyond its 3."""
        for version in (0x0300, 0x0301, 0x0305, 0xFEFF):
            found = self.read(record(hello(version=struct.pack(">H", version))))
            self.assertEqual(found, ClientHello(version))
        self.assertEqual(self.read(record(hello(), version=b"\3\xff")), ClientHello(0x303))

    def test_details(self) -> None:
        """A session id of 32 bytes, several compressions."""
        data = record(hello(session=b"s" * 32, compressions=b"\1\0"))
        self.assertEqual(self.read(data), ClientHello(0x303))

    def test_version2(self) -> None:
        """The form of SSL 2."""
        self.assertEqual(self.read(V2), ClientHello(0x301))
        self.assertEqual(self.reader.consumed, len(V2))

    def test_version2Empty(self) -> None:
        """That form without one cipher that TLS knows says nothing."""
        with self.assertRaisesRegex(NotClientHello, "CLIENTHELLO_PARSE_FAILED"):
            self.read(V2.replace(b"\0\0\x2f", b"\1\0\x80"))

    def test_manyRecords(self) -> None:
        """A message in pieces, with up to 32 empty records and 4 warnings around them."""
        pieces = b"".join(record(NAMED[at : at + 1]) for at in range(len(NAMED)))
        warnings = record(b"\1\x5a", 21) * 4
        found = self.read(record(b"") * 32 + warnings + pieces)
        self.assertEqual(found, ClientHello(0x303, "a.test", ("h2", "http/1.1")))

    def test_whatFollows(self) -> None:
        """Later records are left alone; `consumed` says where the first flight ends."""
        data = record(NAMED)
        self.assertIsNotNone(self.read(data + b"garbage"))
        self.assertEqual(self.reader.consumed, len(data))


class RefusedTests(HelloTestCase):
    """What is none, by BoringSSL's reasons."""

    def test_plaintext(self) -> None:
        """Decided with five bytes."""
        for data, reason in (
            (b"GET / HTTP/1.1", "HTTP_REQUEST"),
            (b"POST / HTTP/1.1", "HTTP_REQUEST"),
            (b"HEAD /", "HTTP_REQUEST"),
            (b"PUT / x", "HTTP_REQUEST"),
            (b"CONNECT x:1 HTTP/1.1", "HTTPS_PROXY_REQUEST"),
            (b"DELETE /", "WRONG_VERSION_NUMBER"),
            (b"SSH-2.0-x", "WRONG_VERSION_NUMBER"),
            (b"\0" * 10, "WRONG_VERSION_NUMBER"),
            (b"\xff" * 64, "WRONG_VERSION_NUMBER"),
            (record(hello(), version=b"\4\1"), "WRONG_VERSION_NUMBER"),
            (record(b"") + b"GET / HTTP", "WRONG_VERSION_NUMBER"),
        ):
            self.assertEqual(self.refused(data), reason, data)
        self.refused(b"hello")
        self.assertEqual(self.reader.consumed, 5)

    def test_records(self) -> None:
        """Other kinds of records, too many empty ones, too long ones."""
        for kind in (20, 23, 24, 99):
            self.assertEqual(self.refused(record(b"x", kind)), "UNEXPECTED_RECORD")
        self.assertEqual(self.refused(record(b"") * 33), "TOO_MANY_EMPTY_FRAGMENTS")
        self.assertEqual(self.refused(b"\x16\3\1\x48\1"), "ENCRYPTED_LENGTH_TOO_LONG")
        self.assertIsNone(self.read(b"\x16\3\1\x48\0"))

    def test_alerts(self) -> None:
        """A good-bye, a fatal alert, five warnings, one of a wrong size."""
        self.assertEqual(self.refused(record(b"\1\0", 21)), "CLOSE_NOTIFY")
        self.assertEqual(self.refused(record(b"\1\x5a", 21) * 5), "TOO_MANY_WARNING_ALERTS")
        self.assertEqual(self.refused(record(b"\1", 21)), "BAD_ALERT")
        error = self.assertRaises(NotClientHello, self.read, record(b"\2\50", 21))
        self.assertEqual((error.reason, error.code), ("ALERT_40", 0x410))

    def test_messages(self) -> None:
        """Other messages, bytes behind it, one that is too large."""
        self.assertEqual(self.refused(record(message(b"x" * 40, 2))), "UNEXPECTED_MESSAGE")
        self.assertEqual(self.refused(record(NAMED + b"x")), "EXCESS_HANDSHAKE_DATA")
        self.assertEqual(self.refused(record(b"\1\0\x40\1")), "EXCESSIVE_MESSAGE_SIZE")
        self.assertIsNone(self.read(record(b"\1\0\x40\0")))

    def test_malformed(self) -> None:
        """Every part of the message that can be wrong."""
        for made in (
            message(b""),
            message(b"\3\3abc"),
            hello(ciphers=b""),
            hello(ciphers=b"\1\2\3"),
            hello(compressions=b""),
            hello(session=b"s" * 33),
            hello(extra=b"z"),
            hello(None, extra=b"z"),
            hello(struct.pack(">HH", 99, 50) + b"x"),
            hello(extension(999, b"") * 2),
        ):
            self.assertEqual(self.refused(record(made)), "CLIENTHELLO_PARSE_FAILED", made)
        self.assertEqual(self.refused(V2[:10] + b"\x11" + V2[11:]), "CLIENTHELLO_PARSE_FAILED")

    def test_names(self) -> None:
        """A server name extension that is not exactly one host name."""
        for made in (
            serverName(b"a", b"b"),
            serverName(b"a", kind=1),
            serverName(b""),
            serverName(b"a\0b"),
            serverName(b"a" * 256),
            extension(0, b"\0\0"),
            extension(0, b""),
            extension(0, serverName(b"a")[4:] + b"x"),
        ):
            self.assertEqual(self.refused(record(hello(made))), "ERROR_PARSING_EXTENSION", made)


class SplitTests(HelloTestCase):
    """However the bytes come, the answer is the same."""

    def verdict(self, *parts: bytes) -> object:
        """What is said of bytes that come in parts."""
        reader = ClientHelloReader()
        data = b""
        for part in parts:
            data += part
            try:
                found = reader.feed(data)
            except NotClientHello as refused:
                return refused.reason, refused.code, reader.consumed
            if found is not None:
                return found, reader.consumed
        return None

    def test_everySplit(self) -> None:
        """At every byte, and byte by byte."""
        for data in (
            fromOpenSSL("a.test", "h2"),
            record(NAMED[:50]) + record(NAMED[50:]),
            V2,
            b"GET / HTTP/1.1",
            record(b"\1\0", 21),
            record(NAMED + b"x"),
        ):
            whole = self.verdict(data)
            self.assertIsNotNone(whole)
            for cut in range(len(data)):
                self.assertEqual(self.verdict(data[:cut], data[cut:]), whole, (data, cut))
            self.assertEqual(self.verdict(*[data[at : at + 1] for at in range(len(data))]), whole)

    @given(st.binary(max_size=200), st.integers(0, 200))
    def test_anyBytes(self, data: bytes, cut: int) -> None:
        """Any bytes are an answer, and nothing else is ever raised."""
        for begin in (b"", b"\x16\3\1", record(NAMED[:30]), b"\x80\x20\1\3"):
            whole = self.verdict(begin + data)
            self.assertEqual(self.verdict(begin + data[:cut], data[cut:]), whole)

    @given(st.data())
    def test_damaged(self, choose: st.DataObject) -> None:
        """A byte changed anywhere in a good message gives some answer."""
        data = bytearray(record(NAMED))
        data[choose.draw(st.integers(0, len(data) - 1))] = choose.draw(st.integers(0, 255))
        cut = choose.draw(st.integers(0, len(data)))
        self.assertEqual(
            self.verdict(bytes(data[:cut]), bytes(data[cut:])), self.verdict(bytes(data))
        )
