"""Tests for twisted_envoy.http.routes.conditions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, match, request, requestInfo, routes, tableOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.filter_state.objects import makeIP
from twisted_envoy.http.routes.conditions import cookieValue
from twisted_envoy.state.filter_state import StringObject


class ConditionTests(SynchronousTestCase):
    def matches(
        self, how: str, headers: HeaderMap | str = "/", value: int = 0, info: object = None
    ) -> bool:
        yaml = routes(f"{{match: {{prefix: /, {how}}}, route: {{cluster: a}}}}")
        context = Context(runtime={"on": 100, "off": 0})
        return match(tableOf(yaml, context), headers, value, info) is not None

    def test_headers(self) -> None:
        """All headers have to match."""
        how = "headers: [{name: x}, {name: z, string_match: {exact: b}}]"
        self.assertTrue(self.matches(how, request(x="", z="b")))
        self.assertFalse(self.matches(how, request(x="", z="c")))
        self.assertFalse(self.matches(how, request(z="b")))
        host = "headers: [{name: Host, string_match: {prefix: 'h.'}}]"
        self.assertTrue(self.matches(host))
        self.assertFalse(self.matches(host, request(host="x")))

    def test_queryParameters(self) -> None:
        """query_parameters: the first of a name counts, as it is written."""
        exact = "query_parameters: [{name: a, string_match: {exact: b}}]"
        for path, expected in {
            "/?a=b": True,
            "/?x=1&a=b&a=c": True,
            "/?a=c&a=b": False,
            "/?a=%62": False,
            "/?a": False,
            "/": False,
        }.items():
            self.assertEqual(self.matches(exact, path), expected, path)
        self.assertTrue(self.matches("query_parameters: [{name: a}]", "/?a"))
        self.assertTrue(self.matches("query_parameters: [{name: a, present_match: false}]", "/?b"))
        self.assertFalse(self.matches("query_parameters: [{name: a, present_match: false}]", "/?a"))

    def test_cookies(self) -> None:
        """cookies: by name; a missing one matches when the matcher is inverted."""
        how = "cookies: [{name: a, string_match: {exact: b}}]"
        self.assertTrue(self.matches(how, request(cookie='x=1; a="b"')))
        self.assertFalse(self.matches(how, request(cookie="a=c; a=b")))
        self.assertFalse(self.matches(how))
        inverted = "cookies: [{name: a, string_match: {exact: b}, invert_match: true}]"
        self.assertTrue(self.matches(inverted))
        self.assertFalse(self.matches(inverted, request(cookie="a=b")))

    def test_runtimeFraction(self) -> None:
        """runtime_fraction: by the request's random value, or by the runtime's say."""
        half = "runtime_fraction: {default_value: {numerator: 50}}"
        self.assertTrue(self.matches(half, value=149))
        self.assertFalse(self.matches(half, value=150))
        on = "runtime_fraction: {default_value: {}, runtime_key: 'on'}"
        off = "runtime_fraction: {default_value: {numerator: 100}, runtime_key: 'off'}"
        self.assertTrue(self.matches(on))
        self.assertFalse(self.matches(off))

    def test_grpc(self) -> None:
        """grpc: the content type says so."""
        for kind, expected in (
            ("application/grpc", True),
            ("application/grpc+proto", True),
            ("application/grpc-web", False),
            ("text/plain", False),
        ):
            self.assertEqual(self.matches("grpc: {}", request(content_type=kind)), expected, kind)

    def test_tlsContext(self) -> None:
        """tls_context: without TLS no certificate was presented or validated."""
        for how, expected in (
            ("", True),
            ("presented: false", True),
            ("presented: true", False),
            ("validated: false", True),
            ("validated: true", False),
        ):
            self.assertEqual(self.matches(f"tls_context: {{{how}}}"), expected, how)

    def test_dynamicMetadata(self) -> None:
        """dynamic_metadata: of the request; what is not there matches an inverted matcher."""
        info = requestInfo()
        info.dynamicMetadata["ns"] = {"k": "v"}
        path = "filter: ns, path: [{key: k}], value: {string_match: {exact: v}}"
        self.assertTrue(self.matches(f"dynamic_metadata: [{{{path}}}]", info=info))
        self.assertFalse(self.matches(f"dynamic_metadata: [{{{path}}}]"))
        self.assertTrue(self.matches(f"dynamic_metadata: [{{{path}, invert: true}}]"))

    def test_filterState(self) -> None:
        """filter_state: the text of an object, or its address."""
        info = requestInfo()
        info.filterState.set("k", StringObject("value"))
        how = "filter_state: [{key: k, string_match: {prefix: val}}]"
        self.assertTrue(self.matches(how, info=info))
        self.assertFalse(self.matches(how))
        ranges = "{address_match: {ranges: [{address_prefix: 10.0.0.0}]}, key: k}"
        self.assertFalse(self.matches(f"filter_state: [{ranges}]", info=info))
        info.filterState.set("k", makeIP("10.1.2.3"))
        self.assertTrue(self.matches(f"filter_state: [{ranges}]", info=info))


class CookieTests(SynchronousTestCase):
    def test_spelling(self) -> None:
        """Blanks before a name do not count, others do; several headers are one list."""
        headers = HeaderMap(((b"cookie", b"a=1 ;  b=2;c"), (b"cookie", b'd ="x"; e=""; f="')))
        expected = {b"a": b"1 ", b"b": b"2", b"c": None, b"d": None, b"d ": b"x", b"e": b""}
        for name, value in {**expected, b"f": b'"'}.items():
            self.assertEqual(cookieValue(headers, name), value, name)
