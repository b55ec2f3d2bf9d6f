"""Tests of heads that come again on a connection, byte for byte."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, ServerOwner, requestOf, responseOf
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

GET = b"GET /n HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: 1\r\nX: 2\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"


class RequestTests(SynchronousTestCase):
    def test_sameAsTheFirst(self) -> None:
        """Each has headers of its own, whatever became of those before."""
        owner = ServerOwner()
        for number in range(4):
            owner.feed(GET)
            request = owner.requests[number]
            assert request.headers is not None
            self.assertEqual(
                list(request.headers.pairs()),
                [
                    (b":method", b"GET"),
                    (b":path", b"/n"),
                    (b":authority", b"a"),
                    (b"x-a", b"1"),
                    (b"x-a", b"2"),
                ],
            )
            encoder = owner.encoders[number]
            self.assertEqual(encoder.receivedHeaderBytes, owner.encoders[0].receivedHeaderBytes)
            self.assertGreater(encoder.receivedHeaderBytes, 0)
            self.assertEqual(encoder.receivedWireBytes, len(GET))
            request.headers.set(b":path", b"/other")
            request.headers.remove(b"x-a")
            owner.respond(responseOf(), b"")
        self.assertEqual(len(owner.requests), 4)

    def test_bodies(self) -> None:
        """A head that announces a body does so each time."""
        owner = ServerOwner()
        for body in (b"hello", b"there", b"world"):
            owner.feed(POST + body)
            self.assertEqual(owner.requests[-1].body, body)
            self.assertTrue(owner.requests[-1].ended)
            owner.respond(responseOf(), b"")

    def test_others(self) -> None:
        """Another head between them is read as what it is."""
        owner = ServerOwner()
        for data in (GET, GET, POST + b"hello", GET, POST + b"there", POST + b"world", GET):
            owner.feed(data)
            headers = owner.requests[-1].headers
            assert headers is not None
            self.assertEqual(headers[b":method"], data.split(b" ")[0])
            owner.respond(responseOf(), b"")

    def test_patience(self) -> None:
        """After many heads that are like no other, those that come again are remembered again."""
        owner = ServerOwner()
        paths = [b"/%d" % number for number in range(60)] + [b"/n"] * 20 + [b"/m", b"/n"]
        for number, path in enumerate(paths):
            data = GET.replace(b"/n", path)
            owner.feed(data.replace(b"X-A: 1", b"X-A: %d" % number) if number < 60 else data)
            headers = owner.requests[-1].headers
            assert headers is not None
            self.assertEqual(headers[b":path"], path)
            self.assertEqual(headers[b"x-a"], b"%d" % number if number < 60 else b"1")
            owner.respond(responseOf(), b"")

    def test_underscores(self) -> None:
        """Names that are dropped are counted each time."""
        owner = ServerOwner(limits=HeaderLimits(underscores="DROP_HEADER"))
        for _ in range(3):
            owner.feed(GET.replace(b"X-A: 2", b"x_a: 2"))
            owner.respond(responseOf(), b"")
        self.assertEqual(owner.stats.dropped_headers_with_underscores.value, 3)

    def test_refused(self) -> None:
        """A head that is refused once more is refused."""
        for _ in range(2):
            owner = ServerOwner(HTTP1Settings())
            owner.feed(GET)
            owner.respond(responseOf(), b"")
            self.assertRaises(CodecError, owner.codec.dataReceived, GET.replace(b"/n", b"/\x01"))


class ResponseTests(SynchronousTestCase):
    def test_sameAsTheFirst(self) -> None:
        """Each has headers of its own."""
        owner = ClientOwner()
        sizes = []
        for _ in range(4):
            owner.request()
            owner.feed(OK + b"hi")
            headers = owner.response.headers
            assert headers is not None
            self.assertEqual(headers.every(b"x"), [b"1", b"2"])
            self.assertEqual(owner.response.body, b"hi")
            sizes.append(owner.encoder.receivedHeaderBytes)
            self.assertEqual(owner.encoder.receivedWireBytes, len(OK) + 2)
            headers.remove(b"x")
            headers.set(b":status", b"500")
        self.assertEqual(sizes, sizes[:1] * 4)
        self.assertGreater(sizes[0], 0)

    def test_dependsOnTheRequest(self) -> None:
        """The answer to HEAD has no body, though the same answer to GET has."""
        owner = ClientOwner()
        for _ in range(2):
            for _ in range(2):
                owner.request()
                owner.feed(OK + b"hi")
                self.assertEqual(owner.response.body, b"hi")
            for _ in range(2):
                owner.request(requestOf(b"HEAD"))
                owner.feed(OK)
                self.assertTrue(owner.response.ended)
                self.assertTrue(owner.codec.reusable)

    def test_close(self) -> None:
        """The last one says so, however often it came before."""
        owner = ClientOwner()
        owner.request()
        owner.feed(LAST + b"hi")
        self.assertFalse(owner.codec.reusable)
