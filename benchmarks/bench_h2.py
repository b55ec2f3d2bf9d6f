"""
What the HTTP/2 codecs cost: one small request and its response, and bodies.

    python -m benchmarks.bench_h2

A client's and a server's codec are joined in memory, over our core and over the reference core. The
same exchange by the h2 library alone, as its documentation shows it, is the measure; figures are
the best of several runs, of CPU time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from twisted_envoy.codec.h2 import H2ClientCodec, H2ServerCodec
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecOutput
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.stats.scope import Store

REQUEST = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"127.0.0.1:10000"),
    (b":path", b"/"),
    (b"user-agent", b"curl/7.88.1"),
    (b"accept", b"*/*"),
)
RESPONSE = (
    (b":status", b"200"),
    (b"content-length", b"14"),
    (b"content-type", b"text/plain"),
    (b"date", b"Mon, 23 Nov 2026 05:30:01 GMT"),
    (b"server", b"envoy"),
)
BODY = b"Hello, world!\n"
RUNS = 7
EXCHANGES = 1000
MEBIBYTES = 16


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.write = self.pieces.append
        self.writeSequence = self.pieces.extend

    def take(self) -> bytes:
        """Everything so far."""
        data = b"".join(self.pieces)
        self.pieces.clear()
        return data


class Peer:
    """The owner and the decoder of either side."""

    def __init__(self) -> None:
        self.encoder: Any = None
        self.received = 0

    def newStream(self, encoder: Any) -> Peer:
        """One at a time."""
        self.encoder = encoder
        return self

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """Forget."""

    def decodeData(self, data: bytes, endStream: bool) -> None:
        """Count."""
        self.received += len(data)

    def streamClosed(self) -> None:
        """Forget."""

    def settingsReceived(self, maxConcurrentStreams: int) -> None:
        """Forget."""


class Pair:
    """Two of our codecs."""

    def __init__(self, usesLibrary: bool = False) -> None:
        self.wires = Wire(), Wire()
        self.peers = Peer(), Peer()
        made: list[Any] = []
        for make, wire, peer in zip(
            (H2ClientCodec, H2ServerCodec), self.wires, self.peers, strict=True
        ):
            output = CodecOutput(_now, wire)
            stats = HTTP2Stats(Store().scope("http2."))
            settings = HTTP2Settings(usesLibrary=usesLibrary)
            made.append(make(peer, output, settings, HeaderLimits(), stats))
        self.client, self.server = made
        self.count = 0
        self.request, self.response = HeaderMap(REQUEST), HeaderMap(RESPONSE)
        self.settle()

    def settle(self) -> None:
        """Carry bytes until there are none."""
        up, down = self.wires
        while up.pieces or down.pieces:
            if up.pieces:
                self.server.dataReceived(up.take())
            if down.pieces:
                self.client.dataReceived(down.take())

    def changing(self) -> None:
        """One request with an ID that no other has, and its response."""
        self.count += 1
        self.request[b"x-request-id"] = b"%032x" % self.count
        self.exchange()
        del self.request[b"x-request-id"]

    def exchange(self) -> None:
        """One request and its response."""
        self.client.newStream(self.peers[0]).encodeHeaders(self.request, True)
        self.settle()
        encoder = self.peers[1].encoder
        encoder.encodeHeaders(self.response, False)
        encoder.encodeData(BODY, True)
        self.settle()

    def body(self) -> None:
        """A response of MEBIBYTES."""
        self.client.newStream(self.peers[0]).encodeHeaders(self.request, True)
        self.settle()
        encoder = self.peers[1].encoder
        encoder.encodeHeaders(HeaderMap(RESPONSE[:1]), False)
        chunk = bytes(65536)
        for _ in range(MEBIBYTES * 16):
            encoder.encodeData(chunk, False)
            self.settle()
        encoder.encodeData(b"", True)
        self.settle()


class Library:
    """Two connections of the h2 library."""

    def __init__(self) -> None:
        self.client = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self.server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.client.initiate_connection()
        self.server.initiate_connection()

    def exchange(self) -> None:
        """One request and its response."""
        stream = self.client.get_next_available_stream_id()
        self.client.send_headers(stream, REQUEST, True)
        for event in self.server.receive_data(self.client.data_to_send()):
            if isinstance(event, RequestReceived):
                self.server.send_headers(event.stream_id, RESPONSE)
                self.server.send_data(event.stream_id, BODY, True)
        self.client.receive_data(self.server.data_to_send())
        self.client.acknowledge_received_data(len(BODY), stream)


def _now(call: Callable[[], None]) -> None:
    call()


def best(work: Callable[[], None], times: int) -> float:
    """Seconds of one of `times`."""
    found = float("inf")
    for _ in range(RUNS):
        begun = time.process_time()
        for _ in range(times):
            work()
        found = min(found, (time.process_time() - begun) / times)
    return found


def main() -> None:
    """Print the figures."""
    lean, reference, library = Pair(), Pair(True), Library()
    for work in (lean.exchange, reference.exchange, library.exchange):
        best(work, 50)
    alone = best(library.exchange, EXCHANGES // 10)
    print(f"one exchange, h2 library alone   {alone * 1e6:8.1f} us")
    for name, pair in (("our core", lean), ("reference", reference)):
        for kind, exchange in ((name, pair.exchange), ("with an ID of its own", pair.changing)):
            took = best(exchange, EXCHANGES)
            print(f"one exchange, {kind:<21} {took * 1e6:5.1f} us   ratio {took / alone:.3f}")
    print(f"a body, both codecs              {MEBIBYTES / best(lean.body, 1):8.0f} MiB/s")
    print(f"two codecs made                  {best(Pair, 20) * 1e6:8.1f} us")


if __name__ == "__main__":
    main()
