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

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.h1.answers import KnownAnswers
from twisted_envoy.codec.h1.body import ChunkedBody, RawBody
from twisted_envoy.codec.h1.client_stream import H1ClientStream
from twisted_envoy.codec.h1.codec import MOST_REMEMBERED, H1Codec
from twisted_envoy.codec.h1.fields import findEnd, malformed, oddLines, splitLines, tooLarge
from twisted_envoy.codec.h1.memo import REQUEST_HOLES, HeadMemo
from twisted_envoy.codec.h1.response import CHUNKED, ResponseHead, checkStart, parseResponse
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientCodec,
    IClientConnection,
    IStreamDecoder,
    Reset,
)
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings


@implementer(IClientCodec)
class H1ClientCodec(H1Codec):
    """
    Requests to bytes, bytes of a server to responses.

    Args:
        connection: hears when a stream is over.
        output, reading, heads: as of H1Codec; heads, answers: None for such of its own.

    Attributes:
        closeAfterStream: no request may follow the present one.
        isPlain: targets are paths, too.
        whole: is given answers that come whole, in place of the decoder, if it takes them (its
            `decodeWhole` says so; it may reset the stream instead); of the present request.
    """

    __slots__ = ("_answers", "_asked", "closeAfterStream", "connection", "whole")

    def __init__(
        self,
        connection: IClientConnection,
        output: CodecOutput,
        settings: HTTP1Settings,
        limits: HeaderLimits,
        reading: IPushProducer,
        heads: HeadMemo | None = None,
        answers: KnownAnswers | None = None,
    ) -> None:
        super().__init__(output, settings, limits, reading, heads or HeadMemo(REQUEST_HOLES))
        self.isPlain = self.isPlain and not settings.absoluteRequests
        self.connection = connection
        self._answers = answers or KnownAnswers(settings, limits)
        self._asked = (b"", False)
        self.whole: Any = None
        self.closeAfterStream = False

    @property
    def reusable(self) -> bool:
        """May another request begin now?"""
        return self._stream is None and not (self.isDead or self.closeAfterStream)

    def newStream(self, decoder: IStreamDecoder) -> H1ClientStream:
        """Begin a request; only while `reusable`."""
        if self._stream is not None or self.isDead or self.closeAfterStream:
            raise RuntimeError("one request at a time")
        count = self._count = self._count + 1
        self._decoder = decoder
        stream = self._stream = H1ClientStream(self, count)
        return stream

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the server.

        Raises:
            CodecError: the connection cannot go on.
        """
        if self.held:
            data = self.held + data
            self.held = b""
        seen = self._seen
        if self.whole is not None and seen is not None and data.startswith(seen):
            if self._takesWhole(data, len(seen)):
                return
        start = 0
        end = len(data)
        try:
            while 0 <= start < end and not self.isDead:
                if self._left:
                    start = self._readFixed(data, start)
                elif self._body is not None:
                    start = self._readBody(data, start)
                else:
                    start = self._readHead(data, start)
        except CodecError:
            self._reset(Reset.PROTOCOL_ERROR)
            raise

    def _readHead(self, data: bytes, start: int) -> int:
        """Read one head; gives the index behind it, -1 while it is not complete."""
        stream = self._stream
        if stream is None or not stream.asked[0] or stream.received:
            raise malformed()
        seen = self._seen
        if seen is not None and data.startswith(seen, start) and stream.asked == self._asked:
            self._readAgain(stream, seen)
            return start + len(seen)
        end = data.find(b"\r\n\r\n", start + self._scanned) + 4
        block = data[start:end] if end > 3 else b""
        lines = splitLines(block) if block else None
        if lines is None:
            end = findEnd(data, start + self._scanned)
        if end < 0:
            part = self.held = data[start:] if start else data
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
            self._asked = stream.asked
            self._seenHead = self._answers.find(stream.asked, block, lines)
            if self._seenHead is not None:
                stream.receivedWireBytes -= size
                return self._readHead(data, start)
        head = parseResponse(lines, size, stream.asked, self.settings, self._limits)
        self._answer(stream, head, head.headers)
        return end

    def _readAgain(self, stream: H1ClientStream, seen: bytes) -> None:
        """The head that came before on this connection has come again, byte for byte."""
        self._scanned = 0
        stream.receivedWireBytes += len(seen)
        head = self._seenHead
        if head is None or head.length <= 0 or head.closes or head.isInterim:
            self._answerAgain(stream, seen)
        else:
            stream.receivedHeaderBytes += head.headerBytes
            self._left = head.length
            self._decoder.decodeHeaders(head.headers.copy(), False)

    def _takesWhole(self, data: bytes, start: int) -> bool:
        """
        Give away an answer that is all of data, with the head that came before; False: it is read.

        Args:
            start: where its body begins.
        """
        head = self._seenHead
        stream = self._stream
        end = len(data)
        if (
            head is None
            or head.length != end - start
            or end == start
            or head.closes
            or head.isInterim
            or stream is None
            or stream.asked != self._asked
        ):
            return False
        stream.receivedHeaderBytes += head.headerBytes
        stream.receivedWireBytes += end
        if not self.whole.decodeWhole(head, data[start:]):
            stream.receivedHeaderBytes -= head.headerBytes
            stream.receivedWireBytes -= end
            return self.isDead  # then it was reset: there is nobody to tell
        self.whole = None
        self._scanned = 0
        stream.received = True
        if stream.sent:
            self.streamEnded(stream)
        return True

    def _answerAgain(self, stream: H1ClientStream, block: bytes) -> None:
        """The same of one that is not known yet, or that says more than how long its body is."""
        head = self._seenHead
        if head is None:
            lines = splitLines(block)
            assert lines is not None
            head = self._answers.find(self._asked, block, lines)
            if head is None:  # others have come meanwhile
                head = parseResponse(lines, len(block), self._asked, self.settings, self._limits)
            self._seenHead = head
        self._answer(stream, head, head.headers.copy())

    def _answer(self, stream: H1ClientStream, head: ResponseHead, headers: HeaderMap) -> None:
        """Give the headers to who asked, and get ready for the body."""
        stream.receivedHeaderBytes += head.headerBytes
        if head.isInterim:
            self._decoder.decode1xx(headers)
            return
        if head.closes or head.status == 101:
            self._willClose(stream, head)
        decoder = self._decoder
        length = head.length
        if length > 0:
            self._left = length
        elif length == CHUNKED:
            self._body = ChunkedBody(self._limits, self.settings.enableTrailers)
        elif length:
            self._body = RawBody()
        else:
            self._responseEnded(stream)
            decoder.decodeHeaders(headers, True)
            self._over(stream)
            return
        decoder.decodeHeaders(headers, False)

    def _willClose(self, stream: H1ClientStream, head: ResponseHead) -> None:
        """Nothing follows this response; where that is no tunnel the owner is told."""
        self.closeAfterStream = True
        if head.status == 101:
            stream.isTunnel = True
        if head.saysClose and not stream.isTunnel and (stream.sent or head.length):
            self.connection.closeNoticed()

    def _readFixed(self, data: bytes, start: int) -> int:
        """Decode what belongs to a body of a known length; gives the index behind it."""
        end = start + self._left
        size = len(data)
        stream = self._stream
        decoder = self._decoder
        if size < end:
            self._left = end - size
            stream.receivedWireBytes += size - start
            decoder.decodeData(data[start:] if start else data, False)
            return size
        self._left = 0
        stream.receivedWireBytes += end - start
        stream.received = True
        if not stream.sent:
            self.closeAfterStream = True
        decoder.decodeData(data[start:end], True)
        if stream.sent:
            self.streamEnded(stream)
        return end

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
            if not self.isDead:
                self._responseEnded(stream)
                decoder.decodeTrailers(trailers)
        self._over(stream)
        return following

    def _responseEnded(self, stream: H1ClientStream) -> None:
        """The response is whole; a request that is not can never share its connection."""
        stream.received = True
        if not stream.sent:
            self.closeAfterStream = True

    def _over(self, stream: H1ClientStream) -> None:
        if stream.sent:
            self.streamEnded(stream)

    def _reset(self, reason: Reset) -> None:
        """Nothing more is read; the stream is told."""
        stream, self._stream = self._stream, None
        self._die()
        if stream is None:
            return
        decoder = self._decoder
        del self._decoder
        stream.lost()
        self.connection.streamClosed()
        if not stream.received:
            decoder.streamReset(reason, "")

    # What the stream tells.

    def streamEnded(self, stream: H1ClientStream) -> None:
        """Both its directions have ended: another request may begin."""
        if self._stream is stream:
            self._stream = None
            del self._decoder
            while stream.pauses:
                stream.resumeReading()
            self.connection.streamClosed()

    def streamReset(self) -> None:
        """The owner gave up the stream; the connection is of no use."""
        super().streamReset()
        self.connection.streamClosed()

    # What the owner tells.

    def readConnectionLost(self) -> None:
        """
        The server will send no more: a body without a length ends, a tunnel ends in one direction.

        Raises:
            CodecError: it ended in the middle of a response.
        """
        self.closeAfterStream = True
        stream = self._stream
        if stream is None or stream.received:
            return
        if isinstance(self._body, RawBody):
            self._body = None
            decoder = self._decoder
            self._responseEnded(stream)
            decoder.decodeData(b"", True)
            self._over(stream)
        elif self._body is None and not (self.held or self._left):
            self._reset(Reset.CONNECTION_TERMINATION)
        else:
            self._reset(Reset.PROTOCOL_ERROR)
            raise malformed()

    def connectionLost(self, reason: Reset) -> None:
        """The connection is gone; in the middle of a response that is a fault of the server's."""
        if reason is Reset.CONNECTION_TERMINATION and self.isCut:
            reason = Reset.PROTOCOL_ERROR
        self._reset(reason)

    @property
    def isCut(self) -> bool:
        """An end would come in the middle of a response, which says how long it is."""
        stream = self._stream
        if stream is None or stream.received:
            return False
        return bool(self.held or self._left or isinstance(self._body, ChunkedBody))
