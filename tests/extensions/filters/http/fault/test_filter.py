"""The fault filter; answers, flags and stats are real Envoy's."""

from __future__ import annotations

from typing import Any

from tests.extensions.filters.http.support import ALWAYS, FilterCase, named, typed

TYPE = "envoy.extensions.filters.http.fault.v3.HTTPFault"
ABORT = {"http_status": 503, "percentage": ALWAYS}
DELAY = {"fixed_delay": "0.25s", "percentage": ALWAYS}
BY_HEADER = {
    "abort": {"header_abort": {}, "percentage": ALWAYS},
    "delay": {"header_delay": {}, "percentage": ALWAYS},
    "response_rate_limit": {"header_limit": {}, "percentage": ALWAYS},
}
GRPC = "content-type: application/grpc"


class FaultCase(FilterCase):
    def begin(self, options: dict[str, Any] | None = None, **fields: Any) -> None:
        self.start(named("fault", TYPE, **fields), **(options or {}))

    def stat(self, name: str) -> int:
        return self.envoy.stat(f"http.web.fault.{name}")


class AbortTests(FaultCase):
    def test_abort(self) -> None:
        """The status, a body, a flag, counters, and metadata under the filter's name."""
        self.begin(
            {
                "log": "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS% "
                "%DYNAMIC_METADATA(fault)%"
            },
            abort=ABORT,
            filter_metadata={"m": 1},
        )

        answer = self.get()

        self.assertTrue(answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n"))
        self.assertTrue(answer.endswith(b"\r\n\r\nfault filter abort"))
        self.assertEqual(self.log(), ['503 fault_filter_abort FI {"m":1}'])
        self.assertEqual(self.stat("aborts_injected"), 1)
        self.assertEqual(self.stat("active_faults"), 0)
        self.assertEqual(self.origin.connections, [])

    def test_grpc(self) -> None:
        """Status 200 and a gRPC status of one's own for those who speak gRPC."""
        self.begin(abort={"grpc_status": 7, "percentage": ALWAYS, "response_body": "own body"})
        self.assertTrue(self.get().endswith(b"\r\n\r\nown body"))
        answer = self.get("/", GRPC)
        self.assertIn(b"HTTP/1.1 200 OK\r\n", answer)
        self.assertIn(b"grpc-status: 7\r\n", answer)
        self.assertIn(b"grpc-message: own body\r\n", answer)

    def test_byHeader(self) -> None:
        """The request says which; a status that is none is no abort."""
        self.begin(**BY_HEADER)
        self.assertIn(b" 418 ", self.get("/", "x-envoy-fault-abort-request: 418"))
        grpc = self.get("/", GRPC, "x-envoy-fault-abort-grpc-request: 5")
        self.assertIn(b"grpc-status: 5\r\n", grpc)
        for header in ("request: 700", "request: 0", "request: x", "grpc-request: x"):
            self.assertTrue(self.get("/", f"x-envoy-fault-abort-{header}").endswith(b"ok"))
        self.assertTrue(
            self.get(
                "/",
                "x-envoy-fault-abort-request: 418",
                "x-envoy-fault-abort-request-percentage: 0",
            ).endswith(b"ok")
        )

    def test_never(self) -> None:
        """No percentage is never."""
        self.begin(abort={"http_status": 503})
        self.assertTrue(self.get().endswith(b"ok"))

    def test_share(self) -> None:
        """About so many."""
        self.begin(abort={"http_status": 503, "percentage": {"numerator": 30}})
        aborted = sum(b" 503 " in self.get() for _ in range(200))
        self.assertTrue(30 < aborted < 95, aborted)

    def test_runtime(self) -> None:
        """Keys stand over shares and statuses; those of the downstream cluster over them."""
        self.begin(
            {
                "runtime": {
                    "fault.http.abort.abort_percent": 100,
                    "fault.http.abort.http_status": 501,
                    "fault.http.dc.abort.abort_percent": 100,
                    "fault.http.dc.abort.http_status": 502,
                }
            },
            abort={"http_status": 503},
        )
        self.assertIn(b" 501 ", self.get())
        self.assertIn(b" 502 ", self.get("/", "x-envoy-downstream-service-cluster: dc"))
        self.assertEqual(self.stat("dc.aborts_injected"), 1)

    def test_clusterStatsSwitchedOff(self) -> None:
        """Then there are none."""
        self.begin(abort=ABORT, disable_downstream_cluster_stats=True)
        self.get("/", "x-envoy-downstream-service-cluster: dc")
        self.assertEqual(self.envoy.stats("fault.dc"), {})

    def test_whoIsMeant(self) -> None:
        """Headers, nodes and the upstream cluster all have to fit."""
        self.begin(
            abort=ABORT,
            headers=[{"name": "x-abort"}],
            downstream_nodes=["n1", "n2"],
            upstream_cluster="origin",
        )
        node = "x-envoy-downstream-service-node: n"
        self.assertIn(b" 503 ", self.get("/", "x-abort: 1", node + "2"))
        for headers in (("x-abort: 1",), (node + "2",), ("x-abort: 1", node + "3")):
            self.assertTrue(self.get("/", *headers).endswith(b"ok"), headers)

    def test_anotherCluster(self) -> None:
        """Not meant."""
        self.begin(abort=ABORT, upstream_cluster="other")
        self.assertTrue(self.get().endswith(b"ok"))

    def test_noCluster(self) -> None:
        """A route that goes to none is not meant either."""
        self.begin({"direct": True}, abort=ABORT, upstream_cluster="origin")
        self.assertTrue(self.get("/d").endswith(b"hello"))

    def test_ofARoute(self) -> None:
        """Instead of the filter's."""
        own = {"abort": {"http_status": 410, "percentage": ALWAYS}}
        self.begin({"route": {"fault": typed(TYPE, **own)}}, abort=ABORT)
        self.assertIn(b" 410 ", self.get("/r"))
        self.assertIn(b" 503 ", self.get("/x"))


class DelayTests(FaultCase):
    def test_delay(self) -> None:
        """Then it goes on, with all that came meanwhile."""
        self.begin(delay=DELAY)

        client = self.send(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc")
        self.assertEqual(self.stat("active_faults"), 1)
        self.envoy.advance(0.24)
        self.assertEqual(self.origin.connections, [])
        self.envoy.advance(0.02)
        self.reply([])

        self.assertTrue(self.asked().endswith(b"\r\n\r\nabc"))
        self.assertTrue(client.received.endswith(b"ok"))
        self.assertEqual(self.log(), ["200 via_upstream DI"])
        self.assertEqual(self.stat("delays_injected"), 1)
        self.assertEqual(self.stat("active_faults"), 0)

    def test_thenAbort(self) -> None:
        """Both."""
        self.begin(delay=DELAY, abort=ABORT)
        client = self.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        self.envoy.advance(0.3)
        self.assertIn(b" 503 ", client.received)
        self.assertEqual(self.log(), ["503 fault_filter_abort DI,FI"])

    def test_byHeader(self) -> None:
        """Milliseconds; a share of none is never."""
        self.begin(**BY_HEADER)
        client = self.send(b"GET / HTTP/1.1\r\nhost: h\r\nx-envoy-fault-delay-request: 200\r\n\r\n")
        self.envoy.advance(0.19)
        self.assertEqual(self.origin.connections, [])
        self.envoy.advance(0.02)
        self.assertEqual(len(self.origin.connections), 1)
        self.assertEqual(client.received, b"")
        for headers in (
            ("x-envoy-fault-delay-request: x",),
            ("x-envoy-fault-delay-request: 0",),
            ("x-envoy-fault-delay-request: 9", "x-envoy-fault-delay-request-percentage: 0"),
        ):
            self.assertTrue(self.get("/", *headers).endswith(b"ok"))

    def test_runtime(self) -> None:
        """Another duration."""
        self.begin({"runtime": {"fault.http.delay.fixed_duration_ms": 1000}}, delay=DELAY)
        self.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        self.envoy.advance(0.9)
        self.assertEqual(self.origin.connections, [])
        self.envoy.advance(0.2)
        self.assertEqual(len(self.origin.connections), 1)

    def test_clientGone(self) -> None:
        """Nothing happens after it."""
        self.begin(delay=DELAY)
        client = self.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        client.abortConnection()
        self.envoy.settle()
        self.assertEqual(self.stat("active_faults"), 0)
        self.envoy.advance(1)
        self.assertEqual(self.origin.connections, [])

    def test_most(self) -> None:
        """More than so many at a time are let through, and counted."""
        self.begin(delay=DELAY, max_active_faults=1)
        self.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        self.assertTrue(self.get().endswith(b"ok"))
        self.assertEqual(self.stat("faults_overflow"), 1)


class SlowResponseTests(FaultCase):
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n" + b"x" * 200

    def test_slow(self) -> None:
        """A slice every 50 ms."""
        limit = {"fixed_limit": {"limit_kbps": 1}, "percentage": ALWAYS}
        self.begin(response_rate_limit=limit)

        client = self.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        sizes = []
        for _ in range(4):
            sizes.append(len(client.received.partition(b"\r\n\r\n")[2]))
            self.envoy.advance(0.0501)

        self.assertEqual(sizes, [51, 102, 153, 200])
        self.assertTrue(client.received.endswith(b"x" * 200))
        self.assertEqual(self.stat("response_rl_injected"), 1)
        self.assertEqual(self.stat("active_faults"), 0)

    def test_byHeader(self) -> None:
        """The request says how slow."""
        self.begin(**BY_HEADER)
        client = self.send(
            b"GET / HTTP/1.1\r\nhost: h\r\nx-envoy-fault-throughput-response: 2\r\n\r\n"
        )
        self.assertFalse(client.received.endswith(b"x" * 200))
        self.envoy.advance(0.2)
        self.assertTrue(client.received.endswith(b"x" * 200))
        self.assertTrue(self.get().endswith(b"x" * 200))

    def test_clientGone(self) -> None:
        """Nothing is left."""
        limit = {"fixed_limit": {"limit_kbps": 1}, "percentage": ALWAYS}
        self.begin(response_rate_limit=limit)
        client = self.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        client.abortConnection()
        self.envoy.settle()
        self.envoy.advance(1)
        self.assertEqual(self.stat("active_faults"), 0)

    def test_noneFree(self) -> None:
        """With no fault allowed the response is as fast as ever."""
        limit = {"fixed_limit": {"limit_kbps": 1}, "percentage": ALWAYS}
        self.begin({"runtime": {"fault.http.max_active_faults": 0}}, response_rate_limit=limit)
        self.assertTrue(self.get().endswith(b"x" * 200))
        self.assertEqual(self.stat("faults_overflow"), 1)
