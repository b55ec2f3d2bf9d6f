"""The health_check filter; answers, details and flags are real Envoy's."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.support import FilterCase, named
from twisted_envoy.extensions.filters.http.health_check.filter import AnswerCache

TYPE = "envoy.extensions.filters.http.health_check.v3.HealthCheck"
NODE = {"id": "nid", "cluster": "ncl"}
CLUSTER = b"x-envoy-upstream-healthchecked-cluster: ncl\r\n"
FAIL = b"x-envoy-immediate-health-check-fail: true\r\n"


class HealthCheckTests(FilterCase):
    def begin(self, passThrough: bool = False, **fields: Any) -> None:
        headers = [{"name": ":path", "string_match": {"prefix": "/hc"}}]
        self.start(
            named("hc", TYPE, pass_through_mode=passThrough, headers=headers, **fields), node=NODE
        )

    def makeFail(self) -> None:
        self.envoy.server.drain.healthy = False

    def test_answers(self) -> None:
        """Well, and who says so; other requests go on."""
        self.begin()

        answer = self.get("/hc")

        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertIn(CLUSTER, answer)
        self.assertNotIn(FAIL, answer)
        self.assertTrue(self.get("/x").endswith(b"ok"))
        self.assertEqual(self.log(), ["200 health_check_ok -", "200 via_upstream -"])

    def test_stats(self) -> None:
        """Those who are answered are counted here, and not among other requests."""
        self.begin(True, cache_time="1s")
        for path in ("/hc", "/hc", "/x"):
            self.get(path)
        self.makeFail()
        self.get("/hc")

        prefix = "http.web.health_check."
        found = {
            name: self.envoy.stat(prefix + name)
            for name in ("request_total", "cached_response", "ok", "failed", "degraded")
        }
        counted = {"request_total": 2, "cached_response": 1, "ok": 1, "failed": 1, "degraded": 0}
        self.assertEqual(found, counted)
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_completed"), 1)

    def test_body(self) -> None:
        """The answer waits for the request's end; the body goes nowhere."""
        self.begin()
        client = self.send(b"POST /hc HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nab")
        self.assertEqual(client.received, b"")
        self.send(b"c", client)
        self.assertIn(b" 200 ", client.received)
        self.assertEqual(self.origin.connections, [])

    def test_failed(self) -> None:
        """Made to fail by the admin page: every response says so."""
        for passThrough in (False, True):
            self.begin(passThrough)
            self.makeFail()
            answer = self.get("/hc")
            self.assertIn(b" 503 ", answer)
            self.assertIn(CLUSTER, answer)
            self.assertIn(FAIL, answer)
            self.assertIn(FAIL, self.get("/x"))
            self.assertEqual(self.log()[0], "503 health_check_failed LH")

    def test_passThrough(self) -> None:
        """The upstream answers; who answered is said."""
        self.begin(True)
        answer = self.get("/hc")
        self.assertIn(CLUSTER, answer)
        self.assertTrue(answer.endswith(b"ok"))

    def test_cached(self) -> None:
        """The upstream's status for a while, and that it was degraded."""
        self.begin(True, cache_time="0.5s")
        self.answer = b"HTTP/1.1 404 Not Found\r\nx-envoy-degraded: \r\ncontent-length: 2\r\n\r\nno"

        self.assertTrue(self.get("/hc").endswith(b"no"))
        cached = self.get("/hc")
        self.envoy.advance(0.5)
        later = self.get("/hc")

        self.assertTrue(cached.startswith(b"HTTP/1.1 404 Not Found\r\n"))
        self.assertIn(b"x-envoy-degraded: \r\n", cached)
        self.assertTrue(cached.endswith(b"\r\n\r\n"))
        self.assertTrue(later.endswith(b"no"))
        self.assertEqual(self.log()[1], "404 health_check_cached LH")

    def test_clusters(self) -> None:
        """Their health is ours."""
        for percentages, line in (
            ({"origin": {"value": 100}}, "200 health_check_ok_cluster_healthy -"),
            ({"empty": {"value": 0}}, "200 health_check_ok_cluster_healthy -"),
            ({"empty": {"value": 1}}, "503 health_check_failed_cluster_empty LH"),
            ({"none": {"value": 0}}, "503 health_check_failed_no_cluster_found LH"),
            ({"origin": {"value": 100}, "none": {}}, "503 health_check_failed_no_cluster_found LH"),
        ):
            self.begin(cluster_min_healthy_percentages=percentages)
            self.get("/hc")
            self.assertEqual(self.log(), [line])

    def test_unhealthyCluster(self) -> None:
        """Fewer than so many of its hosts are healthy."""
        self.begin(cluster_min_healthy_percentages={"origin": {"value": 50}})
        self.envoy.server.clusters.get("origin").stats.membership_healthy.value = 0
        self.get("/hc")
        self.assertEqual(self.log(), ["503 health_check_failed_cluster_unhealthy LH"])

    def test_trailers(self) -> None:
        """They end a request, too."""
        headers = [{"name": ":path", "string_match": {"prefix": "/hc"}}]
        self.start(
            named("hc", TYPE, pass_through_mode=False, headers=headers),
            http_protocol_options={"enable_trailers": True},
        )
        for path in (b"/hc", b"/x"):
            client = self.send(
                b"POST %s HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
                b"1\r\na\r\n0\r\nt: 1\r\n\r\n" % path
            )
            self.assertIn(b" 200 ", client.received)


class AnswerCacheTests(SynchronousTestCase):
    def test_intervals(self) -> None:
        """An answer is as fresh as the interval that it came in."""
        clock = Clock()
        cache = AnswerCache(1.0, clock.seconds)
        self.assertFalse(cache.isFresh())
        clock.advance(0.9)
        cache.store(404, True)
        self.assertTrue(cache.isFresh())
        self.assertEqual((cache.status, cache.degraded), (404, True))
        clock.advance(0.11)
        self.assertFalse(cache.isFresh())
