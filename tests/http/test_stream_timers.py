"""Times that requests have, as clients see them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import GET, ConnectionCase
from twisted_envoy.http.settings import RecordSettings, Timeouts
from twisted_envoy.http.stats import ManagerStats
from twisted_envoy.http.stream_timers import StreamTimers
from twisted_envoy.stats.scope import Store


class TimeoutTests(ConnectionCase):
    """Times that requests have."""

    def test_headers(self) -> None:
        """request_headers_timeout counts from the first byte."""
        envoy = self.start(request_headers_timeout="2s")
        client = self.client(b"GET / HT")

        envoy.advance(2.1)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 408 Request Timeout\r\n"))
        self.assertTrue(client.received.endswith(b"request header timeout"))
        self.assertEqual(self.log(), ["- 408 - request_header_timeout DownstreamEnd"])
        self.assertEqual(envoy.stat("http.web.downstream_rq_header_timeout"), 1)

    def test_request(self) -> None:
        """request_timeout is for all of the request."""
        envoy = self.start([PROXIED], request_timeout="2s")
        envoy.listen(ORIGIN)
        client = self.client(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab")

        envoy.advance(2.1)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 408 Request Timeout\r\n"))
        self.assertEqual(self.log(), ["POST 408 - request_overall_timeout DownstreamEnd"])

    def test_idle(self) -> None:
        """stream_idle_timeout is for silence on a request."""
        envoy = self.start([PROXIED], stream_idle_timeout="2s")
        envoy.listen(ORIGIN)
        client = self.client(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab")
        envoy.advance(1.5)
        client.write(b"c")
        envoy.advance(1.5)
        self.assertEqual(client.received, b"")

        envoy.advance(0.6)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 408 Request Timeout\r\n"))
        self.assertEqual(self.log(), ["POST 408 SI stream_idle_timeout DownstreamEnd"])

    def test_duration(self) -> None:
        """max_stream_duration is for request and response."""
        envoy = self.start([PROXIED], common_http_protocol_options={"max_stream_duration": "2s"})
        envoy.listen(ORIGIN)
        client = self.client(GET)

        envoy.advance(2.1)

        self.assertTrue(client.received.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n"))
        self.assertEqual(envoy.stat("http.web.downstream_rq_max_duration_reached"), 1)

    def test_routesOwn(self) -> None:
        """A route's idle_timeout and max_stream_duration stand for the manager's."""
        route = {"cluster": "origin", "timeout": "0s", "idle_timeout": "3s"}
        envoy = self.start([{**PROXIED, "route": route}], stream_idle_timeout="1s")
        envoy.listen(ORIGIN)
        client = self.client(GET)
        envoy.advance(2.9)
        self.assertEqual(client.received, b"")
        envoy.advance(0.2)
        self.assertTrue(client.received.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n"))

        route = {"cluster": "origin", "max_stream_duration": {"max_stream_duration": "2s"}}
        envoy = self.start([{**PROXIED, "route": route}])
        envoy.listen(ORIGIN)
        client = self.client(GET)
        envoy.advance(2.1)
        self.assertTrue(client.received.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n"))

    def test_noIdleTimeout(self) -> None:
        """A route may switch the idle time-out off."""
        route = {"cluster": "origin", "timeout": "0s", "idle_timeout": "0s"}
        envoy = self.start([{**PROXIED, "route": route}])
        envoy.listen(ORIGIN)
        client = self.client(GET)

        envoy.advance(1000)

        self.assertEqual(client.received, b"")

    def test_grpcTimeout(self) -> None:
        """grpc-timeout counts where a route lets it: at most so long, less an offset."""
        limit = {"grpc_timeout_header_max": "3s", "grpc_timeout_header_offset": "1s"}
        route = {"cluster": "origin", "max_stream_duration": limit}
        for asked, seconds in (("2S", 1.0), ("1H", 2.0), ("500m", 0.0)):
            envoy = self.start([{**PROXIED, "route": route}])
            origin = envoy.listen(ORIGIN)
            lines = f"content-type: application/grpc\r\ngrpc-timeout: {asked}\r\n\r\n"
            client = self.client(GET[:-2] + lines.encode())
            if seconds:
                told = b"grpc-timeout: %dm\r\n" % (seconds * 1000)
                self.assertIn(told, origin.connections[0].received)
                envoy.advance(seconds - 0.1)
                self.assertEqual(client.received, b"")
            envoy.advance(0.2)
            self.assertIn(b"grpc-status: 4\r\n", client.received)

    def test_noGrpcTimeout(self) -> None:
        """Without that header the route has no limit of its own."""
        route = {"cluster": "origin", "max_stream_duration": {"grpc_timeout_header_max": "1s"}}
        envoy = self.start([{**PROXIED, "route": {**route, "timeout": "0s"}}])
        envoy.listen(ORIGIN)
        client = self.client(GET)

        envoy.advance(10)

        self.assertEqual(client.received, b"")


class GuardTests(SynchronousTestCase):
    """What raises when a time is over."""

    def test_raises(self) -> None:
        """It ends the request, and nothing reaches the reactor."""
        clock = Clock()
        times = {"request": 1.0, "requestHeaders": 2.0, "maxStreamDuration": 3.0}
        raised = []

        def refuse(*arguments: object) -> None:
            raise ValueError

        stream: Any = SimpleNamespace(
            requestHeaders=None,
            requestEnded=False,
            settings=SimpleNamespace(
                reactor=clock,
                timeouts=Timeouts(**times),
                records=RecordSettings(),
                stats=ManagerStats(Store().scope("http.x.")),
            ),
            connection=SimpleNamespace(multiplexes=True),
            sendLocalReply=refuse,
            filterRaised=lambda: raised.append(clock.seconds()),
        )
        StreamTimers(stream)

        clock.pump([1.0] * 3)

        self.assertEqual(raised, [1.0, 2.0, 3.0])
