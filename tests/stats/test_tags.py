"""Tests for twisted_envoy.stats.tags; expected tags are those of Envoy 1.40's /stats/prometheus."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.tags import TagRules

KNOWN = {
    "cluster.c1.upstream_cx_total": "cluster.upstream_cx_total|cluster_name=c1",
    "cluster.c.dot.upstream_rq_total": "cluster.dot.upstream_rq_total|cluster_name=c",
    "cluster.c1.upstream_rq_502": "cluster.upstream_rq|response_code=502,cluster_name=c1",
    "cluster.c1.upstream_rq_5xx": ("cluster.upstream_rq_xx|response_code_class=5,cluster_name=c1"),
    "cluster.c1.ext_authz.eap.ok": ("cluster.ext_authz.ok|cluster_name=c1,ext_authz_prefix=eap"),
    "cluster.c1.ssl.ciphers.TLS_AES_128_GCM_SHA256": (
        "cluster.ssl.ciphers|cipher_suite=TLS_AES_128_GCM_SHA256,cluster_name=c1"
    ),
    "cluster.c1.ssl.versions.TLSv1.2": "cluster.ssl.versions|ssl_version=TLSv1.2,cluster_name=c1",
    "cluster.c1.ssl.curves.X25519": "cluster.ssl.curves|ssl_curve=X25519,cluster_name=c1",
    "cluster.c1.ssl.handshake": "cluster.ssl.handshake|cluster_name=c1",
    "listener.127.0.0.1_80.ssl.ciphers.AES128-SHA": (
        "listener.ssl.ciphers|ssl_cipher=AES128-SHA,listener_address=127.0.0.1_80"
    ),
    "listener.web.ssl.sigalgs.ed25519": (
        "listener.ssl.sigalgs|ssl_sigalg=ed25519,listener_address=web"
    ),
    "listener.web.ssl.certificate.unnamed_cert_e3b0c442.expiration_unix_time_seconds": (
        "listener.ssl.certificate.expiration_unix_time_seconds|"
        "tls_certificate=unnamed_cert_e3b0c442,listener_address=web"
    ),
    "listener_local_ratelimit.lr.rate_limited": (
        "listener_local_ratelimit.rate_limited|local_listener_ratelimit_prefix=lr"
    ),
    "cluster_manager.cluster_added": "cluster_manager.cluster_added|",
    "http.web.downstream_rq_2xx": (
        "http.downstream_rq_xx|response_code_class=2,http_conn_manager_prefix=web"
    ),
    "http.web.ext_authz.eap.ok": (
        "http.ext_authz.ok|ext_authz_prefix=eap,http_conn_manager_prefix=web"
    ),
    "http.web.rbac.rp.allowed": (
        "http.rbac.allowed|rbac_http_prefix=rp,http_conn_manager_prefix=web"
    ),
    "http.web.rbac.shadow_allowed": "http.rbac.shadow_allowed|http_conn_manager_prefix=web",
    "http.web.rbac.rp.policy.pol1.allowed": (
        "http.rbac.policy.allowed|rbac_policy_name=pol1,rbac_http_prefix=rp,"
        "http_conn_manager_prefix=web"
    ),
    "listener.127.0.0.1_80.downstream_cx_total": (
        "listener.downstream_cx_total|listener_address=127.0.0.1_80"
    ),
    "listener.[__]_80.downstream_cx_total": (
        "listener.downstream_cx_total|listener_address=[__]_80"
    ),
    "listener.envoy_internal_x.downstream_cx_total": (
        "listener.downstream_cx_total|listener_address=envoy_internal_x"
    ),
    "listener.127.0.0.1_80.worker_1.downstream_cx_total": (
        "listener.worker_downstream_cx_total|worker_id=1,listener_address=127.0.0.1_80"
    ),
    "listener.my.lis.worker_0.downstream_cx_total": (
        "listener.lis.worker_0.downstream_cx_total|listener_address=my"
    ),
    "listener.127.0.0.1_80.http.web.downstream_rq_2xx": (
        "listener.http.downstream_rq_xx|response_code_class=2,http_conn_manager_prefix=web,"
        "listener_address=127.0.0.1_80"
    ),
    "listener.admin.http.admin.downstream_rq_completed": (
        "listener.admin.http.downstream_rq_completed|http_conn_manager_prefix=admin"
    ),
    "server.worker_0.watchdog_miss": "server.worker_watchdog_miss|worker_id=0",
    "thread_local_cluster_manager.worker_1.clusters_inflated": (
        "thread_local_cluster_manager.worker_clusters_inflated|worker_id=1"
    ),
    "tcp.a.b.downstream_cx_total": "tcp.b.downstream_cx_total|tcp_prefix=a",
    "connection_limit.clp.active_connections": (
        "connection_limit.active_connections|connection_limit_prefix=clp"
    ),
    "local_rate_limit.nlr.rate_limited": (
        "local_rate_limit.rate_limited|local_network_ratelimit_prefix=nlr"
    ),
    "lrp.http_local_rate_limit.ok": ("http_local_rate_limit.ok|local_http_ratelimit_prefix=lrp"),
    "nrb.rbac.denied": "rbac.denied|rbac_prefix=nrb",
    "proxy_proto.ppx.not_found_allowed": (
        "proxy_proto.not_found_allowed|proxy_protocol_prefix=ppx"
    ),
    "proxy_proto.ppx.versions.v1.found": (
        "proxy_proto.found|proxy_protocol_prefix=ppx,proxy_protocol_version=1"
    ),
    "ratelimit.rlp.ok": "ratelimit.ok|ratelimit_prefix=rlp",
    "vhost.v.vcluster.c.upstream_rq_total": (
        "vhost.vcluster.upstream_rq_total|virtual_cluster=c,virtual_host=v"
    ),
    "filesystem.write_buffered": "filesystem.write_buffered|",
}


class ExtractTagsTests(SynchronousTestCase):
    def test_asEnvoy(self) -> None:
        """Each name splits as Envoy splits it, labels in its order."""
        for name, expected in KNOWN.items():
            rest, tags = TagRules().extract(name)

            words = ",".join(f"{tag.removeprefix('envoy.')}={value}" for tag, value in tags)
            self.assertEqual(f"{rest}|{words}", expected, name)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.sampled_from(["cluster", "http", "a", "_rq_5xx", "", "tcp"]), max_size=6))
    def test_anyNameSplits(self, parts: list[str]) -> None:
        """Whatever the name, it comes back shortened by what the tags hold, or unchanged."""
        name = ".".join(parts)

        rest, tags = TagRules().extract(name)

        self.assertEqual(rest == name, not tags)


class TagRulesTests(SynchronousTestCase):
    """Rules of a config beside Envoy's own."""

    def test_fixed(self) -> None:
        """A fixed tag stands behind rules that match anywhere, before those of a first element."""
        rules = TagRules()
        rules.addFixed("my.tag", "fv")

        self.assertEqual(
            rules.extract("http.h.downstream_rq_2xx"),
            (
                "http.downstream_rq_xx",
                (
                    ("envoy.response_code_class", "2"),
                    ("my.tag", "fv"),
                    ("envoy.http_conn_manager_prefix", "h"),
                ),
            ),
        )

    def test_regex(self) -> None:
        """The first group goes out of the name, the second one is the value; else the first is."""
        rules = TagRules(default=False)
        rules.addRegex("pod", r"^tcp\.((pod\d)\.)")
        rules.addRegex("end", r"_(total)$")
        rules.addRegex("none", "cx")

        self.assertEqual(
            rules.extract("tcp.pod7.cx_total"), ("tcp.cx_", (("end", "total"), ("pod", "pod7")))
        )

    def test_withoutSome(self) -> None:
        """Envoy's own rules may be left out, all of them or by name, and taken by name."""
        rules = TagRules(without=frozenset({"envoy.cluster_name"}))
        self.assertEqual(rules.extract("cluster.a.x"), ("cluster.a.x", ()))

        rules = TagRules(default=False)
        self.assertTrue(rules.addDefault("envoy.cluster_name"))
        self.assertFalse(rules.addDefault("nobody"))
        self.assertEqual(
            rules.extract("cluster.a.x"), ("cluster.x", (("envoy.cluster_name", "a"),))
        )
