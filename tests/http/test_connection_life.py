"""How clients' HTTP connections end, as clients see it."""

from __future__ import annotations

from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import GET, ConnectionCase


class EndTests(ConnectionCase):
    """Each way to an end."""

    def test_idle(self) -> None:
        """An idle connection is closed, after the time to drain."""
        envoy = self.start(common_http_protocol_options={"idle_timeout": "10s"})
        client = self.client(GET)

        envoy.advance(9)
        self.assertFalse(client.ended)
        envoy.advance(8)

        self.assertTrue(client.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_idle_timeout"), 1)

    def test_maxRequests(self) -> None:
        """After max_requests_per_connection the response says close."""
        envoy = self.start(common_http_protocol_options={"max_requests_per_connection": 2})
        client = self.client(GET)
        self.assertNotIn(b"connection: close", client.received)

        client.write(GET)
        envoy.settle()

        self.assertIn(b"connection: close", client.received)
        self.assertEqual(envoy.stat("http.web.downstream_cx_max_requests_reached"), 1)

    def test_maxDuration(self) -> None:
        """A connection that is too old drains."""
        envoy = self.start(common_http_protocol_options={"max_connection_duration": "10s"})
        client = self.client(GET)

        envoy.advance(16)

        self.assertTrue(client.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_max_duration_reached"), 1)

    def test_drain(self) -> None:
        """While the server drains, responses end their connections."""
        envoy = self.start()
        client = self.client(GET)
        envoy.server.drain.healthy = False
        client.write(GET)
        envoy.settle()

        self.assertIn(b"connection: close", client.received)
        self.assertEqual(envoy.stat("http.web.downstream_cx_drain_close"), 1)

    def test_closeWhenAsked(self) -> None:
        """`connection: close` of the client: said in the response, done after it."""
        self.start([PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")

        origin.connections[0].write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        self.envoy.settle()

        self.assertIn(b"connection: close\r\n", client.received)
        self.assertTrue(client.received.endswith(b"ok"))
        self.assertTrue(client.ended)

    def test_idleAfterARequest(self) -> None:
        """The idle time counts from the end of the last request."""
        envoy = self.start(common_http_protocol_options={"idle_timeout": "10s"})
        client = self.client(GET)
        envoy.advance(8)
        client.write(GET)
        envoy.settle()
        envoy.advance(9)
        self.assertFalse(client.ended)

        envoy.advance(7)

        self.assertTrue(client.ended)

    def test_http10WithoutLength(self) -> None:
        """A response to HTTP/1.0 without a length is ended by the connection's end."""
        envoy = self.start([PROXIED], http_protocol_options={"accept_http_10": True})
        origin = envoy.listen(ORIGIN)
        client = self.client(b"GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n")
        origin.connections[0].write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )
        envoy.settle()
        envoy.advance(1.1)

        self.assertIn(b"connection: close\r\n", client.received)
        self.assertTrue(client.received.endswith(b"\r\n\r\nok"))
        self.assertTrue(client.ended)
