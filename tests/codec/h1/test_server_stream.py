"""Tests of twisted_envoy.codec.h1.server_stream."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ServerOwner, responseOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HTTP1Settings

LENGTH = (b"content-length", b"2")


def request(method: bytes = b"GET", more: bytes = b"", version: bytes = b"1.1") -> bytes:
    target = b"a:1" if method == b"CONNECT" else b"/"
    return b"%b %b HTTP/%b\r\nHost: a\r\n%b\r\n" % (method, target, version, more)


class FramingTests(SynchronousTestCase):
    def sends(
        self,
        headers: HeaderMap,
        body: bytes | None,
        method: bytes = b"GET",
        more: bytes = b"",
        version: bytes = b"1.1",
        settings: HTTP1Settings | None = None,
    ) -> bytes:
        owner = ServerOwner(settings or HTTP1Settings(acceptHTTP10=True))
        owner.feed(request(method, more, version))
        owner.respond(headers, body)
        encoder = owner.encoders[0]
        self.assertEqual(encoder.wireBytes, len(owner.sent))
        return owner.sent

    def test_noBody(self) -> None:
        """An empty response says so, where a body would be allowed."""
        for status, length in (
            *((b"200", b"content-length: 0\r\n"), (b"404", b"content-length: 0\r\n")),
            *((b"204", b""), (b"304", b""), (b"101", b"")),
        ):
            sent = self.sends(responseOf(status), None)
            self.assertTrue(sent.endswith(b"\r\n" + length + b"\r\n"), sent)

    def test_bodies(self) -> None:
        """A length that is given stands; without one there are chunks."""
        self.assertTrue(self.sends(responseOf(b"200", LENGTH), b"ok").endswith(b": 2\r\n\r\nok"))
        sent = self.sends(responseOf(), b"ok")
        self.assertEqual(
            sent, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )
        sent = self.sends(responseOf(), b"")
        self.assertTrue(sent.endswith(b"chunked\r\n\r\n0\r\n\r\n"))

    def test_head(self) -> None:
        """The response to HEAD has the headers of one to GET, and no body."""
        sent = self.sends(responseOf(), None, b"HEAD")
        self.assertEqual(sent, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        sent = self.sends(responseOf(b"200", LENGTH), b"ok", b"HEAD")
        self.assertTrue(sent.endswith(b"content-length: 2\r\n\r\n"))
        self.assertTrue(self.sends(responseOf(), b"ok", b"HEAD").endswith(b"chunked\r\n\r\n"))
        self.assertTrue(self.sends(responseOf(b"204"), None, b"HEAD").endswith(b"tent\r\n\r\n"))

    def test_noBodyWhereNoneMayBe(self) -> None:
        """Bytes for a response that has none are dropped."""
        for status in (b"204", b"304", b"101"):
            self.assertTrue(self.sends(responseOf(status), b"ok").endswith(b"\r\n\r\n"))

    def test_http10(self) -> None:
        """HTTP/1.0 gets its version, no chunks and no interim responses."""
        sent = self.sends(responseOf(), b"ok", version=b"1.0")
        self.assertEqual(sent, b"HTTP/1.0 200 OK\r\n\r\nok")
        owner = ServerOwner(HTTP1Settings(acceptHTTP10=True))
        owner.feed(request(version=b"1.0"))
        owner.encoders[0].encode1xx(responseOf(b"100"))
        owner.output.flush()
        self.assertEqual(owner.sent, b"")

    def test_connect(self) -> None:
        """A tunnel that opens has no framing; one that does not is a response like others."""
        self.assertEqual(
            self.sends(responseOf(), b"raw", b"CONNECT"), b"HTTP/1.1 200 OK\r\n\r\nraw"
        )
        self.assertEqual(self.sends(responseOf(), None, b"CONNECT"), b"HTTP/1.1 200 OK\r\n\r\n")
        self.assertIn(b"content-length: 0", self.sends(responseOf(b"403"), None, b"CONNECT"))
        self.assertIn(b"2\r\nno\r\n0", self.sends(responseOf(b"403"), b"no", b"CONNECT"))

    def test_upgrade(self) -> None:
        """The same for an upgrade."""
        more = b"connection: upgrade\r\nupgrade: x\r\n"
        sent = self.sends(responseOf(b"101"), b"raw", more=more)
        self.assertEqual(sent, b"HTTP/1.1 101 Switching Protocols\r\n\r\nraw")
        self.assertIn(b"2\r\nno\r\n0", self.sends(responseOf(b"404"), b"no", more=more))

    def test_trailers(self) -> None:
        """Trailers are sent when they are wanted and there are chunks."""
        trailers = HeaderMap([(b"a-b", b"1")])
        for wanted, headers, end in (
            (True, responseOf(), b"\r\nok\r\n0\r\na-b: 1\r\n\r\n"),
            (False, responseOf(), b"\r\nok\r\n0\r\n\r\n"),
            (True, responseOf(b"200", LENGTH), b"\r\n\r\nok"),
        ):
            owner = ServerOwner(HTTP1Settings(enableTrailers=wanted, headerCase="proper"))
            owner.feed(request())
            encoder = owner.encoders[0]
            encoder.encodeHeaders(headers, False)
            encoder.encodeData(b"ok", False)
            encoder.encodeTrailers(trailers)
            encoder.encodeTrailers(trailers)
            encoder.encodeData(b"late", True)
            owner.output.flush()
            self.assertTrue(owner.sent.endswith(end), owner.sent)
            self.assertTrue(encoder.sent)

    def test_interim(self) -> None:
        """Interim headers come before the response."""
        owner = ServerOwner()
        owner.feed(request())
        owner.encoders[0].encode1xx(responseOf(b"103", (b"link", b"x")))
        owner.respond(responseOf())
        self.assertTrue(owner.sent.startswith(b"HTTP/1.1 103 Unknown\r\nlink: x\r\n\r\nHTTP"))

    def test_counts(self) -> None:
        """Header bytes are those of the fields, wire bytes are all."""
        owner = ServerOwner()
        owner.feed(request())
        owner.respond(responseOf(b"200", LENGTH), b"ok")
        encoder = owner.encoders[0]
        self.assertEqual(encoder.headerBytes, len(b"content-length: 2\r\n"))
        self.assertEqual(encoder.wireBytes, len(owner.sent))

    def test_pieces(self) -> None:
        """A small response leaves as one, its last chunk included."""
        owner = ServerOwner()
        owner.feed(request())
        owner.respond(responseOf(), b"ok")
        self.assertEqual(len(owner.transport.pieces), 1)


class CaseTests(SynchronousTestCase):
    def test_proper(self) -> None:
        """Words begin with capitals, ours too."""
        owner = ServerOwner(HTTP1Settings(headerCase="proper"))
        owner.feed(request() * 2)
        owner.respond(responseOf(b"200", (b"x-a", b"b")), b"ok")
        self.assertIn(b"X-A: b\r\nTransfer-Encoding: chunked\r\n\r\n", owner.sent)
        owner.feed(b"")
        owner.respond(responseOf())
        self.assertIn(b"Content-Length: 0\r\n", owner.sent)

    def test_preserve(self) -> None:
        """The spellings, and if wanted the reason, of who made the response."""
        headers = responseOf(b"200", (b"x-a", b"b"), (b"c", b"d"))
        headers.cases = {b"x-a": b"X-a", b":status": b"Fine"}
        for wanted, line in ((False, b"200 OK"), (True, b"200 Fine")):
            settings = HTTP1Settings(headerCase="preserve", preserveReasonPhrase=wanted)
            owner = ServerOwner(settings)
            owner.feed(request())
            owner.respond(headers)
            self.assertTrue(owner.sent.startswith(b"HTTP/1.1 " + line + b"\r\nX-a: b\r\nc: d\r\n"))
