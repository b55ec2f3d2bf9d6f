"""Tests for `twisted_envoy.server.admin.clusters_page`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.clusters_page import clusters


class ClustersTests(PageTestCase):
    """/clusters."""

    def test_text(self) -> None:
        """Limits, then each host's figures, in Envoy's order."""
        host = self.server.clusters.get("d").hosts[0]
        host.stats.cx_total.value = 3
        lines = self.ask(clusters, "filter=d").text().splitlines()
        self.assertEqual(
            lines,
            """d::observability_name::d
d::default_priority::max_connections::5
d::default_priority::max_pending_requests::1024
d::default_priority::max_requests::1024
d::default_priority::max_retries::3
d::high_priority::max_connections::1024
d::high_priority::max_pending_requests::1024
d::high_priority::max_requests::1024
d::high_priority::max_retries::3
d::added_via_api::false
d::/tmp/x.sock::cx_active::0
d::/tmp/x.sock::cx_connect_fail::0
d::/tmp/x.sock::cx_total::3
d::/tmp/x.sock::rq_active::0
d::/tmp/x.sock::rq_error::0
d::/tmp/x.sock::rq_pending_active::0
d::/tmp/x.sock::rq_success::0
d::/tmp/x.sock::rq_timeout::0
d::/tmp/x.sock::rq_total::0
d::/tmp/x.sock::hostname::
d::/tmp/x.sock::health_flags::healthy
d::/tmp/x.sock::weight::1
d::/tmp/x.sock::region::
d::/tmp/x.sock::zone::
d::/tmp/x.sock::sub_zone::
d::/tmp/x.sock::canary::false
d::/tmp/x.sock::priority::0
d::/tmp/x.sock::success_rate::-1
d::/tmp/x.sock::local_origin_success_rate::-1""".splitlines(),
        )

    def test_hostFacts(self) -> None:
        """What the config says of a host is shown."""
        text = self.ask(clusters).text()
        for line in (
            "c::envoy://encap/e1::weight::7\n",
            "c::envoy://encap/e1::sub_zone::ss\n",
            "c::127.0.0.1:1::hostname::hh\n",
            "c::127.0.0.1:1::canary::true\n",
        ):
            self.assertIn(line, text)

    def test_badFilter(self) -> None:
        """Envoy's short text."""
        reply = self.ask(clusters, "filter=(")
        self.assertEqual((reply.code, reply.text()), (400, "Invalid re2 regex"))

    def test_json(self) -> None:
        """envoy.admin.v3.Clusters: counters first, zeros left out."""
        self.server.clusters.get("c").hosts[0].stats.cx_active.value = 2
        first, second = self.askJSON(clusters, "format=json&filter=c")["cluster_statuses"][0][
            "host_statuses"
        ]
        self.assertEqual(
            first["address"],
            {"envoy_internal_address": {"server_listener_name": "encap", "endpoint_id": "e1"}},
        )
        self.assertEqual(first["stats"][0], {"name": "cx_connect_fail"})
        self.assertEqual(first["stats"][6], {"type": "GAUGE", "value": "2", "name": "cx_active"})
        self.assertEqual(first["health_status"], {"eds_health_status": "HEALTHY"})
        self.assertEqual(first["locality"], {"region": "rr", "zone": "zz", "sub_zone": "ss"})
        self.assertEqual((first["weight"], second["hostname"]), (7, "hh"))

    def test_jsonLimits(self) -> None:
        """Both priorities are listed."""
        found = self.askJSON(clusters, "format=json&filter=d")["cluster_statuses"][0]
        limits = {"max_pending_requests": 1024, "max_requests": 1024, "max_retries": 3}
        self.assertEqual(
            found["circuit_breakers"]["thresholds"],
            [
                {"max_connections": 5, **limits},
                {"priority": "HIGH", "max_connections": 1024, **limits},
            ],
        )
        self.assertEqual(found["observability_name"], "d")
        self.assertEqual(found["host_statuses"][0]["locality"], {})
