"""What a cluster's config says of HTTP."""

from __future__ import annotations

from tests.bootstraps import bootstrap, cluster
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.testing import MemoryEnvoy, MemoryResolver
from twisted_envoy.upstream.host import NO_OPTIONS
from twisted_envoy.upstream.http.settings import ServerNames

NAME = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
SOCKETS = "type.googleapis.com/envoy.extensions.transport_sockets."
INTERNAL = {
    "name": "t",
    "typed_config": {
        "@type": SOCKETS + "internal_upstream.v3.InternalUpstreamTransport",
        "transport_socket": {
            "name": "raw",
            "typed_config": {"@type": SOCKETS + "raw_buffer.v3.RawBuffer"},
        },
    },
}


def options(**fields):
    """A cluster's field with HttpProtocolOptions."""
    typed = {"@type": f"type.googleapis.com/{NAME}", **fields}
    return {"typed_extension_protocol_options": {NAME: typed}}


class HTTPOptionsTests(RefusalTestCase):
    """From the config to Cluster.http."""

    def text(self, **fields):
        return bootstrap([], [cluster("c", "1.2.3.4:5", **fields)])

    def built(self, **fields):
        self.envoy = MemoryEnvoy(self.text(**fields))
        return self.envoy.server.clusters.get("c").http.settings

    def test_defaults(self):
        """HTTP/1.1, connections kept for an hour."""
        made = self.built()
        self.assertEqual((made.protocol, made.automatic), ("HTTP/1.1", False))
        self.assertEqual(made.common.idleTimeout, 3600)
        self.assertEqual((made.limits.maxBytes, made.limits.maxCount), (80 * 1024, 100))
        self.assertIs(self.envoy.server.clusters.get("c").http.tunnelHalfClose, False)

    def test_typed(self):
        """HttpProtocolOptions; the older fields beside them count for nothing."""
        made = self.built(
            **options(
                explicit_http_config={"http2_protocol_options": {"max_concurrent_streams": 7}}
            ),
            http_protocol_options={"accept_http_10": True},
            common_http_protocol_options={"idle_timeout": "1s"},
        )
        self.assertEqual((made.protocol, made.http2.maxConcurrentStreams), ("HTTP/2", 7))
        self.assertEqual((made.http1.acceptHTTP10, made.common.idleTimeout), (False, 3600))

    def test_old(self):
        """The cluster's own fields."""
        made = self.built(
            http2_protocol_options={},
            common_http_protocol_options={"idle_timeout": "5s", "max_response_headers_kb": 9},
            max_requests_per_connection=3,
        )
        self.assertEqual(made.protocol, "HTTP/2")
        self.assertEqual((made.common.idleTimeout, made.limits.maxBytes), (5, 9 * 1024))
        self.assertEqual(made.common.maxRequestsPerConnection, 3)

    def test_downstreamProtocol(self):
        """Both protocols, as the downstream's is."""
        made = self.built(
            protocol_selection="USE_DOWNSTREAM_PROTOCOL",
            http_protocol_options={"enable_trailers": True},
            http2_protocol_options={},
        )
        self.assertEqual((made.protocol, made.http1.enableTrailers), ("", True))

    def test_both(self):
        """Two protocols and no word which."""
        self.assertRefused(
            self.text(http_protocol_options={}, http2_protocol_options={}),
            "cluster: Both HTTP1 and HTTP2 options may only be configured with non-default "
            "'protocol_selection' values",
        )

    def test_maxRequestsTwice(self):
        """It is said in one place."""
        fields = options(
            explicit_http_config={"http_protocol_options": {}},
            common_http_protocol_options={"max_requests_per_connection": 2},
        )
        self.assertRefused(
            self.text(max_requests_per_connection=1, **fields),
            "Only one of max_requests_per_connection from Cluster or HttpProtocolOptions",
        )
        self.assertEqual(self.built(**fields).common.maxRequestsPerConnection, 2)

    def test_unknownOptions(self):
        """Protocol options under a name that nobody registered."""
        fields = {"mine": {"@type": SOCKETS + "raw_buffer.v3.RawBuffer"}}
        self.assertRefused(
            self.text(typed_extension_protocol_options=fields),
            "Didn't find a registered network or http filter or protocol options "
            "implementation for name: 'mine'",
        )

    def test_otherOptions(self):
        """Those of other extensions are not obeyed."""
        tcp = "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions"
        fields = {tcp: {"@type": f"type.googleapis.com/{tcp}", "idle_timeout": "1s"}}
        problem = self.refused(self.text(typed_extension_protocol_options=fields))
        self.assertIsInstance(problem, UnsupportedField)
        self.assertIn("idle_timeout", str(problem))

    def test_automatic(self):
        """ALPN needs a transport socket that has it."""
        self.assertRefused(
            self.text(**options(auto_config={})),
            "ALPN configured for cluster c which has a non-ALPN transport socket",
        )

    def test_serverNames(self):
        """auto_sni and its kin, in the options or in the cluster itself."""
        given = {"auto_sni": True, "override_auto_sni_header": "X-Name"}
        for fields in (
            options(
                explicit_http_config={"http_protocol_options": {}},
                upstream_http_protocol_options=given,
            ),
            {"upstream_http_protocol_options": given},
        ):
            names = self.built(**fields).serverNames
            self.assertEqual(names, ServerNames(True, False, b"x-name"))
        only = {"override_auto_sni_header": "x-name"}
        self.assertIsNone(self.built(upstream_http_protocol_options=only).serverNames)

    def test_halfClose(self):
        """The runtime key of the tunnels."""
        layer = {"name": "s", "static_layer": {"twisted_envoy.http1_tunnel_half_close": True}}
        text = bootstrap([], [cluster("c", "1.2.3.4:5")], layered_runtime={"layers": [layer]})
        self.assertIs(MemoryEnvoy(text).server.clusters.get("c").http.tunnelHalfClose, True)

    def test_poolOfADNSCluster(self):
        """Clusters whose hosts are looked up have pools like any other."""
        resolver = MemoryResolver({"origin.test": ["10.0.0.7"]})
        made = cluster("c", "origin.test:80", type="STRICT_DNS")
        envoy = MemoryEnvoy(bootstrap([], [made]), resolver=resolver)
        found = envoy.server.clusters.get("c")
        (host,) = found.hosts
        self.assertEqual(host.hostname, "origin.test")
        pool = found.httpPool(host, "HTTP/1.1", NO_OPTIONS, "default")
        self.assertIs(pool.host, host)
