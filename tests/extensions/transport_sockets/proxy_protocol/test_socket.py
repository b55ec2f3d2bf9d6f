"""Where headers go: onto the wire, and what they separate."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, directResponse, listener, logTo, tcpProxy, typed
from tests.extensions.common.tls.pki import Authority
from tests.extensions.filters.listener.proxy_protocol.test_config import proxyProtocol
from tests.extensions.transport_sockets.proxy_protocol.support import (
    ORIGIN,
    RAW,
    proxied,
    sending,
)
from twisted_envoy.testing import MemoryEnvoy

LINE = b"PROXY TCP4 1.2.3.4 10.0.0.1 1111 80\r\n"
REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_HTTP = "filters.network.http_connection_manager.v3.HttpConnectionManager"


def manager() -> dict[str, Any]:
    """HTTP to the cluster `origin`."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "origin"}}
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
    router = typed("router", "filters.http.router.v3.Router")
    return typed(
        "http",
        _HTTP,
        stat_prefix="http",
        route_config={"virtual_hosts": hosts},
        http_filters=[router],
    )


class UpstreamProxyProtocolTests(SynchronousTestCase):
    """In a running server."""

    def test_relayed(self) -> None:
        """The header comes first, then everything in both directions, halves and ends too."""
        envoy = MemoryEnvoy(proxied(sending()))
        origin = envoy.listen(ORIGIN)
        client = envoy.connect("told")
        client.write(LINE + b"up")
        envoy.settle()
        (upstream,) = origin.connections
        client.loseWriteConnection()
        envoy.settle()
        upstream.write(b"down")
        envoy.settle()
        self.assertEqual((upstream.received, upstream.ended), (LINE + b"up", True))
        self.assertEqual(client.received, b"down")
        upstream.loseConnection()
        envoy.settle()
        self.assertTrue(client.ended)
        self.assertEqual(envoy.stats("cluster.origin.*_active$"), {})

    def test_refusedConnection(self) -> None:
        """A failure to connect is the wire's own."""
        envoy = MemoryEnvoy(proxied(sending()))
        client = envoy.connect("own")
        envoy.settle()
        self.assertTrue(client.ended)
        self.assertEqual(envoy.stat("cluster.origin.upstream_cx_connect_fail"), 1)

    def test_pools(self) -> None:
        """HTTP connections are shared by requests of the same client only."""
        envoy = MemoryEnvoy(proxied(sending(), manager()))
        origin = envoy.listen(ORIGIN)
        answered: Counter[int] = Counter()
        for line in (LINE, LINE, LINE.replace(b"1111", b"1112"), LINE):
            client = envoy.connect("told")
            client.write(line + REQUEST)
            envoy.settle()
            for at, one in enumerate(origin.connections):
                if one.received.count(b"\r\n\r\n") > answered[at]:
                    answered[at] += 1
                    one.write(ANSWER)
            envoy.settle()
            client.loseConnection()
            envoy.settle()
        begins = [one.received[: len(LINE)] for one in origin.connections]
        self.assertEqual(begins, [LINE, LINE.replace(b"1111", b"1112")])

    def test_underTLS(self) -> None:
        """TLS comes after the header, over a hop too."""
        authority = Authority()
        certificate = authority.issue("server.test")
        common = {"tls_certificates": [certificate.config]}
        down = typed(
            "tls", "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=common
        )
        up = typed("tls", "transport_sockets.tls.v3.UpstreamTlsContext", common_tls_context={})
        nested = typed(
            "hop",
            "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
            transport_socket=sending(up),
        )
        chain = {"filters": [directResponse("secret")], "transport_socket": down}
        given: dict[str, Any] = {
            "filter_chains": [chain],
            "listener_filters": [proxyProtocol()],
            "access_log": logTo("/log", "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_TLS_VERSION%"),
        }
        believing = [proxyProtocol()]
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("a", "127.0.0.1:9000", tcpProxy("tls"), listener_filters=believing),
                    listener("b", "127.0.0.1:9001", tcpProxy("hop"), listener_filters=believing),
                    listener("secure", "127.0.0.1:9100", **given),
                    listener("inner", "internal:", **given),
                ],
                [
                    cluster("tls", "127.0.0.1:9100", transport_socket=sending(up)),
                    cluster("hop", "internal:inner", transport_socket=nested),
                ],
            )
        )
        for name in "ab":
            client = envoy.connect(name)
            client.write(LINE)
            envoy.settle()
            self.assertEqual(client.received, b"secret", name)
        self.assertEqual(envoy.lines("/log"), ["1.2.3.4:1111 TLSv1.2"] * 2)

    def test_twice(self) -> None:
        """One inside the other: the outer header is the first."""
        inner = sending(RAW, config={"version": "V2"})
        envoy = MemoryEnvoy(proxied(sending(inner)))
        origin = envoy.listen(ORIGIN)
        envoy.connect("told").write(LINE)
        envoy.settle()
        received = origin.connections[0].received
        self.assertEqual((received[:6], received[len(LINE) :][:4]), (b"PROXY ", b"\r\n\r\n"))
