"""Tests for twisted_envoy.http.edge.appending."""

from __future__ import annotations

from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import requestOf
from twisted_envoy.http.edge.appending import append, appendXFF


class AppendTests(SynchronousTestCase):
    """append."""

    def test_joined(self) -> None:
        """All values become one; an empty one is replaced."""
        headers = requestOf((b"a", b"1"), (b"a", b"2"), (b"b", b""))
        for name in (b"a", b"b", b"c"):
            append(headers, name, b"x")
        self.assertEqual(
            [headers.every(name) for name in (b"a", b"b", b"c")], [[b"1,2, x"], [b"x"], [b"x"]]
        )


class XFFTests(SynchronousTestCase):
    """appendXFF."""

    def test_peers(self) -> None:
        """IPv6 too; ::1 is loopback; what has no IP address joins nothing."""
        for peer, expected in (
            (IPv6Address("TCP", "2001:db8::1", 5), b"2001:db8::1"),
            (IPv6Address("TCP", "::1", 5), b"192.0.2.2"),
            (UNIXAddress("/x"), None),
            (None, None),
        ):
            headers = requestOf()
            appendXFF(headers, peer, "192.0.2.2")
            self.assertEqual(headers.get(b"x-forwarded-for"), expected)
