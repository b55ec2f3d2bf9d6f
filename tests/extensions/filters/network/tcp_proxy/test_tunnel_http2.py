"""Tunnels over HTTP/2, and POST: what the upstream sees, and how they end."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol

from tests.bootstraps import EXTENSIONS, bootstrap, cluster, listener, logTo, tcpProxy
from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase
from tests.extensions.filters.network.tcp_proxy.test_tunnel import TUNNEL, TunnelTestCase
from twisted_envoy.codec.h2 import H2ServerCodec
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecOutput, Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.stats.scope import Store

HTTP2 = {
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": EXTENSIONS + "upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}
LOG = (
    "flags=%RESPONSE_FLAGS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% "
    "fail=%UPSTREAM_TRANSPORT_FAILURE_REASON% n=%UPSTREAM_REQUEST_ATTEMPT_COUNT% "
    "hdrs=%FILTER_STATE(envoy.tcp_proxy.propagate_response_headers:TYPED)% "
    "trl=%FILTER_STATE(envoy.tcp_proxy.propagate_response_trailers:TYPED)% "
    "plain=%FILTER_STATE(envoy.tcp_proxy.propagate_response_headers:PLAIN)% "
    "id=%DYNAMIC_METADATA(envoy.filters.network.tcp_proxy)%"
)


class Request:
    """One stream, as the upstream sees it."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.headers: Any = None
        self.received = b""
        self.ended = False
        self.wasReset: Reset | None = None

    def decodeHeaders(self, headers, endStream):
        self.headers = headers
        self.ended = endStream

    def decodeData(self, data, endStream):
        self.received += data
        self.ended = endStream

    def decodeTrailers(self, trailers):
        self.ended = True

    def streamReset(self, reason, details):
        self.wasReset = reason

    def answer(self, status, ended=False, **more):
        headers = HeaderMap([(b":status", status)])
        for name, value in more.items():
            headers.add(name.replace("_", "-").encode(), value)
        self.encoder.encodeHeaders(headers, ended)


class Server(Protocol):
    """One connection."""

    def __init__(self, requests: list[Request]) -> None:
        self.requests = requests

    def connectionMade(self):
        output = CodecOutput(lambda call: call(), self.transport)
        settings = HTTP2Settings(allowConnect=True)
        stats = HTTP2Stats(Store())
        self.codec = H2ServerCodec(self, output, settings, HeaderLimits(), stats)

    def newStream(self, encoder):
        self.requests.append(Request(encoder))
        return self.requests[-1]

    def goAwayReceived(self, code):
        """Not of interest."""

    def dataReceived(self, data):
        self.codec.dataReceived(data)


class H2TestCase(ProxyTestCase):
    """A client, and an upstream that was asked over HTTP/2."""

    def ask(self, connect=True, clusterFields=None, values=None, **fields):
        tunnel = {**TUNNEL, **fields.pop("tunnel", {})}
        proxy = tcpProxy(tunneling_config=tunnel, access_log=logTo("log", LOG), **fields)
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", proxy)],
                [cluster("origin", ORIGIN, **HTTP2, **(clusterFields or {}))],
            ),
            listen=False,
        )
        self.requests: list[Request] = []
        self.servers: list[Server] = []
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = self.build
        self.envoy.listen(ORIGIN, factory)
        if connect:
            self.client = self.envoy.connect("ingress")
            self.request = self.requests[-1]

    def build(self, addr):
        self.servers.append(Server(self.requests))
        return self.servers[-1]

    def open(self, **fields):
        self.ask(**fields)
        self.request.answer(b"200")
        self.envoy.settle()

    def line(self):
        """The access log's line, of the client's connection, which is closed now."""
        self.client.loseConnection()
        self.envoy.settle()
        (line,) = self.envoy.lines("log")
        return line

    def cluster(self, name):
        return self.stat(f"cluster.origin.upstream_{name}")


class ConnectTests(H2TestCase):
    """CONNECT."""

    def test_exchange(self):
        """What the upstream is asked; the client's bytes wait for its answer."""
        self.ask()
        self.assertEqual(
            list(self.request.headers.pairs()),
            [(b":method", b"CONNECT"), (b":authority", b"host.com:443")],
        )
        self.client.write(b"hello")
        self.envoy.settle()
        self.assertEqual(self.request.received, b"")
        self.request.answer(b"200")
        self.request.encoder.encodeData(b"welcome", False)
        self.envoy.settle()
        self.assertEqual((self.request.received, self.client.received), (b"hello", b"welcome"))

    def test_halfCloses(self):
        """The client's end is an END_STREAM; the answer goes on, and its end is the client's."""
        self.open()
        self.client.write(b"question")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((self.request.received, self.request.ended), (b"question", True))
        self.request.encoder.encodeData(b"answer", False)
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"answer", False))
        self.request.encoder.encodeData(b"!", True)
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"answer!", True))
        self.assertIn("flags=- rx=8 tx=7 fail=- n=1", self.line())
        self.assertEqual(self.cluster("rq_active"), 0)
        self.assertEqual(self.cluster("rq_tx_reset"), 0)

    def test_upstreamEndsFirst(self):
        """The other way round."""
        self.open()
        self.request.encoder.encodeData(b"bye", True)
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"bye", True))
        self.client.write(b"late")
        self.envoy.settle()
        self.assertEqual((self.request.received, self.request.ended), (b"late", False))
        self.client.loseConnection()
        self.envoy.settle()
        self.assertTrue(self.request.ended)
        self.assertEqual(self.cluster("rq_active"), 0)

    def test_clientResets(self):
        """The stream is reset, the connection stays."""
        self.open()
        self.client.abortConnection()
        self.envoy.settle()
        self.assertIs(self.request.wasReset, Reset.REMOTE)
        self.assertEqual(self.cluster("rq_tx_reset"), 1)
        self.assertEqual(self.cluster("cx_active"), 1)

    def test_clientLeavesEarly(self):
        """Before the answer too."""
        self.ask()
        self.client.abortConnection()
        self.envoy.settle()
        self.assertIs(self.request.wasReset, Reset.REMOTE)
        self.request.answer(b"200")
        self.envoy.settle()
        self.assertEqual(self.cluster("rq_active"), 0)

    def test_upstreamResets(self):
        """A reset of an open tunnel resets the client."""
        self.open()
        self.request.encoder.encodeData(b"x", False)
        self.request.encoder.resetStream(Reset.LOCAL)
        self.envoy.settle()
        self.assertEqual(self.client.received, b"x")
        self.assertTrue(self.client.wasReset)
        self.assertIn("flags=UR ", self.line())
        self.assertEqual(self.cluster("rq_rx_reset"), 1)

    def test_connectionLost(self):
        """The loss of the connection under it closes the client in order, as in Envoy."""
        self.open()
        self.servers[0].transport.abortConnection()
        self.envoy.settle()
        self.assertTrue(self.client.ended)
        self.assertFalse(self.client.wasReset)

    def test_twoShare(self):
        """One connection carries two tunnels, which stay apart."""
        self.open()
        other = self.envoy.connect("ingress")
        self.assertEqual(len(self.servers), 1)
        self.requests[1].answer(b"200")
        self.client.write(b"one")
        other.write(b"two")
        self.envoy.settle()
        self.assertEqual([one.received for one in self.requests], [b"one", b"two"])

    def test_idle(self):
        """An idle tunnel is reset."""
        self.open(idle_timeout="5s")
        self.envoy.advance(6)
        self.assertTrue(self.client.ended)
        self.assertIs(self.request.wasReset, Reset.REMOTE)
        self.assertEqual(self.stat("tcp.tcp.idle_timeout"), 1)

    def test_earlyEnd(self):
        """The client's end that came before the answer."""
        self.ask(max_early_data_bytes=100)
        self.client.write(b"hello")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.request.answer(b"200")
        self.envoy.settle()
        self.assertEqual((self.request.received, self.request.ended), (b"hello", True))

    def test_backPressure(self):
        """Who is slow makes the other side wait, both ways; nothing is lost."""
        size = 40 * 1024 * 1024
        data = b"x" * (size // 40)
        self.open()
        self.client.pauseProducing()
        for _ in range(40):
            self.request.encoder.encodeData(data, False)
            self.envoy.settle()
        held = size - len(self.client.received)
        self.assertGreater(self.cluster("flow_control_paused_reading_total"), 0)
        self.assertEqual(held, size)
        self.client.resumeProducing()
        self.envoy.settle()
        self.assertEqual(len(self.client.received), size)


class AnswerTests(H2TestCase):
    """What the upstream may answer."""

    def test_refused(self):
        """Only 200, and only without the end, is success; 1xx are no answer."""
        for status, ended, reason in (
            (b"403", False, "tunnel_response:403"),
            (b"201", False, "tunnel_response:201"),
            (b"200", True, "tunnel_response:200"),
        ):
            self.ask()
            self.request.encoder.encode1xx(HeaderMap([(b":status", b"103")]))
            self.request.answer(status, ended)
            self.envoy.settle()
            self.assertTrue(self.client.ended)
            self.assertIs(self.request.wasReset, Reset.REMOTE)
            self.assertIn(f"flags=UF,URX rx=0 tx=0 fail={reason} n=1", self.line())
            self.assertEqual(self.cluster("rq_tx_reset"), 1)
            self.assertEqual(self.cluster("cx_connect_attempts_exceeded"), 1)
            self.assertEqual(self.cluster("cx_active"), 1)

    def test_retried(self):
        """Each attempt is a stream of the same connection."""
        self.ask(max_connect_attempts=3)
        self.request.answer(b"503")
        self.envoy.settle()
        self.requests[1].encoder.resetStream(Reset.LOCAL)
        self.envoy.settle()
        self.requests[2].answer(b"200")
        self.requests[2].encoder.encodeData(b"x", True)
        self.envoy.settle()
        self.assertEqual(self.client.received, b"x")
        self.assertEqual(len(self.servers), 1)
        self.assertIn("n=3", self.line())

    def test_overflow(self):
        """No room for another request: no flag says that."""
        breakers = {"thresholds": [{"max_requests": 0}]}
        self.ask(connect=False, clusterFields={"circuit_breakers": breakers})
        self.client = self.envoy.connect("ingress")
        self.assertTrue(self.client.ended)
        self.assertIn("flags=URX ", self.line())

    def test_noPool(self):
        """No room for another pool: as without a host."""
        breakers = {"thresholds": [{"max_connection_pools": 0}]}
        self.ask(connect=False, clusterFields={"circuit_breakers": breakers})
        self.client = self.envoy.connect("ingress")
        self.assertTrue(self.client.ended)
        self.assertIn("flags=UH ", self.line())

    def test_propagated(self):
        """The answer's headers and trailers are left in the client's filter state."""
        self.ask(tunnel={"propagate_response_headers": True, "propagate_response_trailers": True})
        self.request.answer(b"200", x_a=b"1")
        self.envoy.settle()
        self.request.encoder.encodeTrailers(HeaderMap([(b"x-t", b"2")]))
        self.envoy.settle()
        self.assertTrue(self.client.ended)
        line = self.line()
        self.assertIn(
            'hdrs={"headers":[{"key":":status","value":"200"},{"key":"x-a","value":"1"}]}', line
        )
        self.assertIn('trl={"headers":[{"key":"x-t","value":"2"}]} plain=-', line)

    def test_propagatedRefusal(self):
        """So are a refusal's."""
        self.ask(tunnel={"propagate_response_headers": True})
        self.request.answer(b"403")
        self.envoy.settle()
        self.assertIn('hdrs={"headers":[{"key":":status","value":"403"}]}', self.line())


class RequestTests(H2TestCase):
    """What else may be asked."""

    def test_post(self):
        """POST says path and scheme."""
        for fields, path in (({}, b"/"), ({"post_path": "/x"}, b"/x")):
            self.open(tunnel={"use_post": True, **fields})
            self.assertEqual(
                list(self.request.headers.pairs()),
                [
                    (b":method", b"POST"),
                    (b":authority", b"host.com:443"),
                    (b":path", path),
                    (b":scheme", b"http"),
                ],
            )
            self.client.write(b"x")
            self.client.loseWriteConnection()
            self.envoy.settle()
            self.assertEqual((self.request.received, self.request.ended), (b"x", True))

    def test_requestID(self):
        """An id goes along, and into the dynamic metadata, before other headers are made."""
        extension = {
            "typed_config": {"@type": EXTENSIONS + "request_id.uuid.v3.UuidRequestIdConfig"}
        }
        for fields, name, key in (
            ({}, b"x-request-id", "tunnel_request_id"),
            ({"request_id_header": "X-Id", "request_id_metadata_key": "k"}, b"x-id", "k"),
        ):
            self.open(tunnel={"request_id_extension": extension, **fields})
            value = self.request.headers[name]
            self.assertEqual(len(value), 36)
            self.request.encoder.encodeData(b"", True)
            self.envoy.settle()
            self.assertIn(f'id={{"{key}":"{value.decode()}"}}', self.line())


class PostOverHTTP1Tests(TunnelTestCase):
    """POST over HTTP/1.1: both bodies are chunked."""

    ASKED = b"POST /x HTTP/1.1\r\nhost: host.com:443\r\ntransfer-encoding: chunked\r\n\r\n"

    def test_exchange(self):
        """Payload both ways; the client's end is a last chunk, and the end of all."""
        self.ask(tunneling_config={**TUNNEL, "use_post": True, "post_path": "/x"})
        self.assertEqual(self.upstream.received, self.ASKED)
        self.answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nEARLY\r\n")
        self.says(b"hello")
        self.assertEqual(self.client.received, b"EARLY")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual(self.upstream.received, self.ASKED + b"5\r\nhello\r\n0\r\n\r\n")
        self.assertTrue(self.upstream.ended)
        self.assertTrue(self.client.ended)
        for peer in (self.client, self.upstream):
            peer.loseConnection()
        self.envoy.settle()
        self.assertQuiet()

    def test_untilClose(self):
        """An answer without a length goes on until the upstream closes."""
        self.ask(tunneling_config={**TUNNEL, "use_post": True, "post_path": "/x"})
        self.answer(b"HTTP/1.1 200 OK\r\n\r\nraw")
        self.upstream.loseConnection()
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"raw", True))

    def test_bodiless(self):
        """An answer that ends with its headers is a refusal."""
        self.ask(tunneling_config={**TUNNEL, "use_post": True})
        self.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        self.assertFailed("tunnel_response:200")
