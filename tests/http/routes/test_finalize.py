"""Tests for twisted_envoy.http.routes.finalize."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import edited, match, request, requestInfo, routes, tableOf
from twisted_envoy.codec.headers import HeaderMap


def sets(field: str, name: str, value: str) -> str:
    header = f"header: {{key: {name}, value: {value}}}, append_action: OVERWRITE_IF_EXISTS_OR_ADD"
    return f"{field}: [{{{header}}}]"


class LevelTests(SynchronousTestCase):
    """Edits of the route configuration, the virtual host and the route."""

    def table(self, wins: str) -> str:
        both = [
            f"{sets('request_headers_to_add', 'x', value)}SEPARATOR"
            f"{sets('response_headers_to_add', 'x', value)}"
            for value in ("config", "host", "route")
        ]
        own = both[2].replace("SEPARATOR", ", ")
        return routes(
            f"{{match: {{prefix: /}}, route: {{cluster: a}}, {own}}}",
            host=both[1].replace("SEPARATOR", "\n  "),
            config=f"most_specific_header_mutations_wins: {wins}\n"
            + both[0].replace("SEPARATOR", "\n"),
        )

    def test_order(self) -> None:
        """The last one wins: the least specific, unless it is asked for otherwise."""
        for wins, expected in (("false", b"config"), ("true", b"route")):
            headers, entry = edited(tableOf(self.table(wins)))
            response = HeaderMap()
            entry.finalizeResponse(response, requestInfo())
            self.assertEqual(headers[b"x"], expected)
            self.assertEqual(response[b"x"], expected)

    def test_oneLevelOfResponses(self) -> None:
        """A virtual host's response edits serve routes without their own."""
        host = sets("response_headers_to_add", "x", "host")
        table = tableOf(routes("{match: {prefix: /}, direct_response: {status: 200}}", host=host))
        entry = match(table)
        response = HeaderMap()
        assert entry is not None
        entry.finalizeResponse(response, requestInfo())
        self.assertEqual(response, {b"x": b"host"})


class PathHeaderTests(SynchronousTestCase):
    def test_originalPath(self) -> None:
        """x-envoy-original-path is set when the path was rewritten, unless it is not wanted."""
        table = tableOf(routes("{match: {prefix: /a}, route: {cluster: a, prefix_rewrite: /b}}"))
        headers, entry = edited(table, "/a/x")
        self.assertEqual(headers[b":path"], b"/b/x")
        self.assertEqual(headers[b"x-envoy-original-path"], b"/a/x")
        headers = request("/a/x")
        entry.finalizeRequest(headers, requestInfo(), False)
        self.assertNotIn(b"x-envoy-original-path", headers)

    def test_noPath(self) -> None:
        """A CONNECT has none to rewrite."""
        table = tableOf(
            routes("{match: {connect_matcher: {}}, route: {cluster: a, prefix_rewrite: /b}}")
        )
        headers, _ = edited(table, request(None, method="CONNECT"))
        self.assertNotIn(b":path", headers)

    def test_order(self) -> None:
        """Headers first, then the host, then the path."""
        table = tableOf(
            routes(
                "{match: {prefix: /a}, route: {cluster: a, prefix_rewrite: /b, "
                "host_rewrite_header: x}, " + sets("request_headers_to_add", "x", "new") + "}"
            )
        )
        headers, _ = edited(table, "/a")
        self.assertEqual(headers[b":authority"], b"new")
