"""Chains of HTTP filters, as configured."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import ROUTER, bootstrap
from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy

BUFFER = {
    "name": "buffer",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 3,
    },
}
POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345"


class FilterChainTests(SynchronousTestCase):
    """What may stand where."""

    def problem(self, filters: list[Any]) -> str:
        text = bootstrap(http_filters=filters)
        return str(self.assertRaises(ConfigError, MemoryEnvoy, text))

    def run_(self, filters: list[Any], *routes: Any) -> MemoryEnvoy:
        envoy = MemoryEnvoy(bootstrap(list(routes), http_filters=filters))
        self.addCleanup(envoy.stop)
        return envoy

    def test_terminal(self) -> None:
        """The terminal filter is the last one, and there is one."""
        self.assertIn(
            "Error: terminal filter named envoy.filters.http.router of type "
            "envoy.filters.http.router must be the last filter in a http filter chain.",
            self.problem([ROUTER, BUFFER]),
        )
        self.assertIn(
            "Error: non-terminal filter named buffer of type envoy.filters.http.buffer is the last "
            "filter in a http filter chain.",
            self.problem([BUFFER]),
        )

    def test_disabled(self) -> None:
        """A filter that is disabled takes no part; the terminal one cannot be."""
        envoy = self.run_([{**BUFFER, "disabled": True}, ROUTER])
        client = envoy.connect("web")
        client.write(POST)
        envoy.settle()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 200 OK\r\n"), client.received)

        self.assertIn(
            "Error: the last (terminal) filter (envoy.filters.http.router) in the chain cannot be "
            "disabled by default.",
            self.problem([{**ROUTER, "disabled": True}]),
        )

    def test_disabledByRoute(self) -> None:
        """A route may switch a filter off, and one that is disabled on."""
        kind = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
        perRoute = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
        own = {"@type": perRoute, "buffer": {"max_request_bytes": 3}}
        reply = {"direct_response": {"status": 200}, "match": {"prefix": "/"}}
        for disabled, route, status in (
            (False, {"@type": kind, "disabled": True}, b"200 OK"),
            (True, {"@type": kind, "config": own}, b"413 Payload Too Large"),
        ):
            routed = {**reply, "typed_per_filter_config": {"buffer": route}}
            envoy = self.run_([{**BUFFER, "disabled": disabled}, ROUTER], routed)
            client = envoy.connect("web")
            client.write(POST)
            envoy.settle()
            self.assertTrue(client.received.startswith(b"HTTP/1.1 " + status), client.received)

    def test_none(self) -> None:
        """Without filters nobody answers, until the request's idle time is over."""
        envoy = self.run_([])
        client = envoy.connect("web")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        envoy.settle()
        self.assertEqual(client.received, b"")

        envoy.advance(301)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n"))

    def test_otherKind(self) -> None:
        """A route's config of another filter's type is ignored, with a warning, as in Envoy."""
        kind = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
        route = {
            "match": {"prefix": "/"},
            "direct_response": {"status": 200},
            "typed_per_filter_config": {"buffer": {"@type": kind}},
        }
        envoy = self.run_([BUFFER, ROUTER], route)
        client = envoy.connect("web")
        client.write(POST)
        envoy.settle()

        self.assertTrue(client.received.startswith(b"HTTP/1.1 413 "), client.received)
