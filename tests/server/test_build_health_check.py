"""Health checks of a bootstrap."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import (
    addressOf,
    bootstrap,
    cluster,
    directResponse,
    listener,
    tcpProxy,
    typed,
)
from tests.server.refusing import RefusalTestCase
from tests.upstream.health.memory import ILL, OK, TIMES, CheckedTestCase, HTTPOrigin
from twisted_envoy.errors import UnsupportedExtension, UnsupportedField
from twisted_envoy.testing import MemoryEnvoy, MemoryResolver, Origin

TCP: dict[str, Any] = {"tcp_health_check": {}}
HTTP: dict[str, Any] = {"http_health_check": {"path": "/"}}
H2 = {
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}


def http(**fields: Any) -> dict[str, Any]:
    return {"http_health_check": {"path": "/", **fields}}


class HealthCheckTests(CheckedTestCase):
    """What becomes of hosts, connections and the start."""

    def connect(self, times: int = 1) -> None:
        for _ in range(times):
            self.envoy.connect("l")
            self.envoy.settle()

    def test_failingHost(self) -> None:
        """It gets nothing until it is well again."""
        self.start(TCP, 2, common_lb_config={"healthy_panic_threshold": {"value": 0}})
        first = self.envoy.listen("10.0.0.1:80")
        self.envoy.advance(20)
        self.assertEqual(self.flags(), ["healthy", "/failed_active_hc"])
        checks = len(first.connections)
        self.connect(3)
        self.assertEqual(len(first.connections) - checks, 3)
        self.assertEqual(self.envoy.stat("cluster.c.membership_healthy"), 1)
        self.envoy.listen("10.0.0.2:80")
        self.envoy.advance(25)
        self.assertEqual(self.flags(), ["healthy", "healthy"])

    def test_nobodyIsHealthy(self) -> None:
        """Panic, unless the config forbids it; connections are reset then."""
        self.start(TCP, common_lb_config={"healthy_panic_threshold": {"value": 0}})
        self.connect()
        self.assertEqual(self.envoy.stat("cluster.c.upstream_cx_none_healthy"), 1)
        self.assertEqual(self.envoy.stat("cluster.c.lb_healthy_panic"), 0)
        self.start(TCP)
        self.connect()
        self.assertEqual(self.envoy.stat("cluster.c.lb_healthy_panic"), 1)

    def test_startWaits(self) -> None:
        """Listeners wait for the first round of checks, which is as long as a timeout at most."""
        check = {**HTTP, "initial_jitter": "3s"}
        self.start(check)
        client = self.envoy.connect("l")
        self.assertEqual(self.envoy.server.state, "PRE_INITIALIZING")
        self.assertEqual(self.envoy.stat("cluster.c.upstream_cx_total"), 0)
        self.envoy.advance(3)
        self.assertEqual(self.envoy.server.state, "LIVE")
        self.assertEqual(self.envoy.stat("cluster.c.upstream_cx_total"), 1)
        self.assertIsNotNone(client)

    def test_internal(self) -> None:
        """Checks go through internal listeners, at the start too."""
        inner = cluster("far", "10.0.0.9:80")
        outer = cluster("c", "internal:inside", health_checks=[{**TIMES, **http(path="/x")}])
        text = bootstrap(
            [
                listener("l", "127.0.0.1:9000", tcpProxy("c")),
                listener("inside", "internal:", tcpProxy("far")),
            ],
            [outer, inner],
        )
        self.envoy = MemoryEnvoy(text)
        origin: HTTPOrigin = self.envoy.listen("10.0.0.9:80", HTTPOrigin(OK))
        self.envoy.advance(30)
        self.assertEqual(self.flags(), ["healthy"])
        self.assertIn(b"GET /x HTTP/1.1\r\nhost: c\r\n", origin.received[0])
        origin.answer = ILL
        self.envoy.advance(10)
        self.assertEqual(self.flags(), ["/failed_active_hc"])

    def test_internalFirst(self) -> None:
        """The first check of an internal endpoint is as good as any: the start waits for it."""
        receive = {"tcp_health_check": {"receive": [{"text": "6869"}]}}
        check = {**TIMES, **receive, "reuse_connection": False}
        text = bootstrap(
            [
                listener("l", "127.0.0.1:9000", tcpProxy("c")),
                listener("inside", "internal:", directResponse("hi")),
            ],
            [cluster("c", "internal:inside", health_checks=[check])],
        )
        self.envoy = MemoryEnvoy(text)
        self.assertEqual(self.flags(), ["healthy"])
        self.assertEqual(self.counts(), {"attempt": 1, "healthy": 1, "success": 1})
        self.assertEqual(self.envoy.server.state, "LIVE")

    def test_elsewhere(self) -> None:
        """An endpoint may be asked at another port or address, or not at all."""
        for config, where in (
            ({"port_value": 81}, "10.0.0.1:81"),
            ({"address": addressOf("10.0.0.5:82")}, "10.0.0.5:82"),
            ({"address": addressOf("10.0.0.5:82"), "port_value": 83}, "10.0.0.5:83"),
        ):
            self.start(TCP, endpoint={"health_check_config": config})
            origin: Origin = self.envoy.listen(where)
            self.envoy.advance(10)
            self.assertEqual(len(origin.connections), 1, where)
        off = {"health_check_config": {"disable_active_health_check": True}}
        self.start(TCP, endpoint=off)
        self.assertEqual(self.flags(), ["healthy"])
        self.assertEqual(self.counts(), {})

    def test_connectionsEnd(self) -> None:
        """TCP connections to a host that fails live on, or end, as the config says."""
        for fields, lost in (
            ({}, False),
            ({"close_connections_on_host_health_failure": True}, True),
        ):
            self.start(http(), **fields)
            origin: HTTPOrigin = self.envoy.listen("10.0.0.1:80", HTTPOrigin(OK))
            self.envoy.advance(25)
            self.assertEqual(self.flags(), ["healthy"])
            client = self.envoy.connect("l")
            client.write(b"x")
            self.envoy.settle()
            self.assertEqual(client.received, OK)
            origin.answer = ILL
            self.envoy.advance(10)
            self.assertEqual(self.flags(), ["/failed_active_hc"])
            self.assertEqual(client.ended, lost)

    def test_events(self) -> None:
        """Into files, by path and by sink."""
        kind = "health_check.event_sinks.file.v3.HealthCheckEventFileSink"
        sink = typed("file", kind, event_log_path="/b")
        self.start({**TCP, "event_log_path": "/a", "event_logger": [sink]})
        for path in ("/a", "/b"):
            (record,) = self.envoy.logs.records(path)
            self.assertEqual(record["cluster_name"], "c")
            self.assertEqual(record["health_checker_type"], "TCP")
            self.assertEqual(
                record["health_check_failure_event"],
                {"failure_type": "NETWORK", "first_check": True, "http_status_code": 0},
            )

    def test_grpc(self) -> None:
        """Asked over HTTP/2."""
        self.start({"grpc_health_check": {"service_name": "s"}}, **H2)
        origin: HTTPOrigin = self.envoy.listen("10.0.0.1:80", HTTPOrigin(None))
        self.envoy.advance(10)
        self.assertIn(b"\0\0\0\0\x03\n\x01s", origin.received[0])

    def test_runtime(self) -> None:
        """It bounds the intervals."""
        text = self.text(TCP)[:-1] + (
            ',"layered_runtime": {"layers": [{"name": "s", "static_layer":'
            ' {"health_check.max_interval": 500}}]}}\n'
        )
        self.envoy = MemoryEnvoy(text)
        self.envoy.advance(2)
        self.assertEqual(self.counts()["attempt"], 5)

    def test_found(self) -> None:
        """Hosts that are found later are checked; those not found any more stay while well."""
        for fields, left in (({}, 2), ({"ignore_health_on_host_removal": True}, 1)):
            resolver = MemoryResolver({"x.test": ["10.0.0.1", "10.0.0.2"]})
            common = {"ignore_new_hosts_until_first_hc": True}
            text = self.text(
                TCP,
                type="STRICT_DNS",
                endpoints=[{"endpoint": {"address": addressOf("x.test:80")}}],
                common_lb_config=common,
                **fields,
            )
            self.envoy = MemoryEnvoy(text, resolver=resolver)
            for number in (1, 2):
                self.envoy.listen(f"10.0.0.{number}:80")
            self.envoy.advance(21)
            self.envoy.silence("10.0.0.3:80")
            resolver.addresses["x.test"] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
            self.envoy.advance(4.5)
            self.assertEqual(self.flags()[2], "/failed_active_hc/pending_active_hc")
            self.assertEqual(self.envoy.stat("cluster.c.membership_excluded"), 1)
            self.envoy.advance(1)
            self.assertEqual(self.flags()[2], "/failed_active_hc/active_hc_timeout")
            resolver.addresses["x.test"] = ["10.0.0.1", "10.0.0.2"]
            self.envoy.advance(5)
            self.assertEqual(self.flags(), ["healthy", "healthy"])
            resolver.addresses["x.test"] = ["10.0.0.2"]
            self.envoy.advance(5)
            self.assertEqual(len(self.flags()), left)
            if left == 2:
                self.assertIn("/pending_dynamic_removal", self.flags())
                resolver.addresses["x.test"] = ["10.0.0.1", "10.0.0.2"]
                self.envoy.advance(5)
                self.assertEqual(self.flags(), ["healthy", "healthy"])
                resolver.addresses["x.test"] = ["10.0.0.2"]
                self.envoy.advance(5)
                self.envoy.sockets._ports.pop("10.0.0.1:80")
                self.envoy.advance(30)
                self.assertEqual(self.flags(), ["healthy"])


class RefusalTests(RefusalTestCase, CheckedTestCase):
    """In Envoy's words, as observed."""

    def test_refused(self) -> None:
        """What Envoy refuses."""
        bad = [{"start": 99, "end": 200}]
        for check, problem in (
            ({"tcp_health_check": {"send": {"text": "zz"}}}, "invalid hex string 'zz'"),
            (
                http(send={"text": "aa"}),
                "HTTP health check cannot specify a request payload with method 'GET'. Only "
                "methods that support a request body (POST, PUT, PATCH, OPTIONS) can be used with "
                "payload.",
            ),
            ({"grpc_health_check": {}}, "c cluster must support HTTP/2 for gRPC healthchecking"),
            (
                http(expected_statuses=bad),
                "Invalid http expected status range: expecting start >= 100, but found start=99",
            ),
            (
                http(expected_statuses=[{"start": 200, "end": 200}]),
                "Invalid http expected status range: expecting start < end, but found start=200 "
                "and end=200",
            ),
            (
                http(retriable_statuses=[{"start": 200, "end": 700}]),
                "Invalid http retriable status range: expecting end <= 600, but found end=700",
            ),
            (
                http(request_headers_to_add=[{"header": {"key": ":path", "value": "x"}}]),
                ":-prefixed or host headers may not be modified",
            ),
            (
                http(request_headers_to_remove=["host"]),
                ":-prefixed or host headers may not be removed",
            ),
            (
                {"custom_health_check": {"name": "x"}},
                "Didn't find a registered implementation for 'x' with type URL: ''",
            ),
        ):
            self.assertRefused(self.text(check), problem)

    def test_several(self) -> None:
        """More than one needs names, and is not implemented."""
        self.assertRefused(
            self.text({}, health_checks=[{**TIMES, **TCP}] * 2),
            "health check at index 0 is missing a name; all health checks must have a name when "
            "multiple health checks are configured",
        )
        named = [{**TIMES, **TCP, "name": name} for name in "ab"]
        self.assertIsInstance(self.refused(self.text({}, health_checks=named)), UnsupportedField)

    def test_unsupported(self) -> None:
        """What is not obeyed."""
        redis = typed("r", "health_checkers.redis.v3.Redis")
        for check, kind in (
            (http(codec_client_type="HTTP3"), UnsupportedField),
            ({"custom_health_check": redis}, UnsupportedExtension),
            (http(use_alpn_protocol=True), UnsupportedField),
        ):
            self.assertIsInstance(self.refused(self.text(check)), kind)

    def test_without(self) -> None:
        """What has no effect here, nor there."""
        self.start(
            {
                **TCP,
                "alt_port": 7,
                "name": "n",
                "tls_options": {"alpn_protocols": ["h2"]},
                "transport_socket_match_criteria": {"a": "b"},
            }
        )
        self.assertEqual(self.counts()["attempt"], 1)
