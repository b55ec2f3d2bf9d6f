"""What Envoy refuses of a dynamic forward proxy cluster."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import (
    EXTENSIONS,
    bootstrap,
    cluster,
    directResponse,
    listener,
    tcpProxy,
    typed,
)
from tests.extensions.clusters.dynamic_forward_proxy.support import (
    CACHE,
    manager,
    proxyCluster,
    proxyFilter,
)
from tests.extensions.common.tls.pki import Authority
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy
from twisted_envoy.testing.names import MemoryResolver

_OPTIONS = "upstreams.http.v3.HttpProtocolOptions"


class DynamicForwardProxyClusterFactoryTests(RefusalTestCase):
    """In a bootstrap."""

    def text(self, *clusters: dict[str, Any]) -> str:
        """A bootstrap of clusters."""
        return bootstrap([listener("in", "127.0.0.1:9000", manager(proxyFilter()))], list(clusters))

    def test_policy(self) -> None:
        """Only its own."""
        self.assertRefused(
            self.text({**proxyCluster(), "lb_policy": "ROUND_ROBIN"}),
            "cluster manager: cluster provided LB not specified but cluster 'dfp' provided one. "
            "Check cluster documentation.",
        )

    def test_caches(self) -> None:
        """Two of one name are alike."""
        self.assertRefused(
            self.text(proxyCluster(), proxyCluster("two", {**CACHE, "max_hosts": 3})),
            "config specified DNS cache 'c' with different settings",
        )

    def test_names(self) -> None:
        """Options of HTTP say that names are checked."""
        kind = EXTENSIONS + _OPTIONS
        options = {"@type": kind, "explicit_http_config": {"http_protocol_options": {}}}
        self.assertRefused(
            self.text(
                proxyCluster(
                    typed_extension_protocol_options={
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
                    }
                )
            ),
            "dynamic_forward_proxy cluster must have auto_sni and auto_san_validation true unless "
            "allow_insecure_cluster_options is set.",
        )

    def test_namesChecked(self) -> None:
        """Which is what is done in any case."""
        given = {"auto_sni": True, "auto_san_validation": True}
        options = {
            "@type": EXTENSIONS + _OPTIONS,
            "explicit_http_config": {"http_protocol_options": {}},
            "upstream_http_protocol_options": given,
        }
        socket = typed("tls", "transport_sockets.tls.v3.UpstreamTlsContext", common_tls_context={})
        MemoryEnvoy(
            self.text(
                proxyCluster(
                    transport_socket=socket,
                    typed_extension_protocol_options={f"envoy.extensions.{_OPTIONS}": options},
                )
            )
        )

    def test_notImplemented(self) -> None:
        """Clusters of their own for each name."""
        made = proxyCluster()
        made["cluster_type"]["typed_config"] = {
            "@type": made["cluster_type"]["typed_config"]["@type"],
            "sub_clusters_config": {},
        }
        self.refused(self.text(made))


class TLSTests(RefusalTestCase):
    """TLS to whom a request names."""

    def test_name(self) -> None:
        """It is asked for by name, and its certificate has the name."""
        authority = Authority()
        trusted = {"validation_context": {"trusted_ca": {"inline_string": authority.pem}}}
        got, envoy = self.together(authority, trusted)
        self.assertEqual(got, [b"secret", b""])
        self.assertEqual(envoy.stat("cluster.dfp.ssl.fail_verify_san"), 1)

    def test_nobodyToTrust(self) -> None:
        """A name that nobody can verify is not taken, as in Envoy."""
        got, _ = self.together(Authority(), {})
        self.assertEqual(got, [b"", b""])

    def together(self, authority: Authority, trusted: Any) -> tuple[list[bytes], MemoryEnvoy]:
        """What clients of a.test and b.test get, of a server that is a.test."""
        common = {"tls_certificates": [authority.issue("a.test").config]}
        down = typed(
            "tls", "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=common
        )
        up = typed("tls", "transport_sockets.tls.v3.UpstreamTlsContext", common_tls_context=trusted)
        sni = typed("sni", "filters.listener.tls_inspector.v3.TlsInspector")
        chain = {
            "filter_chain_match": {"server_names": ["a.test", "b.test"]},
            "filters": [directResponse("secret")],
            "transport_socket": down,
        }
        outer = []
        for at, name in enumerate(("a.test", "b.test")):
            state = "filters.network.set_filter_state.v3.Config"
            value = {
                "object_key": "envoy.upstream.dynamic_host",
                "format_string": {"text_format_source": {"inline_string": name}},
            }
            filters = (typed("s", state, on_new_connection=[value]), tcpProxy("dfp"))
            outer.append(listener(name, f"127.0.0.1:{9000 + at}", *filters))
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    *outer,
                    listener("tls", "127.0.0.1:443", filter_chains=[chain], listener_filters=[sni]),
                ],
                [proxyCluster(transport_socket=up), cluster("unused", "127.0.0.1:1")],
            ),
            resolver=MemoryResolver(dict.fromkeys(("a.test", "b.test"), ["127.0.0.1"])),
        )
        got = []
        for name in ("a.test", "b.test"):
            client = envoy.connect(name)
            envoy.settle()
            got.append(client.received)
        return got, envoy
