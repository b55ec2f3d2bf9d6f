"""
HTTP/1.1 codec: microseconds a message.

    PYTHONPATH=. python -m benchmarks.bench_h1

A server's codec reads the head of a GET with 7 fields and writes a response with 5 and 14 bytes; a
client's codec does the reverse. Target of the server's side: at most 6 us. Each head differs from
the one before it; the last line is of heads that come again, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from time import process_time
from timeit import repeat
from typing import Any

from twisted_envoy.codec.h1.client import H1ClientCodec
from twisted_envoy.codec.h1.server import H1ServerCodec
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecOutput, IStreamDecoder, IStreamEncoder
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

ROUNDS = 20_000
REQUEST = (
    b"GET /some/path?x=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench/1.0 (X11; Linux)\r\n"
    b"Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nX-Forwarded-For: 10.0.0.1\r\n"
    b"Cookie: a=1; b=2\r\nX-Request-Id: 6037331b-173d-454d-b2bc-f1923d0a690d\r\n\r\n"
)
RESPONSE = HeaderMap(
    [
        (b":status", b"200"),
        (b"content-length", b"14"),
        (b"content-type", b"text/plain"),
        (b"date", b"Mon, 23 Nov 2026 05:15:20 GMT"),
        (b"server", b"envoy"),
        (b"x-envoy-upstream-service-time", b"1"),
    ]
)
BODY = b"Hello, world!\n"
HEADERS = HeaderMap(
    [
        *((b":method", b"GET"), (b":path", b"/some/path?x=1"), (b":authority", b"example.com")),
        *((b":scheme", b"http"), (b"user-agent", b"bench/1.0 (X11; Linux)"), (b"accept", b"*/*")),
        *((b"accept-encoding", b"gzip, deflate"), (b"x-forwarded-for", b"10.0.0.1")),
        *((b"cookie", b"a=1; b=2"), (b"x-request-id", b"6037331b-173d-454d-b2bc-f1923d0a690d")),
    ]
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\ncontent-type: text/plain\r\n"
    b"date: Mon, 23 Nov 2026 05:15:20 GMT\r\nserver: envoy\r\nx-a: b\r\n\r\nHello, world!\n"
)


class Owner:
    """Of either codec: answers at once, and takes what comes."""

    encoder: IStreamEncoder

    def newStream(self, encoder: IStreamEncoder) -> Any:
        self.encoder = encoder
        return self

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self.encoder.encodeHeaders(RESPONSE, False)
        self.encoder.encodeData(BODY, True)

    def streamClosed(self) -> None: ...

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...

    def writeSequence(self, pieces: list[bytes]) -> None: ...

    def write(self, data: bytes) -> None: ...


class Reader(Owner):
    """A client's decoder."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None: ...

    def decodeData(self, data: bytes, endStream: bool) -> None: ...


def inTurns(message: bytes, part: bytes, other: bytes) -> Iterator[bytes]:
    """The message as it is and with another part, without end."""
    return cycle((message, message.replace(part, other)))


def server(repeats: bool = False) -> Callable[[], None]:
    """One request and its response."""
    requests = inTurns(REQUEST, b"bench/1", b"bench/1" if repeats else b"bench/2")
    owner: Any = Owner()
    output = CodecOutput(lambda call: None, owner)
    codec = H1ServerCodec(owner, output, HTTP1Settings(), HeaderLimits(), owner)

    def one() -> None:
        codec.dataReceived(next(requests))
        output.flush()

    return one


def client() -> Callable[[], None]:
    """The same from the other side."""
    answers = inTurns(ANSWER, b"x-a: b", b"x-a: c")
    owner: Any = Reader()
    decoder: IStreamDecoder = owner
    output = CodecOutput(lambda call: None, owner)
    codec = H1ClientCodec(owner, output, HTTP1Settings(), HeaderLimits(), owner)

    def one() -> None:
        codec.newStream(decoder).encodeHeaders(HEADERS, True)
        output.flush()
        codec.dataReceived(next(answers))

    return one


def main() -> None:
    """Print a table."""
    for name, one in (
        ("server: request in, response out", server()),
        ("client", client()),
        ("server, the same request again", server(repeats=True)),
    ):
        best = min(repeat(one, timer=process_time, number=ROUNDS, repeat=5)) / ROUNDS
        print(f"{name:36}{best * 1e6:8.2f} us")


if __name__ == "__main__":
    main()
