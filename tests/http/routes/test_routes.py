"""Tests for twisted_envoy.http.routes.routes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import match, names, request, routes, tableOf


def to(name: str, how: str) -> str:
    return f"{{name: {name}, match: {{{how}}}, route: {{cluster: a}}}}"


class PathTests(SynchronousTestCase):
    """The path specifiers, and the order of routes."""

    def test_prefix(self) -> None:
        """prefix matches what begins so, without the query."""
        table = tableOf(routes(to("a", "prefix: /a"), to("q", "prefix: '/q?x'")))
        self.assertEqual(
            names(table, "/a", "/ab", "/a?x", "/b", "/q?x"), ["a", "a", "a", None, None]
        )

    def test_path(self) -> None:
        """path matches all of it but the query."""
        table = tableOf(routes(to("a", "path: /a")))
        self.assertEqual(names(table, "/a", "/a?x=1", "/a#f", "/a/"), ["a", "a", "a", None])

    def test_firstWins(self) -> None:
        """Whatever the kinds, the first route that matches is it."""
        table = tableOf(
            routes(
                to("longer", "prefix: /a/b"),
                to("regex", "safe_regex: {regex: '/x.*'}"),
                to("prefix", "prefix: /"),
                to("late", "path: /a"),
                to("never", "prefix: /x"),
            )
        )
        self.assertEqual(
            names(table, "/a/b/c", "/a", "/x1", "/"), ["longer", "prefix", "regex", "prefix"]
        )

    def test_conditionsLetGoOn(self) -> None:
        """A route whose conditions fail leaves the request to a later one, indexed or not."""
        header = "headers: [{name: x}]"
        table = tableOf(
            routes(
                to("one", f"path: /a, {header}"),
                to("two", f"prefix: /a, {header}"),
                to("three", "prefix: /"),
            )
        )
        self.assertEqual(names(table, "/a"), ["three"])
        entry = match(table, request("/a", x="1"))
        assert entry is not None
        self.assertEqual(entry.name, "one")

    def test_pathSeparatedPrefix(self) -> None:
        """path_separated_prefix matches whole segments."""
        table = tableOf(routes(to("a", "path_separated_prefix: /psp")))
        self.assertEqual(
            names(table, "/psp", "/psp/", "/psp/a", "/psp?x", "/pspx"), ["a", "a", "a", "a", None]
        )

    def test_caseSensitive(self) -> None:
        """case_sensitive: false is for all but regular expressions."""
        no = "case_sensitive: false"
        table = tableOf(
            routes(
                to("path", f"path: /Exact, {no}"),
                to("prefix", f"prefix: /Prefix, {no}"),
                to("psp", f"path_separated_prefix: /Psp, {no}"),
                to("regex", f"safe_regex: {{regex: /r}}, {no}"),
            )
        )
        self.assertEqual(
            names(table, "/eXact", "/preFIX1", "/PSP/x", "/R", "/r"),
            ["path", "prefix", "psp", None, "regex"],
        )

    def test_regex(self) -> None:
        """safe_regex has to match the whole path, without the query."""
        table = tableOf(routes(to("a", "safe_regex: {regex: '/a.c'}")))
        self.assertEqual(names(table, "/abc", "/abc?d", "/abcd"), ["a", "a", None])

    def test_connect(self) -> None:
        """connect_matcher matches CONNECT with and without a path; prefixes need a path."""
        table = tableOf(routes(to("prefix", "prefix: /x"), to("connect", "connect_matcher: {}")))
        for headers, name in (
            (request(None, method="CONNECT"), "connect"),
            (request("/y", method="CONNECT"), "connect"),
            (request("/x", method="CONNECT"), "prefix"),
            (request("/y"), None),
        ):
            entry = match(table, headers)
            self.assertEqual(entry and entry.name, name)

    def test_ignorePathParameters(self) -> None:
        """ignore_path_parameters_in_path_matching ends the path at a semicolon."""
        one = to("a", "path: /a")
        self.assertEqual(names(tableOf(routes(one)), "/a;b=c"), [None])
        ignoring = routes(one, config="ignore_path_parameters_in_path_matching: true")
        self.assertEqual(names(tableOf(ignoring), "/a;b=c?d"), ["a"])


class CertainTests(SynchronousTestCase):
    """Routes that requests with the same headers have in common."""

    def certain(self, path: str, *texts: str, **headers: str) -> str | None:
        """The name of the route; None: it depends, or there is none."""
        entry = tableOf(routes(*texts)).certain(request(path, **headers))
        return None if entry is None else entry.name

    def test_whatHeadersSay(self) -> None:
        """Paths, queries, cookies and headers are the same whenever the headers are."""
        table = (
            to("header", "prefix: /, headers: [{name: x}]"),
            to("query", "prefix: /, query_parameters: [{name: q}]"),
            to("regex", "safe_regex: {regex: '/x.*'}"),
            to("path", "path: /a"),
        )
        self.assertEqual(self.certain("/a", *table), "path")
        self.assertEqual(self.certain("/x1", *table), "regex")
        self.assertEqual(self.certain("/a?q=1", *table), "query")
        self.assertEqual(self.certain("/a", *table, x="1"), "header")
        self.assertIsNone(self.certain("/b", *table))

    def test_whatElseCounts(self) -> None:
        """What depends on chance, on the connection or on the id that a request is given."""
        last = to("last", "prefix: /")
        for condition in (
            "runtime_fraction: {default_value: {numerator: 1}, runtime_key: k}",
            "tls_context: {presented: true}",
            "dynamic_metadata: [{filter: f, path: [{key: k}], value: {present_match: true}}]",
            "headers: [{name: X-Request-Id}]",
        ):
            first = to("first", f"prefix: /a, {condition}")
            self.assertIsNone(self.certain("/a", first, last), condition)
            self.assertEqual(self.certain("/b", first, last), "last")
        self.assertEqual(self.certain("/a", last, to("first", "prefix: /a")), "last")
