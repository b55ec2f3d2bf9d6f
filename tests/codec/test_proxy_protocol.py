"""Tests for twisted_envoy.codec.proxy_protocol."""

from __future__ import annotations

from ipaddress import ip_address

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.protocols.haproxy._v1parser import V1Parser
from twisted.protocols.haproxy._v2parser import V2Parser
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.proxy_protocol import binaryHeader, proxyHeader
from twisted_envoy.internal.address import InternalAddress

FOUR = (IPv4Address("TCP", "192.0.2.1", 40000), IPv4Address("TCP", "192.0.2.9", 443))
SIX = (IPv6Address("TCP", "2001:db8::1", 40000), IPv6Address("TCP", "2001:db8::9", 443))


class ProxyHeaderTests(SynchronousTestCase):
    """Twisted's own parsers read what is written."""

    def test_text(self):
        self.assertEqual(proxyHeader("V1", *FOUR), b"PROXY TCP4 192.0.2.1 192.0.2.9 40000 443\r\n")
        self.assertEqual(
            proxyHeader("V1", *SIX), b"PROXY TCP6 2001:db8::1 2001:db8::9 40000 443\r\n"
        )

    def test_parsed(self):
        for parser, version in ((V1Parser, "V1"), (V2Parser, "V2")):
            for ends in (FOUR, SIX):
                info, rest = parser().feed(proxyHeader(version, *ends) + b"more")

                self.assertEqual(rest, b"more")
                found = [
                    (ip_address(one.host), one.port) for one in (info.source, info.destination)
                ]
                self.assertEqual(found, [(ip_address(one.host), one.port) for one in ends])

    def test_unknown(self):
        """Without IP addresses of one kind the header says nothing."""
        hop = InternalAddress("hop")
        for ends in ((hop, FOUR[1]), (FOUR[0], hop), (FOUR[0], SIX[1]), (None, None)):
            self.assertEqual(proxyHeader("V1", *ends), b"PROXY UNKNOWN\r\n")
            self.assertEqual(proxyHeader("V2", *ends), b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")


class BinaryHeaderTests(SynchronousTestCase):
    """Extensions."""

    def test_inOrder(self):
        header, complete = binaryHeader(*FOUR, [(2, b"a"), (0xEA, b"")])
        self.assertTrue(header.endswith(b"\x02\x00\x01a\xea\x00\x00"))
        self.assertEqual(header[14:16], b"\x00\x13")
        self.assertTrue(complete)

    def test_noRoom(self):
        """What does not fit is left out, and told; what comes after it may fit."""
        header, complete = binaryHeader(*FOUR, [(1, b"x" * 65530), (2, b"a")])
        self.assertTrue(header.endswith(b"\x02\x00\x01a"))
        self.assertFalse(complete)

    def test_unknown(self):
        """Without IP addresses there is none."""
        self.assertEqual(binaryHeader(InternalAddress("hop"), FOUR[1]), (b"", False))
