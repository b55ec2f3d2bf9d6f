"""Tunnels of the TCP proxy: CONNECT and POST, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset

from tests.bootstraps import EXTENSIONS, cluster, listener, logTo, tcpProxy
from tests.parity.peers import Peer, Served
from tests.parity.programs import until
from tests.parity.support import ParityTestCase, Side, served

LOG = (
    "flags=%RESPONSE_FLAGS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% up=%UPSTREAM_HOST% "
    "fail=%UPSTREAM_TRANSPORT_FAILURE_REASON% attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% "
    "detected=%DOWNSTREAM_DETECTED_CLOSE_TYPE%,%UPSTREAM_DETECTED_CLOSE_TYPE% "
    "hdrs=%FILTER_STATE(envoy.tcp_proxy.propagate_response_headers:TYPED)% "
    "trl=%FILTER_STATE(envoy.tcp_proxy.propagate_response_trailers:TYPED)%"
)
HTTP2 = {
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": EXTENSIONS + "upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}
POST: dict[str, Any] = {"use_post": True, "post_path": "/x"}
TOLD: dict[str, Any] = {
    "propagate_response_headers": True,
    "propagate_response_trailers": True,
}
ONCE: dict[str, Any] = {}
TWICE: dict[str, Any] = {"max_connect_attempts": 2}

# name: the origin, the tunnel, the proxy
TUNNELS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "open1": ("h1", {}, ONCE),
    "post1": ("h1", POST, ONCE),
    "refused1": ("h1", TOLD, TWICE),
    "bare1": ("h1", {**POST, **TOLD}, ONCE),
    "created1": ("h1", TOLD, ONCE),
    "open2": ("h2", {}, ONCE),
    "post2": ("h2", {**POST, **TOLD}, ONCE),
    "trailers2": ("h2", TOLD, ONCE),
    "refused2": ("h2", TOLD, TWICE),
    "second2": ("h2", TOLD, TWICE),
    "created2": ("h2", {}, ONCE),
    "resets2": ("h2", {}, ONCE),
    "early2": ("h2", {}, ONCE),
    "gone2": ("h2", {}, ONCE),
}


def http1(peer: Peer) -> object:
    """Answer as the host name says, and listen to the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = peer.receive(1)
        if not more:
            return head, "", "early"
        head += more
    if b"refused1" in head:
        peer.send(b"HTTP/1.1 403 No\r\nx-why: not you\r\ncontent-length: 0\r\n\r\n")
    elif b"bare1" in head:
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    elif b"created1" in head:
        peer.send(b"HTTP/1.1 103 Wait\r\n\r\nHTTP/1.1 201 OK\r\ncontent-length: 3\r\n\r\nhi")
    elif head.startswith(b"POST"):
        peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
    else:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhi")
    return head, *peer.rest()


class Streams:
    """An HTTP/2 server on one connection; what a stream does, its host name says."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.names: dict[int, str] = {}
        self.asked: dict[str, int] = {}

    def serve(self) -> object:
        """Until the connection ends."""
        self.h2.initiate_connection()
        self.peer.send(self.h2.data_to_send())
        while data := self.peer.receive(1):
            for event in self.h2.receive_data(data):
                self.happened(event)
            self.peer.send(self.h2.data_to_send())
        return "over"

    def happened(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self.request(event.stream_id, dict(event.headers)[":authority"].partition(":")[0])
        elif isinstance(event, DataReceived):
            name = self.names[event.stream_id]
            if name == "resets2":
                self.h2.reset_stream(event.stream_id, 2)
            else:
                self.h2.send_data(event.stream_id, event.data.upper())
        elif isinstance(event, StreamEnded) and self.names.get(event.stream_id) != "resets2":
            self.end(event.stream_id, self.names[event.stream_id])
        elif isinstance(event, StreamReset):
            self.names.pop(event.stream_id, None)

    def request(self, stream: int, name: str) -> None:
        self.names[stream] = name
        self.asked[name] = self.asked.get(name, 0) + 1
        status = {"refused2": "403", "created2": "201"}.get(name, "200")
        if name == "second2" and self.asked[name] % 2:
            status = "503"
        ended = name == "early2"
        self.h2.send_headers(stream, [(":status", status), ("x-told", name)], end_stream=ended)

    def end(self, stream: int, name: str) -> None:
        if name == "trailers2":
            self.h2.send_data(stream, b"bye")
            self.h2.send_headers(stream, [("x-last", "word")], end_stream=True)
        else:
            self.h2.send_data(stream, b"bye", end_stream=True)


def http2(peer: Peer) -> object:
    """An HTTP/2 server."""
    return Streams(peer).serve()


class TunnelTests(ParityTestCase):
    """One listener for each kind of tunnel."""

    origins: ClassVar[dict[str, Served | None]] = {"h1": http1, "h2": http2}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        listeners, clusters = [], []
        for name, (origin, tunnel, fields) in TUNNELS.items():
            tunnel = {"hostname": f"{name}:443", **tunnel}
            log = logTo(f"{name}.log", LOG)
            proxy = tcpProxy(name, name, access_log=log, tunneling_config=tunnel, **fields)
            listeners.append(listener(name, "127.0.0.1:0", proxy, stat_prefix=name))
            options = HTTP2 if origin == "h2" else {}
            clusters.append(cluster(name, f"127.0.0.1:{ports[origin]}", **options))
        return served(listeners, clusters)

    def through(self, name: str, scenario: Any, lines: int = 1) -> Any:
        """Compare one client of a tunnel, its stats and its log."""
        pattern = rf"^(tcp|cluster)\.{name}\.(downstream_cx|upstream_(rq|cx)_(?!.*bytes))"
        return self.same(
            lambda side: scenario(side.connect(name), side), pattern, f"{name}.log", lines
        )

    def ask(self, peer: Peer, side: Side) -> object:
        """Say something, end, hear what comes."""
        peer.send(b"hello")
        peer.end()
        got = peer.rest()
        peer.close()
        return got

    def listen(self, peer: Peer, side: Side) -> object:
        """Hear what comes."""
        got = peer.rest()
        peer.close()
        return got

    def exchange(self, peer: Peer, side: Side, name: str) -> object:
        """Hear, say, end, and what the origin saw."""
        events: Any = side.origins["h1"].seen
        got = peer.receive(2)
        peer.send(b"hello")
        peer.end()
        rest = peer.rest()
        peer.close()
        seen = until(lambda: [one for one in events if name.encode() in one[0]] or None)
        return got, rest, seen

    def test_http1(self) -> None:
        """CONNECT and POST over HTTP/1.1: the client's end is everybody's."""
        for name in ("open1", "post1"):
            got, _, seen = self.through(name, partial(self.exchange, name=name))
            self.assertEqual(got, b"hi")
            self.assertIn("FIN", seen[0])

    def test_anySuccess(self) -> None:
        """Over HTTP/1.1 any 2xx opens it, behind any 1xx; a length of the answer means nothing."""
        self.through("created1", partial(self.exchange, name="created1"))

    def test_refused(self) -> None:
        """Refusals are retried, and the last is logged."""
        for name in ("refused1", "bare1", "refused2", "created2", "early2"):
            self.assertEqual(self.through(name, self.listen)[0], b"")

    def test_halfClose(self) -> None:
        """Over HTTP/2 the answer to the client's end arrives, with trailers or without."""
        for name in ("open2", "post2", "trailers2"):
            self.assertEqual(self.through(name, self.ask), [b"HELLObye", "FIN"])

    def test_retried(self) -> None:
        """A second attempt may succeed, on the same connection."""
        self.assertEqual(self.through("second2", self.ask), [b"HELLObye", "FIN"])

    def test_reset(self) -> None:
        """A reset of the stream closes the client."""

        def scenario(peer: Peer, side: Side) -> object:
            peer.send(b"hello")
            return self.listen(peer, side)

        self.through("resets2", scenario)

    def test_clientResets(self) -> None:
        """A reset of the client resets the stream."""

        def scenario(peer: Peer, side: Side) -> object:
            peer.send(b"hello")
            got = peer.receive(5)
            peer.reset()
            return got

        self.assertEqual(self.through("gone2", scenario), b"HELLO")
