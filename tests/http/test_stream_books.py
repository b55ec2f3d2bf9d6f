"""Whatever ends a request, nothing of it is left with the upstream."""

from __future__ import annotations

from typing import Any

from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import ConnectionCase

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
BROKEN = {
    "no size": b"xyz\r\n",
    "a size that is too large": b"fffffffffffffffff\r\n",
    "bytes instead of a line's end": b"3\r\nabcdef",
    "a trailer without a colon": b"0\r\nwrong\r\n\r\n",
    "a trailer with a control": b"0\r\nx: a\x00b\r\n\r\n",
    "trailers that are too large": b"0\r\nx: " + b"a" * 70_000 + b"\r\n\r\n",
    "a chunk's line that is too long": b"3;" + b"a" * 70_000 + b"\r\n",
}
HTTP2: dict[str, Any] = {"http2_protocol_options": {}}
BOOKS = (
    *("upstream_cx_active", "upstream_rq_active", "upstream_rq_pending_active"),
    *("circuit_breakers.default.rq_open", "circuit_breakers.default.cx_open"),
)


class BrokenBodyTests(ConnectionCase):
    """A body that cannot be read, at each point of its upstream request's life."""

    def books(self, envoy: Any) -> list[int]:
        """Gauges of the upstream's; its idle connections are told to go first."""
        for peer in self.origin.connections:
            peer.abortConnection()
        envoy.settle()
        return [envoy.stat(f"cluster.origin.{name}") for name in BOOKS]

    def asked(self, upstream: dict[str, Any], *pieces: bytes) -> Any:
        """Six clients, one after the other, past a breaker of three."""
        breaker = {"max_requests": 3, "max_connections": 3, "max_pending_requests": 3}
        envoy = self.start(
            [PROXIED], cluster={**upstream, "circuit_breakers": {"thresholds": [breaker]}}
        )
        self.origin: Any = envoy.listen(ORIGIN)
        for _ in range(6):
            client = self.client()
            for piece in pieces:
                client.write(piece)
                envoy.settle()
            self.assertIn(client.received[:12], (b"HTTP/1.1 400", b"HTTP/1.1 431"))
            self.assertEqual(self.log()[-1].split()[2], "DPE")
        return envoy

    def test_sameSegment(self) -> None:
        """The upstream's request is taken back before anything is connected."""
        for name, wrong in BROKEN.items():
            for upstream in ({}, HTTP2):
                envoy = self.asked(upstream, HEAD + wrong)
                self.assertEqual(self.books(envoy), [0] * 5, name)

    def test_laterSegment(self) -> None:
        """It is reset."""
        for name, wrong in BROKEN.items():
            for upstream in ({}, HTTP2):
                envoy = self.asked(upstream, HEAD, wrong)
                self.assertEqual(self.books(envoy), [0] * 5, name)

    def test_behindData(self) -> None:
        """So it is when some of the body was good."""
        for pieces in ((HEAD + b"3\r\nabc\r\nxyz\r\n",), (HEAD, b"3\r\nabc\r\n", b"xyz\r\n")):
            for upstream in ({}, HTTP2):
                self.assertEqual(self.books(self.asked(upstream, *pieces)), [0] * 5)


class TimeBookTests(ConnectionCase):
    """A time that is over, answered by the connection manager and not by the router."""

    def test_onlyHeaders(self) -> None:
        """The attempt that waits for an answer is given up."""
        own: dict[str, dict[str, Any]] = {
            "idle": {"stream_idle_timeout": "1s"},
            "duration": {"common_http_protocol_options": {"max_stream_duration": "1s"}},
            "request": {"request_timeout": "1s"},
        }
        for name, fields in own.items():
            envoy = self.start([PROXIED], **fields)
            origin = envoy.listen(ORIGIN)
            client = self.client(HEAD if name == "request" else GET)
            envoy.advance(3)

            self.assertIn(client.received[9:12], (b"408", b"504"), name)
            self.assertTrue(origin.connections[0].ended, name)
            self.assertEqual(envoy.stat("cluster.origin.upstream_rq_active"), 0, name)
