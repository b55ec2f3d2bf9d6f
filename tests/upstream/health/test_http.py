"""Checks by HTTP."""

from __future__ import annotations

from typing import Any

from tests.upstream.health.memory import ILL, OK, CheckedTestCase, HTTPOrigin

REQUEST = b"GET /hz HTTP/1.1\r\nhost: c\r\nuser-agent: Envoy/HC\r\n\r\n"


def response(status: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"content-length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


class HTTPTests(CheckedTestCase):
    def check(self, answer: bytes | None, endpoint: Any = None, **fields: Any) -> HTTPOrigin:
        """One host that answers like this; checked once."""
        self.start({"http_health_check": {"path": "/hz", **fields}}, endpoint=endpoint or {})
        origin: HTTPOrigin = self.envoy.listen("10.0.0.1:80", HTTPOrigin(answer))
        self.envoy.advance(10)
        return origin

    def test_request(self) -> None:
        """The bytes that real Envoy sends, on one connection."""
        origin = self.check(OK)
        self.assertEqual(origin.received, [REQUEST])
        self.assertEqual(self.flags(), ["/failed_active_hc"])  # the first one was refused
        self.envoy.advance(10)
        self.assertEqual(origin.received, [REQUEST * 2])
        self.assertEqual(self.flags(), ["healthy"])
        self.assertEqual(
            self.counts(),
            {"attempt": 3, "failure": 1, "healthy": 1, "network_failure": 1, "success": 2},
        )

    def test_host(self) -> None:
        """By the endpoint's own name, else by the check's."""
        origin = self.check(OK, host="h")
        self.assertIn(b"host: h\r\n", origin.received[0])
        named = {"health_check_config": {"hostname": "own"}}
        origin = self.check(OK, named, host="h")
        self.assertIn(b"host: own\r\n", origin.received[0])

    def test_payload(self) -> None:
        """A body, other headers, and an answer that is looked at."""
        origin = self.check(
            response(200, body="xoyz"),
            method="POST",
            send={"text": "6162"},
            receive=[{"text": "6f"}, {"text": "7a"}],
            request_headers_to_add=[{"header": {"key": "x-a", "value": "%PROTOCOL%"}}],
            request_headers_to_remove=["user-agent"],
        )
        self.assertEqual(
            origin.received,
            [b"POST /hz HTTP/1.1\r\nhost: c\r\nx-a: HTTP/1.1\r\ncontent-length: 2\r\n\r\nab"],
        )
        self.assertEqual(self.counts()["success"], 1)

    def test_buffer(self) -> None:
        """Only so much of the answer is looked at."""
        for size, wanted in ((None, 1), (2, 0), (3, 1), (0, 1)):
            fields: Any = {} if size is None else {"response_buffer_size": size}
            self.check(response(200, body="xyo"), receive=[{"text": "6f"}], **fields)
            self.assertEqual(self.counts().get("success", 0), wanted, size)

    def test_statuses(self) -> None:
        """Which are well, and which are not at once ill."""
        wanted = [{"start": 200, "end": 300}, {"start": 404, "end": 405}]
        for status, well in ((200, True), (299, True), (300, False), (404, True), (405, False)):
            self.check(response(status), expected_statuses=wanted)
            self.assertEqual("success" in self.counts(), well, status)

    def test_degraded(self) -> None:
        """Well, but it asks for less."""
        self.check(response(200, "x-envoy-degraded: 1"))
        self.envoy.advance(10)
        self.assertEqual(self.flags(), ["/degraded_active_hc"])
        self.assertEqual(self.envoy.stat("cluster.c.membership_degraded"), 1)

    def test_immediate(self) -> None:
        """Ill, and not to be counted; a host that is well may say that in vain."""
        said = "x-envoy-immediate-health-check-fail: true"
        self.check(response(503, said))
        self.assertEqual(self.flags(), ["/failed_active_hc/excluded_via_immediate_hc_fail"])
        self.assertEqual(self.envoy.stat("cluster.c.membership_excluded"), 1)
        self.check(response(200, said))
        self.envoy.advance(10)
        self.assertEqual(self.flags(), ["healthy"])

    def test_retriable(self) -> None:
        """It takes as many as the threshold says."""
        for ranges, left in (([], 1), ([{"start": 503, "end": 504}], 2)):
            origin = self.check(OK, retriable_statuses=ranges)
            self.envoy.advance(10)
            self.assertEqual(self.flags(), ["healthy"])
            origin.answer = ILL
            self.envoy.advance(10)
            found = self.flags()
            self.assertEqual(found, ["/failed_active_hc" if left == 1 else "healthy"])
            self.envoy.advance(10)
            self.assertEqual(self.flags(), ["/failed_active_hc"])

    def test_service(self) -> None:
        """The host says who it is; whether that is looked at the runtime decides."""
        match = {"prefix": "good"}
        name = "x-envoy-upstream-healthchecked-cluster: "
        for said, well in ((name + "goodness", True), (name + "bad", False), ("x: y", False)):
            self.check(response(200, said), service_name_matcher=match)
            self.assertEqual("success" in self.counts(), well)
            self.assertEqual(self.counts()["verify_cluster"], 1)

    def test_network(self) -> None:
        """No answer, a broken one, none that ends: failures of the network."""
        for answer in (b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", None):
            self.check(answer)
            self.envoy.advance(2)
            self.assertEqual(self.counts()["network_failure"], 2, answer)
        self.assertEqual(self.flags(), ["/failed_active_hc/active_hc_timeout"])

    def test_close(self) -> None:
        """A new connection after one that the host closes."""
        origin = self.check(response(200, "connection: close"))
        self.envoy.advance(10)
        self.assertEqual(origin.received, [REQUEST, REQUEST])
        self.assertTrue(origin.connections[0].ended)
        self.assertEqual(self.counts()["success"], 2)
        origin.answer = b"HTTP/1.1 200 OK\r\n\r\nuntil the end"
        self.envoy.advance(10)
        origin.connections[-1].loseConnection()
        self.envoy.settle()
        self.assertEqual(self.counts()["success"], 3)
