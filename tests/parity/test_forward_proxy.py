"""Dynamic forward proxies and clusters by server name; names are those that need no DNS server."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, listener, logTo, tcpProxy, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import (
    CACHE,
    manager,
    proxyCluster,
    proxyFilter,
    routeTo,
)
from tests.extensions.filters.network.sni_dynamic_forward_proxy.test_filter import (
    INSPECTOR,
    forward,
    hello,
)
from tests.parity.peers import Peer, Served
from tests.parity.support import ParityTestCase, Side, served

FEW = {**CACHE, "name": "few", "max_hosts": 1}
NONE = {**CACHE, "name": "none", "dns_cache_circuit_breaker": {"max_pending_requests": 0}}
LOG = "%RESPONSE_FLAGS% up=%UPSTREAM_HOST% %UPSTREAM_CLUSTER%"
STATS = (
    r"^dns_cache\..*(host_added|overflow|num_hosts|removed|pending_open|remaining)|^cluster\.(dfp|"
    r"few|none)\.(membership|upstream_cx_none_healthy)|no_route"
)


def origin(peer: Peer) -> object:
    """Answers requests; says `hi` to TLS."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.some()
        data += more
        if data.startswith(b"\x16"):
            peer.send(b"hi")
            return "TLS"
        if not more:
            return data
    peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
    return data.split(b"\r\n")[1].partition(b":")[0]


def state(*values: tuple[str, str]) -> dict[str, Any]:
    """Objects that HTTP requests get."""
    given = [
        {"object_key": key, "format_string": {"text_format_source": {"inline_string": text}}}
        for key, text in values
    ]
    return typed("s", "filters.http.set_filter_state.v3.Config", on_request_headers=given)


class ForwardProxyTests(ParityTestCase):
    """One program with all of them."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": origin}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        port = ports["origin"]
        routes = [
            routeTo("/literal", host_rewrite_literal=f"localhost:{port}"),
            routeTo("/header", host_rewrite_header="x-host"),
            routeTo("/plain", "plain"),
            routeTo("/"),
        ]
        told = state(
            ("envoy.upstream.dynamic_host", "localhost"), ("envoy.upstream.dynamic_port", str(port))
        )
        kind = "filters.http.dynamic_forward_proxy.v3.FilterConfig"
        bare = typed("envoy.filters.http.dynamic_forward_proxy", kind)
        byState = proxyFilter(allow_dynamic_host_from_filter_state=True)
        managers = {
            "http": manager(proxyFilter(), routes=routes, name="http"),
            "few": manager(proxyFilter(FEW), routes=[routeTo("/", "few")], name="few"),
            "none": manager(proxyFilter(NONE), routes=[routeTo("/", "none")], name="none"),
            "state": manager(told, byState, name="state"),
            "bare": manager(bare, name="bare"),
            "other": manager(proxyFilter({**CACHE, "name": "other"}), name="other"),
        }
        sni = typed("c", "filters.network.sni_cluster.v3.SniCluster")
        tcp = {
            "sni": (forward(port_value=port), tcpProxy("dfp", access_log=logTo("sni.log", LOG))),
            "byName": (sni, tcpProxy("plain", access_log=logTo("byName.log", LOG))),
        }
        return served(
            [
                *(listener(name, "127.0.0.1:0", made) for name, made in managers.items()),
                *(
                    listener(name, "127.0.0.1:0", *filters, listener_filters=[INSPECTOR])
                    for name, filters in tcp.items()
                ),
            ],
            [
                proxyCluster(),
                proxyCluster("few", FEW),
                proxyCluster("none", NONE),
                cluster("plain", f"127.0.0.1:{port}"),
                cluster("other.test", f"127.0.0.1:{port}"),
            ],
        )

    def ask(self, name: str, *requests: tuple[str, str, str]) -> None:
        """Requests of (host, path, more headers); `PORT` is the origin's."""

        def scenario(side: Side) -> object:
            got = []
            port = str(side.origins["origin"].port)
            for host, path, more in requests:
                client = side.connect(name)
                text = f"GET {path} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n".replace("PORT", port)
                client.send(text.encode())
                head = client.some()
                got.append((head[:12], head.partition(b"\r\n\r\n")[2]))
                client.close()
            return got

        self.same(scenario, STATS)

    def test_requests(self) -> None:
        """Names, addresses, and what routes make of them."""
        self.ask(
            "http",
            ("127.0.0.1:PORT", "/", ""),
            ("localhost:PORT", "/", ""),
            ("localhost:PORT", "/", ""),
            ("LOCALHOST:PORT", "/", ""),
            ("nowhere", "/literal", ""),
            ("nowhere", "/header", "x-host: localhost:PORT\r\n"),
            ("nowhere", "/plain", ""),
            ("", "/", ""),
        )

    def test_overflows(self) -> None:
        """Of names, of those that wait."""
        self.ask("few", ("127.0.0.1:PORT", "/", ""), ("localhost:PORT", "/", ""))
        self.ask("none", ("127.0.0.1:PORT", "/", ""), ("localhost:PORT", "/", ""))

    def test_state(self) -> None:
        """Filter state goes before the host."""
        self.ask("state", ("nowhere", "/", ""))

    def test_otherCaches(self) -> None:
        """The filter's is not the cluster's, or has no name."""
        for name in ("bare", "other"):
            self.ask(name, ("localhost:PORT", "/", ""), ("127.0.0.1:PORT", "/", ""))

    def greet(self, listener: str, *names: str | None) -> None:
        """TLS clients that ask for names."""

        def scenario(side: Side) -> object:
            got = []
            for name in names:
                client = side.connect(listener)
                client.send(hello(name))
                got.append((name, client.rest()[0]))
                client.close()
            return got

        self.same(scenario, STATS, f"{listener}.log", len(names))

    def test_serverNames(self) -> None:
        """As hosts."""
        self.greet("sni", "localhost", None)

    def test_clusters(self) -> None:
        """As clusters."""
        self.greet("byName", "other.test", None, "nobody.test")
