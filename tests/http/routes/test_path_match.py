"""Tests for twisted_envoy.http.routes.path_match."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import names, only, routes, tableOf, wrong

TEMPLATE = (
    "{name: t, typed_config: {'@type': type.googleapis.com/envoy.extensions.path.match."
    "uri_template.v3.UriTemplateMatchConfig, path_template: '%s'}}"
)


class PathMatchTests(SynchronousTestCase):
    def test_policy(self) -> None:
        """path_match_policy: what an extension says of the path without its query."""
        match = f"path_match_policy: {TEMPLATE % '/u/{id}'}"
        yaml = routes(f"{{name: t, match: {{{match}}}, route: {{cluster: a}}}}")
        self.assertEqual(names(tableOf(yaml), "/u/1?q", "/u/1/2"), ["t", None])

    def test_ignoringParameters(self) -> None:
        """Regular expressions see no path parameters where those are ignored."""
        yaml = routes(
            "{name: r, match: {safe_regex: {regex: '/a/.*z'}}, route: {cluster: a}}",
            config="ignore_path_parameters_in_path_matching: true",
        )
        self.assertEqual(names(tableOf(yaml), "/a;x/z;y?q", "/a/b;z"), ["r", None])

    def test_connect(self) -> None:
        """An entry knows that it is for CONNECT."""
        yaml = routes("{match: {connect_matcher: {}}, route: {cluster: a}}")
        self.assertEqual(names(tableOf(yaml), "/"), [None])
        self.assertFalse(only("{match: {prefix: /}, route: {cluster: a}}").isConnectMatch)

    def test_errors(self) -> None:
        """A wrong pattern, in RE2's words."""
        self.assertEqual(
            wrong("{match: {safe_regex: {regex: '(('}}, route: {cluster: a}}"), "missing ): (("
        )
