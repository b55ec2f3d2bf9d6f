"""Requests that go where they say, as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import cluster, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import (
    CACHE,
    manager,
    proxyCluster,
    proxyFilter,
    routeTo,
    serving,
)
from twisted_envoy.testing import MemoryEnvoy

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class DynamicForwardProxyTests(SynchronousTestCase):
    """In a running server."""

    def ask(self, envoy: MemoryEnvoy, host: str, path: str = "/", more: str = "") -> bytes:
        """The body of the answer, or its status when it has none."""
        client = envoy.connect("in")
        client.write(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n".encode())
        envoy.settle()
        self.client = client
        head, _, body = client.received.partition(b"\r\n\r\n")
        return body or head[9:12]

    def serve(self, *args: Any, **kwargs: Any) -> MemoryEnvoy:
        """One whose origin is a.test:80."""
        envoy = serving(*args, **kwargs)
        self.origin = envoy.listen("10.0.0.1:80")
        return envoy

    def heard(self) -> list[bytes]:
        """The hosts of the requests that came."""
        found = []
        for one in self.origin.connections:
            found += [line for line in one.received.split(b"\r\n") if line.startswith(b"host:")]
        return found

    def test_forwarded(self) -> None:
        """To the port of the host, or 80."""
        envoy = self.serve(manager(proxyFilter()))
        self.ask(envoy, "a.test")
        self.ask(envoy, "a.test:80")
        self.assertEqual(self.heard(), [b"host: a.test", b"host: a.test:80"])
        self.assertEqual(envoy.stat("dns_cache.c.dns_query_attempt"), 1)

    def test_waits(self) -> None:
        """Until it is known; what the client sends meanwhile waits too."""
        envoy = self.serve(manager(proxyFilter()))
        envoy.resolver.silent.add("a.test")
        self.ask(envoy, "a.test", more="content-length: 2\r\n")
        self.client.write(b"hi")
        envoy.settle()
        self.assertEqual(self.origin.connections, [])
        self.assertEqual(envoy.stat("dns_cache.c.circuit_breakers.rq_pending_remaining"), 1023)
        envoy.resolver.speak("a.test")
        envoy.settle()
        self.assertTrue(self.origin.connections[0].received.endswith(b"\r\n\r\nhi"))
        self.assertEqual(envoy.stat("dns_cache.c.circuit_breakers.rq_pending_remaining"), 1024)

    def test_gone(self) -> None:
        """A client that does not wait leaves nothing behind."""
        envoy = self.serve(manager(proxyFilter()))
        envoy.resolver.silent.add("a.test")
        self.ask(envoy, "a.test")
        self.client.abortConnection()
        envoy.settle()
        self.assertEqual(envoy.stat("dns_cache.c.circuit_breakers.rq_pending_remaining"), 1024)
        envoy.resolver.speak("a.test")
        envoy.settle()
        self.assertEqual(self.origin.connections, [])

    def test_unknown(self) -> None:
        """At once, and after waiting."""
        envoy = self.serve(manager(proxyFilter()))
        self.assertEqual(self.ask(envoy, "b.test"), b"DNS resolution failure")
        envoy.resolver.silent.add("c.test")
        self.ask(envoy, "c.test")
        envoy.resolver.speak("c.test")
        envoy.settle()
        self.assertIn(b"503", self.client.received)
        self.assertEqual(
            envoy.lines("http.log"),
            [
                "503 DF dns_resolution_failure{cares_norecords:Domain_name_not_found} "
                f"- {name}.test"
                for name in "bc"
            ],
        )

    def test_clusterTypeOfAnotherName(self) -> None:
        """Then the cluster looks names up: no rewriting, and what is not found is UH."""
        dfp = proxyCluster()
        dfp["cluster_type"]["name"] = "d"
        routes = [routeTo("/literal", host_rewrite_literal="a.test"), routeTo("/")]
        envoy = self.serve(manager(proxyFilter(), routes=routes), clusters=[dfp])
        self.assertEqual(self.ask(envoy, "b.test", "/literal"), b"no healthy upstream")
        details = "dns_resolution_failure{cares_norecords:Domain_name_not_found}"
        self.assertEqual(envoy.lines("http.log"), [f"503 UH {details} - b.test"])
        self.ask(envoy, "a.test")
        self.assertEqual(self.heard(), [b"host: a.test"])

    def test_empty(self) -> None:
        """No host at all."""
        self.assertEqual(self.ask(self.serve(manager(proxyFilter())), ""), b"Empty host header")

    def test_overflows(self) -> None:
        """Too many names; too many that wait."""
        for given, text, details in (
            (
                {"dns_cache_circuit_breaker": {"max_pending_requests": 0}},
                b"Dynamic forward proxy pending request overflow",
                "dynamic_forward_proxy_pending_request_overflow",
            ),
            (
                {"max_hosts": 1, "preresolve_hostnames": [{"address": "x", "port_value": 1}]},
                b"DNS cache overflow",
                "dns_cache_overflow",
            ),
        ):
            cache = {**CACHE, **given}
            envoy = self.serve(manager(proxyFilter(cache)), clusters=[proxyCluster(cache=cache)])
            self.assertEqual(self.ask(envoy, "a.test"), text)
            self.assertEqual(envoy.lines("http.log"), [f"503 - {details} - a.test"])

    def test_rewritten(self) -> None:
        """By the route: a name, or a header that has one."""
        routes = [
            routeTo("/literal", host_rewrite_literal="a.test"),
            routeTo("/header", host_rewrite_header="X-Host"),
        ]
        envoy = self.serve(manager(proxyFilter(), routes=routes))
        self.ask(envoy, "x", "/literal")
        self.ask(envoy, "x", "/header", "x-host: a.test:80\r\n")
        self.assertEqual(self.heard(), [b"host: a.test", b"host: a.test:80"])
        self.assertEqual(self.ask(envoy, "x", "/header"), b"DNS resolution failure")

    def test_byState(self) -> None:
        """Filter state says where to, where that is allowed."""
        value = {
            "object_key": "envoy.upstream.dynamic_host",
            "format_string": {"text_format_source": {"inline_string": "a.test"}},
        }
        state = typed(
            "state", "filters.http.set_filter_state.v3.Config", on_request_headers=[value]
        )
        allowed = proxyFilter(allow_dynamic_host_from_filter_state=True)
        envoy = self.serve(manager(state, allowed))
        self.ask(envoy, "b.test")
        self.assertEqual(self.heard(), [b"host: b.test"])
        envoy = self.serve(manager(state, proxyFilter()))
        self.assertEqual(self.ask(envoy, "b.test"), b"DNS resolution failure")

    def test_otherCluster(self) -> None:
        """A request to another kind of cluster is none of its business."""
        clusters = [proxyCluster(), cluster("plain", "10.0.0.1:80")]
        routes = [routeTo("/", "plain")]
        envoy = self.serve(manager(proxyFilter(), routes=routes), clusters=clusters)
        self.ask(envoy, "b.test")
        self.assertEqual(self.heard(), [b"host: b.test"])
        self.assertEqual(envoy.stat("dns_cache.c.num_hosts"), 0)

    def test_anotherCache(self) -> None:
        """What the filter has found the cluster looks up for itself, and the request waits."""
        bare = typed("x", "filters.http.dynamic_forward_proxy.v3.FilterConfig")
        other = proxyFilter({**CACHE, "name": "other"})
        for one, prefix in ((bare, "dns_cache."), (other, "dns_cache.other.")):
            envoy = self.serve(manager(one))
            self.ask(envoy, "a.test")
            self.assertEqual(self.heard(), [b"host: a.test"])
            self.assertEqual(self.ask(envoy, "nobody.test"), b"DNS resolution failure")
            found = [envoy.stat(f"{each}num_hosts") for each in (prefix, "dns_cache.c.")]
            self.assertEqual(found, [2, 1])

    def test_stopped(self) -> None:
        """A server that stops looks nothing up any more, whose cache it was."""
        envoy = self.serve(manager(proxyFilter({**CACHE, "name": "other"})))
        self.ask(envoy, "a.test")
        self.client.loseConnection()
        envoy.stop()
        self.assertEqual(envoy.clock.getDelayedCalls(), [])

    def test_withoutFilter(self) -> None:
        """The first request gets no host, as nobody waits; those after it do."""
        envoy = self.serve(manager())
        envoy.resolver.silent.add("a.test")
        self.assertEqual(self.ask(envoy, "a.test"), b"no healthy upstream")
        envoy.resolver.speak("a.test")
        self.ask(envoy, "a.test")
        self.assertEqual(self.heard(), [b"host: a.test"])
