"""Tests of twisted_envoy.codec.h1.client_stream."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, requestOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HTTP1Settings


class RequestTests(SynchronousTestCase):
    def sends(
        self,
        headers: HeaderMap,
        body: bytes | None = None,
        settings: HTTP1Settings | None = None,
    ) -> bytes:
        owner = ClientOwner(settings)
        owner.request(headers, body)
        self.assertEqual(owner.encoder.wireBytes, len(owner.sent))
        return owner.sent

    def test_get(self) -> None:
        """A request begins with its line and its host."""
        headers = requestOf(b"GET", b"/x", (b":scheme", b"http"), (b"a", b"b"))
        self.assertEqual(self.sends(headers), b"GET /x HTTP/1.1\r\nhost: h\r\na: b\r\n\r\n")
        headers.remove(b":authority")
        self.assertEqual(self.sends(headers), b"GET /x HTTP/1.1\r\na: b\r\n\r\n")

    def test_noBody(self) -> None:
        """Only methods that could have a body say that there is none."""
        for method, says in (
            *((b"GET", False), (b"HEAD", False), (b"DELETE", False), (b"TRACE", False)),
            *((b"OPTIONS", True), (b"PATCH", True), (b"PUT", True), (b"POST", True)),
            *((b"LINK", True), (b"SEARCH", True)),
        ):
            sent = self.sends(requestOf(method))
            self.assertEqual(sent.endswith(b"content-length: 0\r\n\r\n"), says, method)

    def test_bodies(self) -> None:
        """A length stands; without one there are chunks, whatever the method."""
        headers = requestOf(b"POST", b"/", (b"content-length", b"2"))
        self.assertTrue(self.sends(headers, b"ok").endswith(b"content-length: 2\r\n\r\nok"))
        for method in (b"POST", b"GET"):
            sent = self.sends(requestOf(method), b"ok")
            end = b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            self.assertTrue(sent.endswith(end))

    def test_connect(self) -> None:
        """CONNECT has its authority as target, and no framing."""
        owner = ClientOwner()
        owner.request(HeaderMap([(b":method", b"CONNECT"), (b":authority", b"a:1")]), b"raw")
        self.assertEqual(owner.sent, b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\nraw")

    def test_upgrade(self) -> None:
        """Neither has an upgrade."""
        asked = ((b"connection", b"Upgrade"), (b"upgrade", b"ws"))
        sent = self.sends(requestOf(b"GET", b"/", *asked), b"raw")
        self.assertTrue(sent.endswith(b"upgrade: ws\r\n\r\nraw"))

    def test_absolute(self) -> None:
        """With send_fully_qualified_url the target is a whole URL."""
        settings = HTTP1Settings(absoluteRequests=True)
        headers = requestOf(b"GET", b"/x", (b":scheme", b"https"))
        self.assertTrue(self.sends(headers, None, settings).startswith(b"GET https://h/x HTTP"))

    def test_case(self) -> None:
        """Names as configured."""
        headers = requestOf(b"POST", b"/", (b"x-a", b"b"))
        sent = self.sends(headers, None, HTTP1Settings(headerCase="proper"))
        self.assertTrue(sent.endswith(b"Host: h\r\nX-A: b\r\nContent-Length: 0\r\n\r\n"))
        preserve = HTTP1Settings(headerCase="preserve")
        self.assertIn(b"\r\nhost: h\r\nx-a: b\r\n", self.sends(headers, None, preserve))
        headers.cases = {b"host": b"HOST", b"x-a": b"X-a"}
        self.assertIn(b"\r\nHOST: h\r\nX-a: b\r\n", self.sends(headers, None, preserve))

    def test_trailers(self) -> None:
        """Trailers are sent when they are wanted and there are chunks."""
        trailers = HeaderMap([(b"t", b"1")])
        for wanted, headers, end in (
            (True, requestOf(b"POST"), b"2\r\nok\r\n0\r\nt: 1\r\n\r\n"),
            (False, requestOf(b"POST"), b"2\r\nok\r\n0\r\n\r\n"),
            (True, requestOf(b"POST", b"/", (b"content-length", b"2")), b"\r\n\r\nok"),
        ):
            owner = ClientOwner(HTTP1Settings(enableTrailers=wanted))
            owner.request(headers, b"")
            owner.encoder.encodeData(b"ok", False)
            owner.encoder.encodeTrailers(trailers)
            owner.encoder.encodeTrailers(trailers)
            owner.encoder.encodeData(b"late", True)
            self.assertTrue(owner.sent.endswith(end), owner.sent)
            self.assertTrue(owner.encoder.sent)

    def test_noInterim(self) -> None:
        """A client has no interim headers to send."""
        owner = ClientOwner()
        owner.request()
        before = owner.sent
        owner.encoder.encode1xx(requestOf())
        self.assertEqual(owner.sent, before)
