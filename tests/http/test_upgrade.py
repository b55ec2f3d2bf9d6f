"""Tests for twisted_envoy.http.upgrade."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.upgrade import (
    isExtendedConnect,
    isUpgrade,
    requestFromHTTP2,
    requestToHTTP2,
    responseFromHTTP2,
    responseToHTTP2,
)


class UpgradeTests(SynchronousTestCase):
    """Both spellings mean the same."""

    def upgrade(self):
        return HeaderMap(
            (
                (b":method", b"GET"),
                (b":path", b"/chat"),
                (b":scheme", b"http"),
                (b"connection", b"keep-alive, Upgrade"),
                (b"upgrade", b"websocket"),
                (b"content-length", b"0"),
            )
        )

    def test_isUpgrade(self):
        headers = self.upgrade()
        self.assertTrue(isUpgrade(headers))
        headers.set(b"connection", b"close")
        self.assertFalse(isUpgrade(headers))
        headers.remove(b"upgrade")
        self.assertFalse(isUpgrade(headers))

    def test_requestThereAndBack(self):
        """The request stays as it was; its copy is extended CONNECT, and becomes GET again."""
        headers = self.upgrade()

        spelt = requestToHTTP2(headers)
        extended = isExtendedConnect(spelt)
        copy = spelt.copy()
        kind = requestFromHTTP2(copy)

        self.assertTrue(isUpgrade(headers))
        self.assertTrue(extended)
        self.assertEqual(spelt[b":protocol"], b"websocket")
        for name in (b"upgrade", b"connection", b"content-length"):
            self.assertNotIn(name, spelt)
        self.assertEqual(kind, b"websocket")
        self.assertEqual(copy[b":method"], b"GET")
        self.assertTrue(isUpgrade(copy))
        self.assertNotIn(b":protocol", copy)

    def test_clientsOrder(self):
        """What came over HTTP/2 keeps the order of its pseudo-headers."""
        headers = HeaderMap(
            (
                (b":method", b"CONNECT"),
                (b":scheme", b"http"),
                (b":authority", b"a"),
                (b":path", b"/"),
                (b":protocol", b"websocket"),
                (b"x", b"1"),
            )
        )
        expected = list(headers)

        requestFromHTTP2(headers)

        self.assertEqual(list(requestToHTTP2(headers)), expected)

    def test_plainConnect(self):
        """HTTP/2 wants no path and no scheme with it."""
        headers = HeaderMap(
            (
                (b":method", b"CONNECT"),
                (b":authority", b"a:1"),
                (b":path", b"/"),
                (b":scheme", b"http"),
            )
        )

        self.assertEqual(list(requestToHTTP2(headers)), [b":method", b":authority"])

    def test_pseudoHeadersComeFirst(self):
        """Wherever they stand; a map that is right stays the same object."""
        headers = HeaderMap(
            (
                (b":method", b"GET"),
                (b"a", b"1"),
                (b"a", b"2"),
                (b":scheme", b"http"),
                (b":path", b"/"),
                (b"b", b"3"),
            )
        )

        ordered = requestToHTTP2(headers)

        self.assertEqual(
            list(ordered.pairs()),
            [
                (b":path", b"/"),
                (b":method", b"GET"),
                (b":scheme", b"http"),
                (b"a", b"1"),
                (b"a", b"2"),
                (b"b", b"3"),
            ],
        )
        self.assertIs(requestToHTTP2(ordered), ordered)
        self.assertEqual(list(requestToHTTP2(self.upgrade()))[:4][-1], b":protocol")

    def test_extendedConnectStays(self):
        headers = HeaderMap(((b":method", b"CONNECT"), (b":protocol", b"websocket")))

        self.assertIs(requestToHTTP2(headers), headers)

    def test_response(self):
        headers = HeaderMap(((b":status", b"200"),))

        responseFromHTTP2(headers, b"websocket")
        switched = dict(headers)
        responseToHTTP2(headers)

        self.assertEqual(switched[b":status"], b"101")
        self.assertEqual(switched[b"upgrade"], b"websocket")
        self.assertEqual(dict(headers), {b":status": b"200"})

    def test_refusalStays(self):
        headers = HeaderMap(((b":status", b"403"),))

        responseFromHTTP2(headers, b"websocket")
        responseToHTTP2(headers)

        self.assertEqual(dict(headers), {b":status": b"403"})
