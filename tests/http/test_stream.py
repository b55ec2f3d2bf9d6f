"""Requests between a codec and filters."""

from __future__ import annotations

from typing import Any

from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import GET, ConnectionCase
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.filter_plan import FilterPlan
from twisted_envoy.testing import MemoryEnvoy, Peer

POST = b"POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 4\r\n\r\n"


class Recorder(HTTPFilter):
    """Keeps itself, writes down what it sees, does what it is told."""

    made: list[Recorder]

    def __init__(self) -> None:
        self.said: list[Any] = []
        type(self).made.append(self)

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self.said.append(("headers", endStream))

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        self.said.append((data, endStream))
        return data

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        headers.set(b"x-seen", b"yes")

    def streamEnded(self) -> None:
        self.said.append("ended")


class StreamCase(ConnectionCase):
    """A filter of the test's before the router."""

    def use(self, filter: type[Recorder], *arguments: Any, **manager: Any) -> MemoryEnvoy:
        """Run with this filter in front; `filter.made` has those that were made."""
        filter.made = []
        envoy = self.start(*arguments, **manager)
        chain: Any = envoy.server.listeners.get("web")
        settings = chain.settings.chains.find(None).makers[-1].args[0]
        settings.plan = FilterPlan([filter, *settings.plan.makers], ["own", "router"])
        filter.made.clear()  # the plan made one to look at it
        return envoy


class FilterTests(StreamCase):
    """What filters can do with a request."""

    def test_seesEverything(self) -> None:
        """Headers, body, end; the response too; and the end of it all, once."""

        class Looks(Recorder):
            """Only looks."""

        self.use(Looks, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(POST, b"ab", b"cd")
        origin.connections[0].write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        self.envoy.settle()

        (one,) = Looks.made
        self.assertEqual(
            one.said,
            [("headers", False), (b"ab", False), (b"cd", False), (b"", True), "ended"],
        )
        self.assertIn(b"x-seen: yes\r\n", client.received)

    def test_answersItself(self) -> None:
        """sendLocalReply keeps the request from the filters behind; all see the response."""

        class Refuses(Recorder):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                self.sendLocalReply(418, b"no", "short_and_stout", ((b"x-a", b"b"),))

        self.use(Refuses, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 418 Unknown\r\n"))
        self.assertIn(b"x-a: b\r\n", client.received)
        self.assertIn(b"x-seen: yes\r\n", client.received)
        self.assertTrue(client.received.endswith(b"\r\n\r\nno"))
        self.assertEqual(origin.connections, [])
        self.assertEqual(self.log(), ["GET 418 - short_and_stout DownstreamEnd"])

    def test_holdsAndReleases(self) -> None:
        """What is held reaches the upstream when it is released, whole."""

        class Holds(Recorder):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                self.holdDecode()

        self.use(Holds, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        self.client(POST, b"ab", b"cd")
        self.assertEqual(origin.connections, [])
        (one,) = Holds.made
        self.assertEqual(one.stream.heldRequestBytes, 4)

        one.releaseDecode()
        self.envoy.settle()

        self.assertTrue(origin.connections[0].received.endswith(b"\r\n\r\nabcd"))

    def test_heldTooMuch(self) -> None:
        """Over the buffer limit the client is not read; nothing is lost."""

        class Holds(Recorder):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                self.holdDecode()

        self.use(Holds, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        size = 5 * 1024 * 1024
        client = self.client(POST.replace(b": 4", b": %d" % size))
        for _ in range(size // 65536):
            client.write(b"x" * 65536)
            self.envoy.settle()
        (one,) = Holds.made
        self.assertLess(one.stream.heldRequestBytes, 3 * 1024 * 1024)
        self.assertEqual(
            self.envoy.stat("http.web.downstream_flow_control_paused_reading_total"), 1
        )

        one.releaseDecode()
        self.envoy.settle()

        head, _, body = origin.connections[0].received.partition(b"\r\n\r\n")
        self.assertEqual(len(body), size, head)

    def test_responseHeld(self) -> None:
        """The same for the response."""

        class Holds(Recorder):
            def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                self.holdEncode()

        self.use(Holds)
        client = self.client(GET)
        self.assertEqual(client.received, b"")
        (one,) = Holds.made

        one.releaseEncode()
        self.envoy.settle()

        self.assertTrue(client.received.endswith(b"\r\n\r\nhello"))

    def test_raises(self) -> None:
        """A filter that raises ends its request with 500; the connection lives on."""

        class Raises(Recorder):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                raise ValueError("oh")

        self.use(Raises)
        client = self.client(GET, GET)

        self.assertEqual(client.received.count(b"HTTP/1.1 500 Internal Server Error\r\n"), 2)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)
        self.assertEqual(self.log(), ["GET 500 - filter_raised DownstreamEnd"] * 2)

    def test_raisesLater(self) -> None:
        """So does one that raises over data or trailers, or when it is released to."""

        class Raises(Recorder):
            def decodeData(self, data: bytes, endStream: bool) -> bytes:
                raise ValueError("oh")

        self.use(Raises, [PROXIED])
        self.envoy.listen(ORIGIN)
        client = self.client(POST, b"ab")

        self.assertTrue(client.received.startswith(b"HTTP/1.1 500 Internal Server Error\r\n"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_refreshesRoute(self) -> None:
        """clearRouteCache chooses the route by what the request looks like now."""

        class Moves(Recorder):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                headers.set(b":path", b"/two")
                self.stream.clearRouteCache()

        routes = [
            {"match": {"path": "/two"}, "name": "two", "direct_response": {"status": 202}},
            {"match": {"prefix": "/"}, "name": "one", "direct_response": {"status": 200}},
        ]
        self.use(Moves, routes)
        client: Peer = self.client(GET)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 202 Accepted\r\n"))
        self.assertEqual(Moves.made[0].stream.streamInfo.routeName, "two")


class FailureTests(StreamCase):
    """What raises ends its own request only."""

    def test_encodeRaises(self) -> None:
        """A filter that raises over the response: 500 without it, and the upstream lives on."""

        class Raises(Recorder):
            def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                raise ValueError("oh")

        self.use(Raises, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET)
        origin.connections[0].write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        self.envoy.settle()

        self.assertTrue(client.received.startswith(b"HTTP/1.1 500 "), client.received)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_active"), 0)

    def test_encodeRaisesLate(self) -> None:
        """After the headers are sent the response is cut."""

        class Raises(Recorder):
            def encodeData(self, data: bytes, endStream: bool) -> bytes:
                raise ValueError("oh")

        self.use(Raises, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET)
        origin.connections[0].write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        self.envoy.settle()
        self.envoy.advance(1.1)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(client.ended)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_active"), 0)

    def test_noBytes(self) -> None:
        """What is no bytes is told with the filter's name, and ends the request."""

        class Texts(Recorder):
            def decodeData(self, data: bytes, endStream: bool) -> bytes:
                return "x"  # type: ignore[return-value]

        self.use(Texts, [PROXIED])
        self.envoy.listen(ORIGIN)
        client = self.client(POST, b"abcd")

        self.assertTrue(client.received.startswith(b"HTTP/1.1 500 "), client.received)
        (logged,) = self.flushLoggedErrors(TypeError)
        self.assertIn("Texts", str(logged.value))

    def test_everythingRaises(self) -> None:
        """Where even the edits of an answer fail, the request is reset and nothing hangs."""
        envoy = self.start()
        listener: Any = envoy.server.listeners.get("web")
        settings = listener.settings.chains.find(None).makers[-1].args[0]

        class Edge:
            prepareRequest = settings.edge.prepareRequest

            def prepareResponse(self, *arguments: object) -> None:
                raise ValueError("oh")

        settings.edge = Edge()
        client = self.client(GET)
        envoy.advance(1.1)

        self.assertTrue(client.ended)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)
        self.assertEqual(envoy.stat("http.web.downstream_rq_active"), 0)

    def test_verbsAfterTheEnd(self) -> None:
        """A filter may say anything later; nothing happens."""

        class Looks(Recorder):
            """Only looks."""

        self.use(Looks)
        self.client(GET)
        (one,) = Looks.made

        one.holdDecode()
        one.releaseDecode()
        one.holdEncode()
        one.releaseEncode()
        one.sendLocalReply(500, b"", "late")
        self.envoy.settle()

        self.assertEqual(self.log(), ["GET 200 - direct_response DownstreamEnd"])

    def test_noNewLine(self) -> None:
        """A value cannot begin another header line."""

        class Breaks(Recorder):
            def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                headers.set(b"x-a", b"1\r\nx-b: 2\n\0")

        self.use(Breaks)

        self.assertIn(b"\r\nx-a: 1  x-b: 2  \r\n", self.client(GET).received)

    def test_heldResponsePauses(self) -> None:
        """While too much of a response is held the upstream is not read; nothing is lost."""

        class Holds(Recorder):
            def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                self.holdEncode()

        self.use(Holds, [PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET)
        size = 4 * 1024 * 1024
        (upstream,) = origin.connections
        upstream.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            upstream.write(b"x" * 65536)
            self.envoy.settle()
        (one,) = Holds.made
        assert one.stream._encoding is not None
        self.assertLess(one.stream._encoding.heldBytes, 3 * 1024 * 1024)

        one.releaseEncode()
        self.envoy.settle()

        self.assertEqual(len(client.received.partition(b"\r\n\r\n")[2]), size)
