"""Connections that go where their TLS clients want."""

from __future__ import annotations

import ssl
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import setFilterState, tcpProxy, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import (
    CACHE,
    proxyCluster,
    serving,
)
from twisted_envoy.testing import MemoryEnvoy, Peer

INSPECTOR = typed("tls", "filters.listener.tls_inspector.v3.TlsInspector")


def hello(name: str | None) -> bytes:
    """What a TLS client says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def forward(cache: Any = None, **fields: Any) -> dict[str, Any]:
    """The filter."""
    kind = "filters.network.sni_dynamic_forward_proxy.v3.FilterConfig"
    return typed("sni", kind, dns_cache_config=cache or CACHE, **fields)


class SNIDynamicForwardProxyTests(SynchronousTestCase):
    """As observed on Envoy 1.40."""

    def serve(self, *filters: dict[str, Any], cache: Any = None) -> MemoryEnvoy:
        """One whose origin is a.test:443."""
        envoy = serving(
            *filters,
            tcpProxy("dfp"),
            listener_filters=[INSPECTOR],
            clusters=[proxyCluster(cache=cache)],
        )
        self.origin = envoy.listen("10.0.0.1:443")
        return envoy

    def say(self, envoy: MemoryEnvoy, name: str | None) -> Peer:
        """A client's first words."""
        client = envoy.connect("in")
        client.write(hello(name))
        envoy.settle()
        return client

    def test_known(self) -> None:
        """To the port of the config, or 443."""
        envoy = self.serve(forward())
        self.say(envoy, "a.test")
        self.assertIn(b"a.test", self.origin.connections[0].received)
        envoy = self.serve(forward(port_value=444))
        other = envoy.listen("10.0.0.1:444")
        self.say(envoy, "a.test")
        self.assertEqual((len(other.connections), self.origin.connections), (1, []))

    def test_waits(self) -> None:
        """Until it is known."""
        envoy = self.serve(forward(save_upstream_address=True))
        envoy.resolver.silent.add("a.test")
        self.say(envoy, "a.test")
        self.assertEqual(self.origin.connections, [])
        self.assertEqual(envoy.stat("dns_cache.c.circuit_breakers.rq_pending_remaining"), 1023)
        envoy.resolver.speak("a.test")
        envoy.settle()
        self.assertIn(b"a.test", self.origin.connections[0].received)
        self.assertEqual(envoy.stat("dns_cache.c.circuit_breakers.rq_pending_remaining"), 1024)

    def test_gone(self) -> None:
        """A client that does not wait leaves nothing behind."""
        envoy = self.serve(forward())
        envoy.resolver.silent.add("a.test")
        self.say(envoy, "a.test").abortConnection()
        envoy.settle()
        self.assertEqual(envoy.stat("dns_cache.c.circuit_breakers.rq_pending_remaining"), 1024)
        envoy.resolver.speak("a.test")
        envoy.settle()
        self.assertEqual(self.origin.connections, [])

    def test_nobody(self) -> None:
        """No name, or one that nobody knows: there is no host."""
        envoy = self.serve(forward())
        for name in (None, "b.test"):
            self.assertTrue(self.say(envoy, name).ended)
        self.assertEqual(envoy.stat("cluster.dfp.upstream_cx_none_healthy"), 2)

    def test_byState(self) -> None:
        """Filter state goes before the name and the port."""
        envoy = self.serve(
            setFilterState("envoy.upstream.dynamic_host", "a.test"),
            setFilterState("envoy.upstream.dynamic_port", "443"),
            forward(port_value=1),
        )
        self.say(envoy, "b.test")
        self.assertEqual(len(self.origin.connections), 1)

    def test_overflows(self) -> None:
        """Too many names, or too many that wait: a reset."""
        for given in (
            {"dns_cache_circuit_breaker": {"max_pending_requests": 0}},
            {"max_hosts": 1, "preresolve_hostnames": [{"address": "x", "port_value": 1}]},
        ):
            cache = {**CACHE, **given}
            envoy = self.serve(forward(cache), cache=cache)
            self.assertTrue(self.say(envoy, "a.test").wasReset)
