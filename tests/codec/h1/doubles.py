"""Owners of HTTP/1.1 codecs that write down what they are told."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.h1.client import H1ClientCodec
from twisted_envoy.codec.h1.client_stream import H1ClientStream
from twisted_envoy.codec.h1.server import H1ServerCodec
from twisted_envoy.codec.h1.server_stream import H1ServerStream
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientConnection,
    IServerConnection,
    IStreamDecoder,
    IStreamEncoder,
    Reset,
)
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

Pairs = list[tuple[bytes, bytes]]


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def writeSequence(self, pieces: list[bytes]) -> None:
        self.pieces.extend(pieces)


@implementer(IPushProducer)
class Producer:
    """Counts: above 0 it is paused."""

    def __init__(self) -> None:
        self.paused = 0
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.paused += 1
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.paused -= 1
        self.calls.append("resume")

    def stopProducing(self) -> None:
        raise AssertionError("nobody stops it")


@implementer(IStreamDecoder)
class Message:
    """One message as a decoder hears it."""

    def __init__(self) -> None:
        self.headers: HeaderMap | None = None
        self.interim: list[HeaderMap] = []
        self.body = b""
        self.pieces: list[bytes] = []
        self.trailers: HeaderMap | None = None
        self.ended = False
        self.reset: Reset | None = None
        self.failure: CodecError | None = None
        self.calls = 0

    def decode1xx(self, headers: HeaderMap) -> None:
        assert self.headers is None
        self.interim.append(headers)

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        assert self.headers is None
        self.headers = headers
        self._may(endStream)

    def decodeData(self, data: bytes, endStream: bool) -> None:
        assert self.headers is not None
        assert type(data) is bytes
        assert data or endStream
        self.body += data
        self.pieces.append(data)
        self._may(endStream)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        assert self.headers is not None
        self.trailers = trailers
        self._may(True)

    def streamReset(self, reason: Reset, details: str) -> None:
        assert self.reset is None
        self.reset = reason

    def streamFailed(self, error: CodecError) -> None:
        assert self.failure is None
        assert not self.ended
        self.failure = error

    def _may(self, endStream: bool) -> None:
        assert not self.ended
        assert self.reset is None and self.failure is None
        self.calls += 1
        self.ended = endStream

    def summary(self) -> tuple[object, ...]:
        """What counts, in a form that compares: of a broken one not how far it came."""
        headers = None if self.headers is None else list(self.headers.pairs())
        trailers = None if self.trailers is None else list(self.trailers.pairs())
        interim = [list(each.pairs()) for each in self.interim]
        if self.failure is not None or self.reset is not None:
            reset = self.reset or self.failure and self.failure.status
            return (headers, interim, reset)
        return (headers, interim, self.body, trailers, self.ended)


def responseOf(status: bytes = b"200", *pairs: tuple[bytes, bytes]) -> HeaderMap:
    """The headers of a response."""
    return HeaderMap([(b":status", status), *pairs])


def requestOf(method: bytes = b"GET", path: bytes = b"/", *pairs: tuple[bytes, bytes]) -> HeaderMap:
    """The headers of a request to `h`."""
    return HeaderMap([(b":method", method), (b":path", path), (b":authority", b"h"), *pairs])


class Answering(Message):
    """Answers a whole request with its body."""

    encoder: IStreamEncoder

    def _may(self, endStream: bool) -> None:
        super()._may(endStream)
        if endStream:
            length = str(len(self.body)).encode()
            self.encoder.encodeHeaders(responseOf(b"200", (b"content-length", length)), False)
            self.encoder.encodeData(self.body, True)


class Counter:
    def __init__(self) -> None:
        self.value = 0


class Stats:
    def __init__(self) -> None:
        self.dropped_headers_with_underscores = Counter()
        self.requests_rejected_with_underscores_in_headers = Counter()
        self.response_flood = Counter()


@implementer(IServerConnection)
class ServerOwner:
    """
    A server with its codec.

    Args:
        answers: whole requests at once.
    """

    def __init__(
        self,
        settings: HTTP1Settings | None = None,
        limits: HeaderLimits | None = None,
        answers: bool = False,
    ) -> None:
        self.answers = answers
        self.transport = Transport()
        self.output = CodecOutput(lambda call: None, self.transport)
        self.reading = Producer()
        self.stats = Stats()
        self.requests: list[Message] = []
        self.encoders: list[H1ServerStream] = []
        self.error: CodecError | None = None
        self.codec = H1ServerCodec(
            self,
            self.output,
            settings or HTTP1Settings(),
            limits or HeaderLimits(),
            self.reading,
            self.stats,
        )

    def newStream(self, encoder: IStreamEncoder) -> IStreamDecoder:
        assert isinstance(encoder, H1ServerStream)
        message = Answering() if self.answers else Message()
        if isinstance(message, Answering):
            message.encoder = encoder
        self.requests.append(message)
        self.encoders.append(encoder)
        return message

    def goAwayReceived(self, code: int) -> None:
        raise AssertionError("not HTTP/2")

    def feed(self, *pieces: bytes) -> None:
        """Give bytes as they would come, and go on with what waits."""
        for piece in pieces:
            if self.error is not None:
                return
            try:
                self.codec.dataReceived(piece)
                if self.codec.waits:
                    self.codec.dataReceived(b"")
            except CodecError as error:
                self.error = error
            self.output.flush()

    def respond(self, headers: HeaderMap, body: bytes | None = None) -> None:
        """Answer the newest request."""
        encoder = self.encoders[-1]
        encoder.encodeHeaders(headers, body is None)
        if body is not None:
            encoder.encodeData(body, True)
        self.output.flush()

    @property
    def sent(self) -> bytes:
        return b"".join(self.transport.pieces)

    def summary(self) -> tuple[object, ...]:
        status = None if self.error is None else self.error.status
        return ([message.summary() for message in self.requests], status, self.sent)


@implementer(IClientConnection)
class ClientOwner:
    """A client with its codec."""

    def __init__(
        self, settings: HTTP1Settings | None = None, limits: HeaderLimits | None = None
    ) -> None:
        self.transport = Transport()
        self.output = CodecOutput(lambda call: None, self.transport)
        self.reading = Producer()
        self.closedStreams = self.closesNoticed = self.endedTunnels = 0
        self.error: CodecError | None = None
        self.response = Message()
        self.encoder: H1ClientStream
        self.codec = H1ClientCodec(
            self,
            self.output,
            settings or HTTP1Settings(),
            limits or HeaderLimits(),
            self.reading,
        )

    def goAwayReceived(self, code: int) -> None:
        raise AssertionError("not HTTP/2")

    def settingsReceived(self, maxConcurrentStreams: int) -> None:
        raise AssertionError("not HTTP/2")

    def streamClosed(self) -> None:
        self.closedStreams += 1

    def closeNoticed(self) -> None:
        self.closesNoticed += 1

    def tunnelEnded(self) -> None:
        self.endedTunnels += 1

    def request(self, headers: HeaderMap | None = None, body: bytes | None = None) -> None:
        """Send one; body b"" sends nothing yet but keeps it open."""
        self.response = Message()
        self.encoder = self.codec.newStream(self.response)
        self.encoder.encodeHeaders(headers or requestOf(), body is None)
        if body:
            self.encoder.encodeData(body, True)
        self.output.flush()

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            try:
                self.codec.dataReceived(piece)
            except CodecError as error:
                self.error = error

    def end(self) -> None:
        """The server's FIN."""
        try:
            self.codec.readConnectionLost()
        except CodecError as error:
            self.error = error

    @property
    def sent(self) -> bytes:
        self.output.flush()
        return b"".join(self.transport.pieces)

    def summary(self) -> tuple[object, ...]:
        status = None if self.error is None else self.error.status
        return (self.response.summary(), status, self.codec.reusable, self.closedStreams)
