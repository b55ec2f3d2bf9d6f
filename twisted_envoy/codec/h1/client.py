"""
The client's side of one HTTP/1.1 connection: one request at a time.

    state           bytes are                    goes on when
    idle            an error                     a request begins
    head            kept, up to the limit        the empty line is there; behind a 1xx once more
    body            decoded                      the body ends, or the connection: idle
    dead            dropped                      never: after an error, a reset or a lost connection

Envoy: source/common/http/http1/codec_impl.cc (ClientConnectionImpl)
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.h1.body import Body, ChunkedBody, FixedBody, RawBody
from twisted_envoy.codec.h1.client_stream import H1ClientStream
from twisted_envoy.codec.h1.fields import findEnd, malformed, oddLines, splitLines, tooLarge
from twisted_envoy.codec.h1.response import CHUNKED, ResponseHead, checkStart, parseResponse
from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientCodec,
    IClientConnection,
    IStreamDecoder,
    Reset,
)
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

MOST_REMEMBERED = 4096
"""Bytes of a head that is kept to be compared with the next one."""


@implementer(IClientCodec)
class H1ClientCodec:
    """
    Requests to bytes, bytes of a server to responses.

    Args:
        connection: hears when a stream is over.
        output: takes what is sent.
        reading: paused while no more bytes are wanted.

    Attributes:
        protocol: `HTTP/1.1`.
        closeAfterStream: no request may follow the present one.
        full: the transport takes no more.
        isPlain: names are sent as they are, targets are paths.
    """

    __slots__ = (
        *("_body", "_connection", "_count", "_dead", "_decoder", "_held", "_limits", "_paused"),
        *("_asked", "_reading", "_scanned", "_seen", "_seenHead", "_stream"),
        *("closeAfterStream", "full", "isPlain", "output", "protocol", "settings"),
    )

    def __init__(
        self,
        connection: IClientConnection,
        output: CodecOutput,
        settings: HTTP1Settings,
        limits: HeaderLimits,
        reading: IPushProducer,
    ) -> None:
        self._connection = connection
        self.output = output
        self.settings = settings
        self.isPlain = settings.headerCase == "lower" and not settings.absoluteRequests
        self._limits = limits
        self._reading = reading
        self.protocol = "HTTP/1.1"
        self._stream: H1ClientStream | None = None
        self._decoder: IStreamDecoder
        self._body: Body | None = None
        self._held = b""
        self._scanned = 0
        self._count = 0
        self._paused = 0
        self._dead = False
        self._seen = b""
        self._seenHead: ResponseHead | None = None
        self._asked = (b"", False)
        self.full = False
        self.closeAfterStream = False

    @property
    def reusable(self) -> bool:
        """May another request begin now?"""
        return self._stream is None and not (self._dead or self.closeAfterStream)

    def newStream(self, decoder: IStreamDecoder) -> H1ClientStream:
        """Begin a request; only while `reusable`."""
        if not self.reusable:
            raise RuntimeError("one request at a time")
        self._count += 1
        self._decoder = decoder
        stream = self._stream = H1ClientStream(self, self._count)
        return stream

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the server.

        Raises:
            CodecError: the connection cannot go on.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        start = 0
        end = len(data)
        try:
            while 0 <= start < end and not self._dead:
                if self._body is not None:
                    start = self._readBody(data, start)
                else:
                    start = self._readHead(data, start)
        except CodecError:
            self._reset(Reset.PROTOCOL_ERROR)
            raise

    def _readHead(self, data: bytes, start: int) -> int:
        """Read one head; gives the index behind it, -1 while it is not complete."""
        stream = self._stream
        if stream is None or not stream.begun or stream.responded:
            raise malformed()
        end = data.find(b"\r\n\r\n", start + self._scanned) + 4
        block = data[start:end] if end > 3 else b""
        asked = (stream.method, stream.upgrade)
        if block and block == self._seen and asked == self._asked:
            self._scanned = 0
            stream.receivedWireBytes += end - start
            self._answerAgain(stream, block)
            return end
        lines = splitLines(block) if block else None
        if lines is None:
            end = findEnd(data, start + self._scanned)
        if end < 0:
            part = self._held = data[start:] if start else data
            if len(part) >= self._limits.maxBytes:
                raise tooLarge()
            checkStart(part)
            self._scanned = max(0, len(part) - 3)
            return -1
        self._scanned = 0
        stream.receivedWireBytes += end - start
        if end - start > self._limits.maxBytes:
            raise tooLarge()
        size = end - start
        if lines is None:
            lines = oddLines(data[start:end])
        elif size <= MOST_REMEMBERED:
            self._seen = block
            self._seenHead = None
            self._asked = asked
        head = parseResponse(lines, size, asked, self.settings, self._limits)
        self._answer(stream, head)
        return end

    def _answerAgain(self, stream: H1ClientStream, block: bytes) -> None:
        """The head that came before on this connection has come again, byte for byte."""
        head = self._seenHead
        if head is None:
            lines = splitLines(block)
            assert lines is not None
            head = parseResponse(lines, len(block), self._asked, self.settings, self._limits)
            self._seenHead = head.copy()
        else:
            head = head.copy()
        self._answer(stream, head)

    def _answer(self, stream: H1ClientStream, head: ResponseHead) -> None:
        stream.receivedHeaderBytes += head.headerBytes
        if 100 <= head.status <= 199 and head.status != 101:
            self._decoder.decode1xx(head.headers)
        else:
            self._deliver(stream, head)

    def _deliver(self, stream: H1ClientStream, head: ResponseHead) -> None:
        """Give the headers to who asked, and get ready for the body."""
        if head.closes or head.status == 101:
            self.closeAfterStream = True
        length = head.length
        decoder = self._decoder
        if not length:
            self._responseEnded(stream)
        elif length > 0:
            self._body = FixedBody(length)
        elif length == CHUNKED:
            self._body = ChunkedBody(self._limits, self.settings.enableTrailers)
        else:
            self._body = RawBody()
        decoder.decodeHeaders(head.headers, not length)
        if not length:
            self._over(stream)

    def _readBody(self, data: bytes, start: int) -> int:
        """Decode what belongs to the body; gives the index behind it."""
        body, stream = self._body, self._stream
        assert body is not None and stream is not None
        piece = body.feed(data, start)
        following = body.position
        stream.receivedWireBytes += following - start
        decoder = self._decoder
        if not body.ended:
            if piece:
                decoder.decodeData(piece, False)
            return following
        self._body = None
        trailers = body.trailers
        if trailers is None:
            self._responseEnded(stream)
            decoder.decodeData(piece, True)
        else:
            if piece:
                decoder.decodeData(piece, False)
            if not self._dead:
                self._responseEnded(stream)
                decoder.decodeTrailers(trailers)
        self._over(stream)
        return following

    def _responseEnded(self, stream: H1ClientStream) -> None:
        """The response is whole; a request that is not can never share its connection."""
        stream.responded = True
        if not stream.requested:
            self.closeAfterStream = True

    def _over(self, stream: H1ClientStream) -> None:
        if stream.requested:
            self.streamEnded(stream)

    def _reset(self, reason: Reset) -> None:
        """Nothing more is read; the stream is told."""
        stream, self._stream = self._stream, None
        self._dead = True
        self._held = b""
        self._body = None
        if stream is None:
            return
        decoder = self._decoder
        del self._decoder
        stream.lost()
        if not stream.responded:
            decoder.streamReset(reason, "")
        self._connection.streamClosed()

    # What the stream tells.

    def streamEnded(self, stream: H1ClientStream) -> None:
        """Both its directions have ended: another request may begin."""
        if self._stream is stream:
            self._stream = None
            del self._decoder
            while stream.pauses:
                stream.resumeReading()
            self._connection.streamClosed()

    def streamReset(self) -> None:
        """The owner gave up the stream; the connection is of no use."""
        self._dead = True
        self._held = b""
        self._body = None
        self._stream = None
        del self._decoder
        self._connection.streamClosed()

    def pauseReading(self, paused: bool) -> None:
        """One reason more, or less, not to read."""
        self._paused += 1 if paused else -1
        if paused and self._paused == 1:
            self._reading.pauseProducing()
        elif not self._paused:
            self._reading.resumeProducing()

    # What the owner tells.

    def readConnectionLost(self) -> None:
        """
        The server will send no more: a body without a length ends, a tunnel ends in one direction.

        Raises:
            CodecError: it ended in the middle of a response.
        """
        self.closeAfterStream = True
        stream = self._stream
        if stream is None or stream.responded:
            return
        if isinstance(self._body, RawBody):
            self._body = None
            decoder = self._decoder
            self._responseEnded(stream)
            decoder.decodeData(b"", True)
            self._over(stream)
        elif self._body is None and not self._held:
            self._reset(Reset.CONNECTION_TERMINATION)
        else:
            self._reset(Reset.PROTOCOL_ERROR)
            raise malformed()

    def connectionLost(self, reason: Reset) -> None:
        """The connection is gone; in the middle of a response that is a fault of the server's."""
        stream = self._stream
        if reason is Reset.CONNECTION_TERMINATION and stream is not None and not stream.responded:
            if self._held or not (self._body is None or isinstance(self._body, RawBody)):
                reason = Reset.PROTOCOL_ERROR
        self._reset(reason)

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.full = True
        if self._stream is not None:
            self._stream.pauseProducer(True)

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost says so, too."""

    def resumeProducing(self) -> None:
        """It is not any more."""
        self.full = False
        if self._stream is not None:
            self._stream.pauseProducer(False)

    def shutdownNotice(self) -> None:
        """Nothing is said."""

    def goAway(self) -> None:
        """Nothing is said."""
