"""What the tests of the HTTP/2 codec share: owners that record, and two codecs joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2 import H2ClientCodec, H2ServerCodec
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, CodecOutput, Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.stats.scope import Store

REQUEST = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"host.example"),
    (b":path", b"/"),
)
RESPONSE = ((b":status", b"200"), (b"server", b"envoy"))


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    def writeSequence(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self.data += piece

    def take(self) -> bytes:
        data = bytes(self.data)
        self.data.clear()
        return data


class Recorder:
    """A decoder that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.body = bytearray()
        self.encoder: Any = None
        self.ended = False

    def decode1xx(self, headers: HeaderMap) -> None:
        self.events.append(("1xx", dict(headers)))

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self.events.append(("headers", list(headers.pairs()), endStream))
        self.ended = endStream

    def decodeData(self, data: bytes, endStream: bool) -> None:
        assert not self.ended
        if not self.body and not any(event[0] == "data" for event in self.events):
            self.events.append(("data",))
        self.body += data
        self.ended = endStream

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self.events.append(("trailers", list(trailers.pairs())))
        self.ended = True

    def streamReset(self, reason: Reset, details: str) -> None:
        self.events.append(("reset", reason, details))

    def streamFailed(self, error: CodecError) -> None:
        self.events.append(("failed", error))

    def kinds(self) -> list[str]:
        return [event[0] for event in self.events]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return next(dict(event[1]) for event in self.events if event[0] == "headers")

    @property
    def reset(self) -> tuple[Reset, str] | None:
        return next((event[1:] for event in self.events if event[0] == "reset"), None)


class Owner:
    """Either side's connection; `answer` is called with each new request's recorder."""

    def __init__(self, makeDecoder: Callable[[], Recorder] = Recorder) -> None:
        self.requests: list[Recorder] = []
        self.goAways: list[int] = []
        self.maxConcurrent: list[int] = []
        self.closed = 0
        self.makeDecoder = makeDecoder

    def newStream(self, encoder: Any) -> Recorder:
        decoder = self.makeDecoder()
        decoder.encoder = encoder
        self.requests.append(decoder)
        return decoder

    def goAwayReceived(self, code: int) -> None:
        self.goAways.append(code)

    def settingsReceived(self, maxConcurrentStreams: int) -> None:
        self.maxConcurrent.append(maxConcurrentStreams)

    def streamClosed(self) -> None:
        self.closed += 1


class Producer:
    """An IPushProducer that counts."""

    def __init__(self) -> None:
        self.paused = False
        self.calls = 0

    def pauseProducing(self) -> None:
        assert not self.paused
        self.paused = True
        self.calls += 1

    def resumeProducing(self) -> None:
        assert self.paused
        self.paused = False

    def stopProducing(self) -> None:
        raise AssertionError


def soon(call: Callable[[], None]) -> None:
    """Output goes to the wire at once."""
    call()


class Side:
    """
    One codec with its owner, wire and stats.

    Args:
        client: which side. usesLibrary: of this one.

    Attributes:
        usesLibrary: codecs have the reference core; see OverLibrary.
    """

    usesLibrary = False

    def __init__(
        self,
        client: bool,
        settings: HTTP2Settings | None = None,
        limits: HeaderLimits | None = None,
        owner: Owner | None = None,
        seconds: Callable[[], float] | None = None,
        usesLibrary: bool | None = None,
    ) -> None:
        if usesLibrary is None:
            usesLibrary = self.usesLibrary
        self.owner = owner or Owner()
        self.wire = Wire()
        self.output = CodecOutput(soon, self.wire)
        self.stats = HTTP2Stats(Store().scope("http2."))
        make = H2ClientCodec if client else H2ServerCodec
        extra = {} if seconds is None else {"seconds": seconds}
        self.codec: Any = make(
            self.owner,
            self.output,
            replace(settings or HTTP2Settings(), usesLibrary=usesLibrary),
            limits or HeaderLimits(),
            self.stats,
            **extra,
        )

    def receive(self, data: bytes) -> str | None:
        """Feed bytes; the details of the CodecError when there was one."""
        try:
            self.codec.dataReceived(data)
        except CodecError as error:
            return error.details
        return None

    def request(
        self, fields: tuple[tuple[bytes, bytes], ...] = REQUEST, ended: bool = True
    ) -> Recorder:
        """Begin a client's request."""
        decoder = Recorder()
        decoder.encoder = self.codec.newStream(decoder)
        decoder.encoder.encodeHeaders(HeaderMap(fields), ended)
        return decoder


class OverLibrary(SynchronousTestCase):
    """The tests of a class again, over the reference core."""

    def setUp(self) -> None:
        self.patch(Side, "usesLibrary", True)
        super().setUp()


class Pair:
    """A client and a server, joined by `settle`."""

    def __init__(
        self,
        clientSettings: HTTP2Settings | None = None,
        serverSettings: HTTP2Settings | None = None,
        owner: Owner | None = None,
    ) -> None:
        self.client = Side(True, clientSettings)
        self.server = Side(False, serverSettings, owner=owner)

    def settle(self, most: int = 10_000) -> None:
        """Carry bytes until there are none."""
        for _ in range(most):
            up, down = self.client.wire.take(), self.server.wire.take()
            if not up and not down:
                return
            if up:
                self.server.codec.dataReceived(up)
            if down:
                self.client.codec.dataReceived(down)
        raise AssertionError("the two never have enough")
