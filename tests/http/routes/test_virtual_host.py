"""Tests for twisted_envoy.http.routes.virtual_host."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import match, request, requestInfo, routes, tableOf

ROUTE = "{match: {prefix: /}, route: {cluster: a}}"


class VirtualHostTests(SynchronousTestCase):
    def test_attemptCounts(self) -> None:
        """include_request_attempt_count and its like are the routes' too."""
        entry = match(
            tableOf(
                routes(
                    ROUTE,
                    host="include_request_attempt_count: true\n  "
                    "include_attempt_count_in_response: true\n  "
                    "include_is_timeout_retry_header: true",
                )
            )
        )
        assert entry is not None
        self.assertTrue(entry.includeAttemptCountRequest)
        self.assertTrue(entry.includeAttemptCountResponse)
        self.assertTrue(entry.includeIsTimeoutRetry)
        plain = match(tableOf(routes(ROUTE)))
        assert plain is not None
        self.assertFalse(plain.includeAttemptCountRequest)

    def test_requireTLS(self) -> None:
        """require_tls sends requests to https: all of them, or those from outside."""
        for kind, headers, redirected in (
            ("ALL", request("/a?b"), True),
            ("ALL", request("/a?b", x_envoy_internal="true"), True),
            ("ALL", request("/a?b", scheme="https"), False),
            ("EXTERNAL_ONLY", request("/a?b"), True),
            ("EXTERNAL_ONLY", request("/a?b", x_envoy_internal="true"), False),
            ("NONE", request("/a?b"), False),
        ):
            table = tableOf(routes(ROUTE, host=f"require_tls: {kind}"))
            entry = match(table, headers)
            assert entry is not None
            self.assertEqual(entry.kind == "redirect", redirected, kind)
            if redirected:
                assert entry.redirect is not None
                self.assertEqual(
                    entry.redirect.newLocation(headers, requestInfo()),
                    (301, b"https://h.test/a?b"),
                )

    def test_metadata(self) -> None:
        """metadata of the virtual host."""
        table = tableOf(routes(ROUTE, host="metadata: {filter_metadata: {ns: {k: v}}}"))
        self.assertEqual(table.virtualHosts[0].metadata, {"ns": {"k": "v"}})

    def test_cors(self) -> None:
        """The route's policy, then the virtual host's."""
        route = "{match: {prefix: /}, route: {cluster: a, cors: {max_age: '1'}}}"
        host = "cors: {max_age: '2'}"
        for text, expected in (
            (routes(route, host=host), [b"1", b"2"]),
            (routes(ROUTE, host=host), [b"2"]),
            (routes(route), [b"1"]),
            (routes(ROUTE), []),
        ):
            entry = match(tableOf(text))
            assert entry is not None
            self.assertEqual([policy.maxAge for policy in entry.corsPolicies], expected)
