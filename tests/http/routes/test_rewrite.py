"""Tests for twisted_envoy.http.routes.rewrite."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import edited, request, routes, tableOf, wrong, wrongAction
from twisted_envoy.codec.headers import HeaderMap

MATCH = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
REWRITE = (
    "type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig"
)


def result(how: str, yaml: str, path: str, **headers: str) -> HeaderMap:
    table = tableOf(routes(f"{{match: {{{how}}}, route: {{cluster: a, {yaml}}}}}"))
    return edited(table, request(path, **headers))[0]


class PathRewriteTests(SynchronousTestCase):
    def test_prefix(self) -> None:
        """prefix_rewrite replaces what matched: of a pattern all but the query."""
        for how, path, expected in (
            ("prefix: /a", "/a/x?q", b"/n/x?q"),
            ("path: /a", "/a?q", b"/n?q"),
            ("path_separated_prefix: /a", "/a/x", b"/n/x"),
            ("safe_regex: {regex: '/a.*'}", "/a/x?q", b"/n?q"),
            ("prefix: /A, case_sensitive: false", "/a/x", b"/n/x"),
        ):
            self.assertEqual(result(how, "prefix_rewrite: /n", path)[b":path"], expected, how)

    def test_regex(self) -> None:
        """regex_rewrite replaces every match, but not in the query."""
        yaml = "regex_rewrite: {pattern: {regex: 'o(.)'}, substitution: '0\\1'}"
        self.assertEqual(result("prefix: /", yaml, "/foo/ob?ob")[b":path"], b"/f0o/0b?ob")

    def test_format(self) -> None:
        """path_rewrite is a format; when it gives nothing the path stays."""
        yaml = "path_rewrite: '%REQ(x-p)%'"
        self.assertEqual(result("prefix: /", yaml, "/a?q", x_p="/n")[b":path"], b"/n?q")
        kept = result("prefix: /", yaml, "/a?q")
        self.assertEqual(kept[b":path"], b"/a?q")
        self.assertNotIn(b"x-envoy-original-path", kept)

    def test_policy(self) -> None:
        """path_rewrite_policy rewrites what a path_match_policy has matched."""
        how = f"path_match_policy: {{name: m, typed_config: {{'@type': {MATCH}, "
        rewrite = f"path_rewrite_policy: {{name: r, typed_config: {{'@type': {REWRITE}, "
        found = result(
            how + "path_template: '/u/{id}/**'}}",
            rewrite + "path_template_rewrite: '/{id}'}}",
            "/u/7/x?q",
        )
        self.assertEqual(found[b":path"], b"/7?q")
        self.assertIn("unable to use", wrongAction(rewrite + "path_template_rewrite: '/{id}'}}"))

    def test_errors(self) -> None:
        """One way at most; formats have to be right."""
        regex = "regex_rewrite: {pattern: {regex: a}, substitution: b}"
        self.assertEqual(
            wrongAction(f"prefix_rewrite: /x, {regex}"),
            "Specify only one of prefix_rewrite, regex_rewrite or path_rewrite_policy",
        )
        self.assertEqual(
            wrongAction("path_rewrite: '%NOPE%'"),
            "Failed to create path rewrite formatter: INVALID_ARGUMENT: Not supported field in "
            "StreamInfo: NOPE",
        )
        template = (
            "{match: {path_match_policy: {name: a, typed_config: {'@type': "
            "type.googleapis.com/envoy.extensions.path.match.uri_template.v3."
            "UriTemplateMatchConfig, path_template: '/{a}'}}}, "
        )
        self.assertEqual(
            wrong(template + "route: {cluster: a, prefix_rewrite: /x}}"),
            "Cannot use prefix_rewrite with matcher extension",
        )
        self.assertEqual(
            wrong(template + "redirect: {prefix_rewrite: /x}}"),
            "Cannot use redirect.prefix_rewrite with path_match_policy",
        )
        bad = "regex_rewrite: {pattern: {regex: '('}, substitution: b}"
        self.assertEqual(wrongAction(bad), "missing ): (")
        self.assertEqual(wrong(f"{{match: {{prefix: /}}, redirect: {{{bad}}}}}"), "missing ): (")


class HostRewriteTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Where the new host may come from; the old one is kept in x-envoy-original-host."""
        regex = "{pattern: {regex: '^/(.+)/.+$'}, substitution: '\\1'}"
        for yaml, expected in (
            ("host_rewrite_literal: new", b"new"),
            ("host_rewrite_header: X-Host", b"of.header"),
            (f"host_rewrite_path_regex: {regex}", b"some.host"),
            ("host_rewrite: '%REQ(x-host)%:1'", b"of.header:1"),
        ):
            headers = result("prefix: /", yaml, "/some.host/x?q", x_host="of.header")
            self.assertEqual(headers[b":authority"], expected, yaml)
            self.assertEqual(headers[b"x-envoy-original-host"], b"h.test")
            self.assertNotIn(b"x-forwarded-host", headers)

    def test_nothing(self) -> None:
        """Without the header the host stays."""
        for yaml in ("host_rewrite_header: x", "host_rewrite_literal: ''"):
            headers = result("prefix: /", yaml, "/")
            self.assertEqual(headers[b":authority"], b"h.test")
            self.assertNotIn(b"x-envoy-original-host", headers)

    def test_forwardedHost(self) -> None:
        """append_x_forwarded_host appends the old host, unless it is the last there."""
        yaml = "host_rewrite_literal: new, append_x_forwarded_host: true"
        self.assertEqual(result("prefix: /", yaml, "/")[b"x-forwarded-host"], b"h.test")
        for before, after in (("a", b"a,h.test"), ("h.test", b"h.test"), ("a,h.test", b"a,h.test")):
            headers = result("prefix: /", yaml, "/", x_forwarded_host=before)
            self.assertEqual(headers[b"x-forwarded-host"], after)

    def test_auto(self) -> None:
        """auto_host_rewrite is left to the router."""
        table = tableOf(
            routes("{match: {prefix: /}, route: {cluster: a, auto_host_rewrite: true}}")
        )
        headers, entry = edited(table)
        self.assertTrue(entry.autoHostRewrite)
        self.assertEqual(headers[b":authority"], b"h.test")
