"""Tests for twisted_envoy.state.addresses."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.addresses import addressText, endpointIDOf, hostText, portOf

KNOWN: list[tuple[IAddress | None, tuple[str, str, int | None, str]]] = [
    (IPv4Address("TCP", "127.0.0.1", 80), ("127.0.0.1:80", "127.0.0.1", 80, "")),
    (IPv6Address("TCP", "::1", 0), ("[::1]:0", "::1", 0, "")),
    (UNIXAddress(b"/a/path"), ("/a/path", "/a/path", None, "")),
    (UNIXAddress(b"\0abstract"), ("@abstract", "@abstract", None, "")),
    (UNIXAddress(None), ("", "", None, "")),
    (InternalAddress("x", "id"), ("envoy://x/id", "envoy://x/id", None, "id")),
    (InternalAddress("x"), ("envoy://x/", "envoy://x/", None, "")),
    (None, ("", "", None, "")),
]


class AddressTests(SynchronousTestCase):
    def test_everyKind(self) -> None:
        """The whole text, the host, the port and the endpoint id of each kind of address."""
        for address, expected in KNOWN:
            found = (
                addressText(address),
                hostText(address),
                portOf(address),
                endpointIDOf(address),
            )
            self.assertEqual(found, expected)

    def test_pathsThatAreNoText(self) -> None:
        """Bytes that are no UTF-8 are shown as escapes."""
        self.assertEqual(addressText(UNIXAddress(b"/\xff")), "/\\xff")
