"""Headers of the PROXY protocol, whole and in parts; what is refused is what Envoy 1.40 refuses."""

from __future__ import annotations

import socket
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.proxy_protocol import SIGNATURE, binaryHeader, proxyHeader
from twisted_envoy.codec.proxy_protocol_reader import (
    LONGEST,
    ProxyHeader,
    ProxyProtocolProblem,
    headerVersion,
    mayBegin,
    readHeader,
)

FOUR = (IPv4Address("TCP", "1.2.3.4", 1111), IPv4Address("TCP", "10.0.0.1", 80))
SIX = (IPv6Address("TCP", "2001:db8::1", 1111), IPv6Address("TCP", "2001:db8::2", 80))
BODY4 = socket.inet_aton("1.2.3.4") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 1111, 80)


def binary(command: int, family: int, body: bytes, length: int | None = None) -> bytes:
    """A header of version 2."""
    size = len(body) if length is None else length
    return SIGNATURE + bytes((command, family)) + struct.pack("!H", size) + body


def tlv(kind: int, value: bytes) -> bytes:
    """An extension."""
    return bytes((kind,)) + struct.pack("!H", len(value)) + value


def read(data: bytes) -> ProxyHeader | int | None:
    """The header, None for more, or the version that the problem has."""
    try:
        version = headerVersion(data)
        return None if version is None else readHeader(data, version)
    except ProxyProtocolProblem as problem:
        return problem.version


class ReaderTests(SynchronousTestCase):
    """What is found in whole headers."""

    def test_written(self) -> None:
        """What is written is read, at every split point, and what follows is left."""
        tlvs = ((2, b"host"), (0xEA, b""), (2, b"again"))
        for ends in (FOUR, SIX):
            whole = binaryHeader(*ends, tlvs)[0]
            expected: list[tuple[bytes, ProxyHeader]] = [
                (whole, ProxyHeader(len(whole), *ends, tlvs)),
            ]
            for version in ("V1", "V2"):
                data = proxyHeader(version, *ends)
                expected.append((data, ProxyHeader(len(data), *ends)))
            for data, header in expected:
                for at in range(len(data)):
                    self.assertIsNone(read(data[:at]), data[:at])
                self.assertEqual(read(data), header)
                self.assertEqual(read(data + b"more"), header)

    def test_aboutItself(self) -> None:
        """UNKNOWN and LOCAL say nothing; their extensions and addresses are jumped over."""
        for data in (
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
            b"PROXY UNKNOWN " + b"1" * 92 + b"\r\n",
            binary(0x20, 0, b""),
            binary(0x20, 0x11, BODY4 + tlv(2, b"x")),
            binary(0x20, 0xFF, b"junk"),
        ):
            self.assertEqual(read(data + b"hi"), ProxyHeader(len(data)))

    def test_numbers(self) -> None:
        """Ports as Envoy's parser has them, zones by number."""
        for text, port in (("0", 0), ("0111", 111), ("+1", 1), ("\t1", 1), ("65535", 65535)):
            found = read(f"PROXY TCP4 1.2.3.4 10.0.0.1 {text} 80\r\n".encode())
            self.assertEqual(
                found,
                ProxyHeader(33 + len(text), IPv4Address("TCP", "1.2.3.4", port), FOUR[1]),
            )
        found = read(b"PROXY TCP4 1.2.3.4 10.0.0.1 1111 80  \r\n")
        self.assertEqual(found, ProxyHeader(39, *FOUR))
        found = read(b"PROXY TCP6 fe80::1%7 ::2 1 80\r\n")
        assert isinstance(found, ProxyHeader)
        self.assertEqual(found.source, IPv6Address("TCP", "fe80::1%7", 1))

    def test_malformedLines(self) -> None:
        """Version 1."""
        for words in (
            *("TCP4 1.2.3.4 10.0.0.1 65536 80", "TCP4 1.2.3.4 10.0.0.1 -1 80"),
            *("TCP4 1.2.3.4 10.0.0.1 1", "TCP4 1.2.3.4 10.0.0.1 1 2 3", "TCP4 ::1 ::2 1 2"),
            *("TCP6 1.2.3.4 10.0.0.1 1 2", "TCP4 0.0.0.0 10.0.0.1 1 2", "UNKNOWNX", ""),
            *("TCP4 1.2.3.4 255.255.255.255 1 2", "TCP4 224.0.0.1 10.0.0.1 1 2"),
            *("UDP4 1.2.3.4 10.0.0.1 1 2", " TCP4 1.2.3.4 10.0.0.1 1 2", "TCP6 ff02::1 ::2 1 2"),
            *("TCP4 1.2.3 10.0.0.1 1 2", "TCP4 01.2.3.4 10.0.0.1 1 2", "TCP6 :: ::2 1 2"),
            *("TCP4 1.2.3.4 10.0.0.1 1_1 2", "TCP4 1.2.3.4 10.0.0.1 \u0661 2"),
            *("TCP6 fe80::1%nowhere ::2 1 2", "UNKNOWN " + "1" * 93),
        ):
            self.assertEqual(read(f"PROXY {words}\r\n".encode()), 1, words)
        self.assertEqual(read(b"ab\r\n"), 1)
        self.assertEqual(read(b"PROXY\r\n"), 1)

    def test_malformedBinary(self) -> None:
        """Version 2."""
        zero = bytes(12)
        for data in (
            *(binary(0x11, 0x11, BODY4), binary(0x22, 0x11, BODY4), binary(0x21, 0x00, b"")),
            *(binary(0x21, 0x31, b"a" * 216), binary(0x21, 0x41, BODY4)),
            *(binary(0x21, 0x10, BODY4), binary(0x21, 0x13, BODY4)),
            *(binary(0x21, 0x11, BODY4, 11), binary(0x21, 0x21, BODY4)),
            *(binary(0x21, 0x11, BODY4 + b"\x02\x00\x09abc"), binary(0x21, 0x11, BODY4 + b"\2\0")),
            binary(0x21, 0x11, zero),
        ):
            self.assertEqual(read(data + b"hi"), 2, data)

    def test_extensionsBeforeTheBadOne(self) -> None:
        """They are told with the problem."""
        data = binary(0x21, 0x11, BODY4 + tlv(2, b"ok") + b"\x03")
        problem = self.assertRaises(ProxyProtocolProblem, readHeader, data, 2)
        self.assertEqual(problem.tlvs, ((2, b"ok"),))

    def test_datagrams(self) -> None:
        """A header about datagrams is taken too."""
        header = binary(0x21, 0x12, BODY4)
        self.assertEqual(read(header), ProxyHeader(len(header), *FOUR))

    def test_noHeader(self) -> None:
        """Told at 16 bytes; of what begins like version 1 at 109."""
        text = b"GET /index.html HTTP/1.1"
        self.assertIsNone(read(text[:15]))
        self.assertEqual(read(text[:16]), 0)
        self.assertIsNone(read(b"PROXY " + b"A" * 102))
        self.assertEqual(read(b"PROXY " + b"A" * 103), 0)
        self.assertIsNone(read(b"\r\nab\r\n"))

    def test_longest(self) -> None:
        """No header is longer than LONGEST."""
        data, complete = binaryHeader(*SIX, [(2, b"x" * (0xFFFF - 36 - 3))])
        self.assertEqual((len(data), complete), (LONGEST, True))
        self.assertIsNotNone(read(data))

    def test_mayBegin(self) -> None:
        """What a connection without a header is known by."""
        for data, versions in ((b"", {1}), (b"PRO", {1, 2}), (SIGNATURE[:3], {2}), (b"\r", {2})):
            self.assertTrue(mayBegin(data, versions))
        for data, versions in ((b"PROPFIND", {1, 2}), (b"PRO", {2}), (SIGNATURE, {1})):
            self.assertFalse(mayBegin(data, versions))


class AnyBytesTests(SynchronousTestCase):
    """Whatever comes."""

    @settings(max_examples=300, deadline=None)
    @given(
        st.sampled_from((b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\x00")),
        st.binary(max_size=80),
    )
    def test_noOtherError(self, start: bytes, rest: bytes) -> None:
        """A header, more, or a ProxyProtocolProblem."""
        found = read(start + rest)
        if isinstance(found, ProxyHeader):
            self.assertLessEqual(found.size, len(start + rest))
