"""Addresses of Twisted's and names of the socket module's."""

from __future__ import annotations

import socket

from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.sockets.addresses import (
    familyOf,
    fromName,
    fromSocketName,
    isAbstract,
    toSocketName,
)


class AddressTests(SynchronousTestCase):
    def test_thereAndBack(self) -> None:
        """An address keeps its parts."""
        for address, family in (
            (IPv4Address("TCP", "127.0.0.1", 80), socket.AF_INET),
            (IPv6Address("TCP", "::1", 80, 0, 0), socket.AF_INET6),
            (IPv6Address("TCP", "fe80::1", 80, 5, 7), socket.AF_INET6),
            (UNIXAddress(b"/tmp/s"), socket.AF_UNIX),
            (UNIXAddress(b"\0s"), socket.AF_UNIX),
        ):
            self.assertEqual(familyOf(address), family)
            self.assertEqual(fromName(family, toSocketName(address)), address)

    def test_scope(self) -> None:
        """A zone in the text, by number or by name, is the scope."""
        name = socket.if_indextoname(1)

        self.assertEqual(toSocketName(IPv6Address("TCP", "fe80::1%3", 1))[3], 3)
        self.assertEqual(toSocketName(IPv6Address("TCP", f"fe80::1%{name}", 1))[3], 1)

    def test_mapped(self) -> None:
        """An IPv4 peer of an IPv6 socket has an IPv4 address."""
        self.assertEqual(
            fromName(socket.AF_INET6, ("::ffff:10.0.0.1", 5, 0, 0)),
            IPv4Address("TCP", "10.0.0.1", 5),
        )
        self.assertEqual(
            fromName(socket.AF_INET6, ("::ffff:1", 5, 0, 0)), IPv6Address("TCP", "::ffff:1", 5)
        )

    def test_unnamed(self) -> None:
        """An unnamed Unix socket has no name."""
        left, right = socket.socketpair()
        self.addCleanup(left.close)
        self.addCleanup(right.close)

        self.assertEqual(fromSocketName(left), UNIXAddress(None))

    def test_abstract(self) -> None:
        """Only a path is in the file system."""
        answers = [isAbstract(name) for name in (None, b"\0x", b"/x")]

        self.assertEqual(answers, [True, True, False])

    def test_otherAddresses(self) -> None:
        """No kernel socket has a host name."""
        address = HostnameAddress(b"example.com", 80)

        self.assertRaises(TypeError, familyOf, address)
        self.assertRaises(TypeError, toSocketName, address)
