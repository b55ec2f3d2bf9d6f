"""Responses that wait for an HTTP/2 client's window."""

from __future__ import annotations

from typing import Any

from tests.codec.h2.bytesof import HELLO, headers, parse, rst, setting, window
from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import ConnectionCase
from twisted_envoy.testing import Peer

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + b"y" * 5000
_FLUSHED = "http2.tx_flush_timeout"


class FlushingTests(ConnectionCase):
    """A client that takes 1000 bytes, and an answer of 5000."""

    def asked(self, **fields: Any) -> Peer:
        """It has asked, and has been answered."""
        route = {**PROXIED, "route": {**PROXIED["route"], **fields.pop("route", {})}}
        self.start([route], stream_idle_timeout="2s", **fields)
        origin = self.envoy.listen(ORIGIN)
        client = self.client(HELLO + setting(4, 1000) + headers(1))
        origin.connections[0].write(_ANSWER)
        self.envoy.settle()
        self.assertEqual(self.log(), [])
        return client

    def test_sent(self) -> None:
        """It is over when all is sent."""
        client = self.asked()
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_active"), 1)

        client.write(window(1, 4000))
        self.envoy.settle()

        self.assertEqual(self.log(), ["GET 200 - via_upstream DownstreamEnd"])
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_active"), 0)
        self.envoy.advance(5)
        self.assertEqual(self.envoy.stat(_FLUSHED), 0)

    def test_reset(self) -> None:
        """The client gives it up."""
        client = self.asked()
        client.write(rst(1))
        self.envoy.settle()
        self.assertEqual(self.log(), ["GET 200 DR http2.remote_reset DownstreamEnd"])

    def test_gone(self) -> None:
        """The client leaves."""
        self.asked().loseConnection()
        self.envoy.settle()
        self.assertEqual(self.log(), ["GET 200 DC downstream_remote_disconnect DownstreamEnd"])
        self.assertEqual(self.envoy.stat("http.web.downstream_cx_destroy_remote_active_rq"), 1)

    def late(self, seconds: float, **fields: Any) -> None:
        """After so many seconds of silence, and not before, it is reset."""
        client = self.asked(**fields)
        self.envoy.advance(seconds - 0.1)
        self.assertEqual(self.envoy.stat(_FLUSHED), 0)
        self.envoy.advance(0.2)
        self.assertEqual(parse(client.received)[-1].error_code, 2)
        self.assertEqual(self.envoy.stat(_FLUSHED), 1)
        self.assertEqual(self.log(), ["GET 200 - via_upstream DownstreamEnd"])

    def test_idle(self) -> None:
        """stream_idle_timeout, if nothing else is said."""
        self.late(2.0)

    def test_flushTimeout(self) -> None:
        """stream_flush_timeout instead."""
        self.late(1.0, stream_flush_timeout="1s")

    def test_routeIdle(self) -> None:
        """A route's idle_timeout."""
        self.late(3.0, route={"idle_timeout": "3s"}, stream_flush_timeout="1s")

    def test_routeFlush(self) -> None:
        """A route's flush_timeout goes before it."""
        self.late(4.0, route={"idle_timeout": "3s", "flush_timeout": "4s"})

    def test_slow(self) -> None:
        """Whoever takes some of it is not silent."""
        client = self.asked()
        for _ in range(3):
            self.envoy.advance(1.5)
            client.write(window(1, 100))
            self.envoy.settle()
        self.assertEqual(self.envoy.stat(_FLUSHED), 0)
        self.envoy.advance(4.1)
        self.assertEqual(self.envoy.stat(_FLUSHED), 1)

    def test_otherTimes(self) -> None:
        """max_stream_duration is over with the answer."""
        self.asked(common_http_protocol_options={"max_stream_duration": "1s"})
        self.envoy.advance(1.5)
        self.assertEqual(self.log(), [])
