"""Filters with a matcher in a connection manager; the answers are real Envoy's."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.support import FilterCase, typed
from tests.network.matching.support import INPUTS, header, mapOf, named, responseHeader

TYPE = "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
FAULT = "envoy.extensions.filters.http.fault.v3.HTTPFault"
SKIP = {"action": named("s", "envoy.extensions.filters.common.matcher.action.v3.SkipFilter")}


def abort(status: int) -> dict[str, Any]:
    return {"abort": {"http_status": status, "percentage": {"numerator": 100}}}


def added(name: str, value: str) -> dict[str, Any]:
    return {"append": {"header": {"key": name, "value": value}}}


MUTATION = named(
    "hm",
    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
    mutations={
        "request_mutations": [added("asked", "1")],
        "response_mutations": [added("answered", "%REQ(asked)%")],
    },
)


def matched(matcher: Any, inner: Any) -> dict[str, Any]:
    return named("w", TYPE, xds_matcher=matcher, extension_config=inner)


class MatchedFilterTests(FilterCase):
    def test_byRequest(self) -> None:
        """Skipped when the tree says so; a route's config is the inner filter's."""
        tree = mapOf("exact", header("x"), a=SKIP)
        self.start(
            matched(tree, named("f", FAULT, **abort(503))), route={"w": typed(FAULT, **abort(418))}
        )
        for path, headers, status in (
            ("/", (), b"503"),
            ("/", ("x: a",), b"200"),
            ("/r", (), b"418"),
            ("/r", ("x: a",), b"200"),
        ):
            self.assertEqual(self.get(path, *headers)[9:12], status)

    def test_both(self) -> None:
        """The response of a request at which it was skipped too."""
        self.start(matched(mapOf("exact", header("x"), a=SKIP), MUTATION))
        self.assertIn(b"answered: 1\r\n", self.get("/"))
        skipped = self.get("/", "x: a")
        self.assertNotIn(b"answered", skipped)
        sent = b"".join(one.received for one in self.origin.connections)
        self.assertEqual(sent.count(b"asked: 1\r\n"), 1)

    def test_byResponse(self) -> None:
        """Of the request it sees everything before the tree has an answer."""
        self.start(matched(mapOf("exact", responseHeader("y"), a=SKIP), MUTATION))
        self.answer = b"HTTP/1.1 200 OK\r\ny: a\r\ncontent-length: 0\r\n\r\n"
        self.assertNotIn(b"answered", self.get("/"))
        self.assertIn(b"asked: 1\r\n", self.origin.connections[0].received)
        self.answer = b"HTTP/1.1 200 OK\r\ny: b\r\ncontent-length: 0\r\n\r\n"
        self.assertIn(b"answered: 1\r\n", self.get("/"))

    def test_notYet(self) -> None:
        """A tree that never has an answer skips nothing."""
        trailer = named("t", f"{INPUTS}HttpRequestTrailerMatchInput", header_name="t")
        self.start(matched(mapOf("exact", trailer, a=SKIP), MUTATION))
        self.assertIn(b"answered: 1\r\n", self.get("/"))

    def test_bodiesAndTrailers(self) -> None:
        """Pass through it and through the filter, whether that is skipped or not."""
        buffer = named("b", "envoy.extensions.filters.http.buffer.v3.Buffer", max_request_bytes=10)
        body = b"3\r\nabc\r\n0\r\nt: 1\r\n\r\n"
        settings = {"http_protocol_options": {"enable_trailers": True}}
        self.start(matched(mapOf("exact", header("x"), a=SKIP), buffer), **settings)
        head = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n"
        for more in (b"\r\n", b"x: a\r\n\r\n"):
            client = self.send(head + more + body)
            self.assertIn(b"200 OK", client.received)
            self.assertIn(b"abc", self.origin.connections[-1].received)
        self.answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body
        for more in (b"\r\n", b"x: a\r\n\r\n"):
            client = self.send(head + more + body)
            self.assertTrue(client.received.rstrip().endswith(b"0"), client.received)
        large = b"20\r\n" + b"a" * 32 + b"\r\n0\r\n\r\n"
        self.assertIn(b"413", self.send(head + b"\r\n" + large).received)
        self.assertIn(b"200 OK", self.send(head + b"x: a\r\n\r\n" + large).received)
