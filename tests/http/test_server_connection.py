"""Clients' HTTP connections, as clients see them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import HELLO, LOG, ORIGIN, PROXIED, run
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy, Peer

GET = b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")


class ConnectionCase(SynchronousTestCase):
    """One envoy, one client."""

    def start(self, *arguments: Any, **manager: Any) -> MemoryEnvoy:
        self.envoy = envoy = run(*arguments, **manager)
        self.addCleanup(envoy.stop)
        return envoy

    def client(self, *chunks: bytes) -> Peer:
        """A client that has sent these."""
        client = self.envoy.connect("web")
        for chunk in chunks:
            client.write(chunk)
            self.envoy.settle()
        return client

    def log(self) -> list[str]:
        """The lines of the access log so far."""
        return self.envoy.lines("log")


class HTTP1Tests(ConnectionCase):
    """Over HTTP/1.1."""

    def test_answersAndStays(self) -> None:
        """A request is answered, the connection is kept for the next one."""
        envoy = self.start()
        client = self.client(GET, GET)

        self.assertEqual(client.received.count(b"HTTP/1.1 200 OK\r\n"), 2)
        self.assertEqual(client.received.count(b"hello"), 2)
        self.assertFalse(client.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_http1_total"), 1)
        self.assertEqual(envoy.stat("http.web.downstream_rq_total"), 2)
        self.assertEqual(envoy.stat("http.web.downstream_rq_2xx"), 2)
        self.assertEqual(envoy.stat("listener.127.0.0.1_8080.http.web.downstream_rq_2xx"), 2)
        self.assertEqual(self.log(), ["GET 200 - direct_response DownstreamEnd"] * 2)

    def test_securedIsCounted(self) -> None:
        """A connection inside TLS is counted as one, while it is there and for ever."""
        envoy = self.start()
        self.client(GET)
        self.assertEqual(envoy.stat("http.web.downstream_cx_ssl_total"), 0)
        self.patch(StreamInfo, "tls", SimpleNamespace(applicationProtocol=""))
        client = self.client(GET)
        self.assertEqual(envoy.stat("http.web.downstream_cx_ssl_active"), 1)
        client.loseConnection()
        envoy.settle()
        self.assertEqual(envoy.stat("http.web.downstream_cx_ssl_total"), 1)
        self.assertEqual(envoy.stat("http.web.downstream_cx_ssl_active"), 0)

    def test_everySplit(self) -> None:
        """Wherever a request is split, it is answered."""
        self.start()
        for place in range(1, len(GET)):
            client = self.client(GET[:place], GET[place:])
            self.assertTrue(client.received.endswith(b"hello"), place)

    def test_oneBehindTheOther(self) -> None:
        """Requests that come at once are answered one after the other."""
        self.start([PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET * 3 + GET[:9])

        for number in range(1, 4):
            peer = origin.connections[0]
            self.assertEqual(peer.received.count(b"GET / "), number)
            peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            self.envoy.settle()
        client.write(GET[9:])
        self.envoy.settle()

        self.assertEqual(client.received.count(b"200 OK"), 3)
        self.assertEqual(origin.connections[0].received.count(b"GET / "), 4)

    def test_received(self) -> None:
        """How much a request was, and when its head had come."""
        words = (
            "%DOWNSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_HEADER_BYTES_RECEIVED% "
            "%COMMON_DURATION(DS_RX_BEG:DS_RX_HDR_END)% %COMMON_DURATION(DS_RX_BEG:DS_RX_END)%"
        )
        config = {**LOG["typed_config"]}
        config["log_format"] = {"text_format_source": {"inline_string": words + "\n"}}
        self.start(access_log=[{"name": "log", "typed_config": config}])
        head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n"

        self.client(head, b"abc")

        self.assertEqual(self.log(), [f"{len(head)} 26 0 -"])

    def test_tooManyAtOnce(self) -> None:
        """More answers than the client has taken: no further one, not even of an error."""
        self.start()
        client = self.client(GET * 4)
        self.assertEqual(client.received.count(b"HTTP/1.1 "), 2)
        self.assertTrue(client.received.endswith(b"hello"))
        self.assertEqual(
            self.log()[2:], ["- 0 DPE codec_error:Too_many_responses_queued. DownstreamEnd"]
        )
        self.assertEqual(self.envoy.stat("http.web.downstream_cx_protocol_error"), 0)

    def test_clientGone(self) -> None:
        """A client that leaves is logged with DC; its upstream request is cancelled."""
        self.start([PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET)
        self.assertIn(b"GET / HTTP/1.1\r\n", origin.connections[0].received)

        client.loseConnection()
        self.envoy.settle()

        self.assertEqual(self.log(), ["GET 0 DC downstream_remote_disconnect DownstreamEnd"])
        self.assertTrue(origin.connections[0].ended)

    def test_garbage(self) -> None:
        """What is no HTTP is answered with 400 and a close, at the latest after a second."""
        envoy = self.start()
        client = self.client(b"this is not http\r\n\r\n")
        [chain] = next(iter(envoy.server.listeners)).connections
        self.assertEqual(chain.streamInfo.responseFlags, ["DPE"])

        self.assertTrue(client.received.startswith(b"HTTP/1.1 400 Bad Request\r\n"))
        self.assertIn(b"connection: close\r\n", client.received)
        envoy.advance(1.1)
        self.assertTrue(client.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_protocol_error"), 1)
        self.assertEqual(envoy.stat("http.web.downstream_cx_delayed_close_timeout"), 1)
        self.assertEqual(self.log(), ["- 400 DPE http1.codec_error DownstreamEnd"])

    def test_expectContinue(self) -> None:
        """100-continue is answered here, and the upstream is not asked."""
        self.start([PROXIED])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(
            b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
        )

        self.assertEqual(client.received, b"HTTP/1.1 100 Continue\r\n\r\n")
        client.write(b"ab")
        self.envoy.settle()
        self.assertNotIn(b"\r\nexpect:", origin.connections[0].received)
        self.assertTrue(origin.connections[0].received.endswith(b"\r\n\r\nab"))

    def test_expectContinueWithoutBody(self) -> None:
        """100 is said even if there is nothing to go on with."""
        self.start()
        client = self.client(b"GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n")

        self.assertTrue(client.received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"))
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_1xx"), 1)

    def test_lowVersion(self) -> None:
        """HTTP/1.0 is refused unless it is accepted."""
        self.start()
        client = self.client(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n")
        self.assertTrue(client.received.startswith(b"HTTP/1.1 426 Upgrade Required\r\n"))

        self.start(http_protocol_options={"accept_http_10": True})
        client = self.client(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n")
        self.assertTrue(client.received.startswith(b"HTTP/1.0 200 OK\r\n"), client.received)

    def test_upgradeRefused(self) -> None:
        """An upgrade that nobody allows is 403."""
        envoy = self.start()
        client = self.client(
            b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        )

        self.assertTrue(client.received.startswith(b"HTTP/1.1 403 Forbidden\r\n"))
        self.assertEqual(envoy.stat("http.web.downstream_rq_ws_on_non_ws_route"), 1)
        self.assertEqual(self.log(), ["GET 403 - upgrade_failed DownstreamEnd"])


class HTTP2Tests(ConnectionCase):
    """Over HTTP/2; more is in tests/codec/h2 and tests/integration."""

    def test_recognised(self) -> None:
        """The preface says HTTP/2, wherever it is split."""
        for place in range(1, len(PREFACE)):
            envoy = self.start()
            client = self.client(PREFACE[:place], PREFACE[place:])
            self.assertEqual(client.received[3:4], b"\x04", place)  # SETTINGS
            self.assertEqual(envoy.stat("http.web.downstream_cx_http2_total"), 1)

    def test_garbage(self) -> None:
        """Frames that break the protocol end the connection and nothing else."""
        envoy = self.start()
        other = self.client(GET)
        client = self.client(PREFACE, b"\xff" * 64)
        chains = next(iter(envoy.server.listeners)).connections
        flags = sorted(chain.streamInfo.responseFlags for chain in chains)
        self.assertEqual(flags, [[], ["DPE"]])

        envoy.advance(1.1)

        self.assertTrue(client.ended)
        self.assertFalse(other.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_protocol_error"), 1)


class RecordTests(ConnectionCase):
    """When the access log is written."""

    def test_onNewRequest(self) -> None:
        """A record at the start where it is asked for."""
        self.start(access_log_options={"flush_access_log_on_new_request": True})
        self.client(GET)

        self.assertEqual(
            self.log(),
            ["GET 0 - - DownstreamStart", "GET 200 - direct_response DownstreamEnd"],
        )

    def test_periodically(self) -> None:
        """A record each interval."""
        self.start([PROXIED], access_log_options={"access_log_flush_interval": "1s"})
        self.envoy.listen(ORIGIN)
        self.client(GET)

        self.envoy.advance(2.5)

        self.assertEqual(self.log(), ["GET 0 - - DownstreamPeriodic"] * 2)

    def test_internalRedirect(self) -> None:
        """A redirect that is followed is a request of its own in the log."""
        policy = {"internal_redirect_policy": {}}
        self.start([{**PROXIED, "route": {**PROXIED["route"], **policy}}])
        origin = self.envoy.listen(ORIGIN)
        client = self.client(GET)
        (upstream,) = origin.connections
        upstream.write(
            b"HTTP/1.1 302 Found\r\nlocation: http://a.test/two\r\ncontent-length: 0\r\n\r\n"
        )
        self.envoy.settle()
        self.assertIn(b"GET /two HTTP/1.1\r\n", upstream.received)
        upstream.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        self.envoy.settle()

        self.assertTrue(client.received.endswith(b"ok"))
        self.assertEqual(
            self.log(),
            [
                "GET 302 - internal_redirect DownstreamEnd",
                "GET 200 - via_upstream DownstreamEnd",
            ],
        )


class LocalReplyTests(ConnectionCase):
    """What is answered here."""

    def test_routesEdits(self) -> None:
        """A route's response headers are in its direct response and in errors of its requests."""
        more = {"response_headers_to_add": [{"header": {"key": "x-a", "value": "b"}}]}
        self.start([{**HELLO, **more}])
        self.assertIn(b"x-a: b\r\n", self.client(GET).received)

        self.start([{**PROXIED, **more}])
        answer = self.client(GET).received
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"x-a: b\r\n", answer)


class ClosingTests(ConnectionCase):
    """When HTTP/1.1 connections end, as real Envoy's do."""

    def test_proxyConnection(self) -> None:
        """`Proxy-Connection: close` is as good as `Connection: close`."""
        envoy = self.start()
        client = self.client(GET[:-2] + b"proxy-connection: close\r\n\r\n")
        envoy.advance(2)

        self.assertIn(b"connection: close\r\n", client.received)
        self.assertTrue(client.ended)

    def test_softDrain(self) -> None:
        """http1_safe_max_connection_duration: the next request is answered, and is the last."""
        options = {"max_connection_duration": "2s"}
        envoy = self.start(
            common_http_protocol_options=options, http1_safe_max_connection_duration=True
        )
        client = self.client(GET)
        envoy.advance(3)
        self.assertFalse(client.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_http1_soft_drain"), 1)

        client.write(GET)
        envoy.advance(2)

        self.assertEqual(client.received.count(b"HTTP/1.1 200 OK\r\n"), 2)
        self.assertIn(b"connection: close\r\n", client.received)
        self.assertTrue(client.ended)
        self.assertEqual(envoy.stat("http.web.downstream_cx_http1_soft_drain"), 0)

    def test_streamError(self) -> None:
        """stream_error_on_invalid_http_message: a request without a host leaves the rest alone."""
        for keeps in (False, True):
            envoy = self.start(stream_error_on_invalid_http_message=keeps)
            client = self.client(b"GET / HTTP/1.1\r\n\r\n")
            envoy.advance(2)
            self.assertTrue(client.received.startswith(b"HTTP/1.1 400 Bad Request\r\n"))
            self.assertEqual(client.ended, not keeps)

    def test_interimIsCounted(self) -> None:
        """100 is an answer too."""
        envoy = self.start()
        expecting = (
            b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n"
        )
        self.client(expecting, b"a")

        self.assertEqual(envoy.stat("http.web.downstream_rq_1xx"), 1)
        self.assertEqual(envoy.stat("http.web.downstream_rq_completed"), 2)
