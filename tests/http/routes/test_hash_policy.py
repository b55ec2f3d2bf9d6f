"""Tests for twisted_envoy.http.routes.hash_policy."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import action, request, requestInfo
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.state.filter_state import HashableStringObject, StringObject
from twisted_envoy.state.request_info import RequestInfo


def hashOf(
    yaml: str, headers: HeaderMap | None = None, info: RequestInfo | None = None
) -> tuple[int | None, bytes | None]:
    policy = action(f"hash_policy: [{yaml}]").hashPolicy
    assert policy is not None
    return policy(
        request() if headers is None else headers, requestInfo() if info is None else info
    )


class HashPolicyTests(SynchronousTestCase):
    def test_header(self) -> None:
        """header: all its values, in no order; regex_rewrite first."""
        self.assertEqual(hashOf("{header: {header_name: X}}"), (None, None))
        self.assertEqual(hashOf("{header: {header_name: X}}", request(x="v"))[0], xxHash64(b"v"))
        one = HeaderMap(((b"x", b"a"), (b"x", b"b")))
        other = HeaderMap(((b"x", b"b"), (b"x", b"a")))
        self.assertEqual(
            hashOf("{header: {header_name: x}}", one), hashOf("{header: {header_name: x}}", other)
        )
        rewrite = "regex_rewrite: {pattern: {regex: '^/(\\w+)/.*$'}, substitution: '\\1'}"
        found = hashOf(f"{{header: {{header_name: ':path', {rewrite}}}}}", request("/abc/d"))
        self.assertEqual(found[0], xxHash64(b"abc"))

    def test_cookie(self) -> None:
        """cookie: its value; with a ttl one is made of the addresses."""
        self.assertEqual(
            hashOf("{cookie: {name: c}}", request(cookie="c=v")), (xxHash64(b"v"), None)
        )
        self.assertEqual(hashOf("{cookie: {name: c}}"), (None, None))
        attributes = "attributes: [{name: SameSite, value: Lax}, {name: Secure}]"
        found, cookie = hashOf(f"{{cookie: {{name: c, ttl: 5s, path: /p, {attributes}}}}}")
        value = b"%016x" % xxHash64(b"10.0.0.1:123410.0.0.2:80")
        self.assertEqual(found, xxHash64(value))
        end = b"; Max-Age=5; Path=/p; SameSite=Lax; Secure; HttpOnly"
        self.assertEqual(cookie, b'c="' + value + b'"' + end)
        _, session = hashOf("{cookie: {name: c, ttl: 0s}}")
        self.assertEqual(session, b'c="' + value + b'"; HttpOnly')

    def test_others(self) -> None:
        """source_ip, query_parameter and filter_state."""
        source = "{connection_properties: {source_ip: true}}"
        self.assertEqual(hashOf(source)[0], xxHash64(b"10.0.0.1"))
        self.assertEqual(hashOf("{connection_properties: {}}"), (None, None))
        query = "{query_parameter: {name: q}}"
        self.assertEqual(hashOf(query, request("/?q=v"))[0], xxHash64(b"v"))
        self.assertEqual(hashOf(query)[0], None)
        info = requestInfo()
        info.filterState.set("h", HashableStringObject("v"))
        info.filterState.set("s", StringObject("v"))
        self.assertEqual(hashOf("{filter_state: {key: h}}", info=info)[0], xxHash64(b"v"))
        self.assertEqual(hashOf("{filter_state: {key: s}}", info=info)[0], None)

    def test_severalAndTerminal(self) -> None:
        """They are combined, up to a terminal one that gave something."""
        x, z = "{header: {header_name: x}", "{header: {header_name: z}"
        headers = request(x="1", z="2")
        one, two = xxHash64(b"1"), xxHash64(b"2")
        mixed = (one << 1 | one >> 63) & (1 << 64) - 1 ^ two
        self.assertEqual(hashOf(f"{x}}}, {z}}}", headers)[0], mixed)
        self.assertEqual(hashOf(f"{x}, terminal: true}}, {z}}}", headers)[0], one)
        self.assertEqual(hashOf(f"{x}, terminal: true}}, {z}}}", request(z="2"))[0], two)
