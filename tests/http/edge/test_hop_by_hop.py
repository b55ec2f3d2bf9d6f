"""Tests for twisted_envoy.http.edge.hop_by_hop."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import requestOf
from twisted_envoy.http.edge.hop_by_hop import isUpgrade, sanitizeConnection, sanitizeTE


class ConnectionTests(SynchronousTestCase):
    """`connection` and what it names."""

    def test_namedHeadersGo(self) -> None:
        """In whatever case they are named; what the connection does to itself stays."""
        headers = requestOf((b"connection", b"Keep-Alive, X-Foo , gone,"), (b"x-foo", b"1"))

        self.assertTrue(sanitizeConnection(headers))

        self.assertNotIn(b"x-foo", headers)
        self.assertEqual(headers[b"connection"], b"Keep-Alive")

    def test_nothingNamed(self) -> None:
        """Then it stays as it was spelt."""
        headers = requestOf((b"connection", b"keep-alive , Upgrade"))

        self.assertTrue(sanitizeConnection(headers))

        self.assertEqual(headers[b"connection"], b"keep-alive , Upgrade")

    def test_nothingIsLeft(self) -> None:
        """Then the header goes too; it may name itself."""
        headers = requestOf((b"connection", b"x-foo, connection"), (b"x-foo", b"1"))

        self.assertTrue(sanitizeConnection(headers))

        self.assertNotIn(b"connection", headers)

    def test_tokensOfAllValuesCount(self) -> None:
        """Two headers are one."""
        headers = requestOf((b"connection", b"close"), (b"connection", b"x"), (b"x", b"1"))

        self.assertTrue(sanitizeConnection(headers))

        self.assertEqual((headers.every(b"connection"), b"x" in headers), ([b"close"], False))

    def test_refused(self) -> None:
        """Who hides where a request comes from, or names ten."""
        for value in (
            *(b"x-forwarded-for", b"X-Forwarded-Host", b"x-forwarded-proto", b":path"),
            *(b"a,b,c,d,e,f,g,h,i,j",),
        ):
            self.assertFalse(sanitizeConnection(requestOf((b"connection", value))), value)
        self.assertTrue(sanitizeConnection(requestOf((b"connection", b"a,b,c,d,e,f,g,h,i"))))

    def test_hostIsTheAuthority(self) -> None:
        """It can be named, and is missed then."""
        headers = requestOf((b"connection", b"host"))

        self.assertTrue(sanitizeConnection(headers))

        self.assertNotIn(b":authority", headers)

    def test_te(self) -> None:
        """Named or not, trailers stay; a long one is refused."""
        kept = requestOf((b"connection", b"te"), (b"te", b"gzip, trailers"))
        gone = requestOf((b"connection", b"te"), (b"te", b"trailers;q=1"))
        long = requestOf((b"connection", b"te"), (b"te", b"x" * 256))

        self.assertEqual([sanitizeConnection(each) for each in (kept, gone, long)], [1, 1, 0])

        self.assertEqual((kept[b"te"], b"te" in gone), (b"trailers", False))


class TETests(SynchronousTestCase):
    """`te`."""

    def test_table(self) -> None:
        """What Envoy did."""
        for value, expected in (
            (b"trailers", b"trailers"),
            (b"gzip, trailers", b"trailers"),
            (b"gzip", None),
            (b"Trailers", None),
            (b"trailers;q=1", None),
        ):
            headers = requestOf((b"te", value))
            sanitizeTE(headers)
            self.assertEqual(headers.get(b"te"), expected, value)

    def test_none(self) -> None:
        """None stays none."""
        headers = requestOf()
        sanitizeTE(headers)
        self.assertNotIn(b"te", headers)


class UpgradeTests(SynchronousTestCase):
    """What is an upgrade."""

    def test_table(self) -> None:
        """Both headers, and the token in any case."""
        for fields, expected in (
            ([(b"connection", b"keep-alive, Upgrade"), (b"upgrade", b"websocket")], True),
            ([(b"connection", b"upgrades"), (b"upgrade", b"websocket")], False),
            ([(b"upgrade", b"websocket")], False),
            ([(b"connection", b"upgrade")], False),
        ):
            self.assertIs(isUpgrade(requestOf(*fields)), expected, fields)
