"""
The response to one HTTP/1.1 request, as its bytes.

Framing is ours: a length that is given stands; without one the body is chunked, or for HTTP/1.0
lasts until the close; no body is sent where none may be.

Envoy: source/common/http/http1/codec_impl.cc (StreamEncoderImpl, ResponseEncoderImpl)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.h1.encode import (
    CHUNKED,
    CONTENT_LENGTH_0,
    CRLF,
    JOIN,
    LAST_CHUNK,
    PROPER,
    STATUS_LINES,
    STATUS_SIZE,
    fieldLines,
    responseLines,
    statusLine,
    writeChunk,
)
from twisted_envoy.codec.h1.fields import hasToken
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamEncoder, Reset

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.request import RequestHead
    from twisted_envoy.codec.h1.server import H1ServerCodec

_BODILESS = (b"204", b"304")


@implementer(IStreamEncoder)
class H1ServerStream:
    """
    One request's encoder.

    Attributes:
        receivedHeaderBytes, receivedWireBytes: of the request so far.
        requested: the request is decoded to its end; responded: the response is sent to its end.
        closes: the response says that no request may follow; none is read then.
        pauses: how often reading is paused for this stream.
    """

    __slots__ = (
        *("_bodiless", "_chunked", "_codec", "_connect", "_head", "_lost", "_producer"),
        *("_protocol", "headerBytes", "pauses", "receivedHeaderBytes", "receivedWireBytes"),
        *("closes", "requested", "responded", "streamID", "wireBytes", "_raw"),
    )

    def __init__(self, codec: H1ServerCodec, streamID: int) -> None:
        self._codec = codec
        self.streamID = streamID
        self._producer: IPushProducer | None = None
        self._head = self._connect = self._raw = False
        self._protocol = "HTTP/1.1"
        self._bodiless = self._chunked = self._lost = False
        self.requested = self.responded = self.closes = False
        self.headerBytes = self.wireBytes = 0
        self.receivedHeaderBytes = self.receivedWireBytes = 0
        self.pauses = 0

    def begun(self, head: RequestHead) -> None:
        """The request has this head."""
        method = head.method
        self._head = method == b"HEAD"
        self._connect = method == b"CONNECT"
        self._raw = head.raw
        self._protocol = head.protocol

    def encode1xx(self, headers: HeaderMap) -> None:
        """Send interim headers; HTTP/1.0 knows none."""
        if not self._lost and self._protocol == "HTTP/1.1":
            case = self._codec.settings.headerCase
            self._write(
                statusLine(headers[b":status"], self._protocol) + fieldLines(headers, case) + CRLF
            )

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """Send the head."""
        if self._lost:
            return
        codec = self._codec
        if codec.queued and not (codec.full or codec.output.pending):
            codec.queued = 0
        if b"connection" in headers and hasToken(headers, b"connection", b"close"):
            self.closes = True
        status = headers[b":status"]
        if headers.more is None and headers.cases is None and codec.settings.headerCase == "lower":
            usual = STATUS_LINES.get(status) if self._protocol == "HTTP/1.1" else None
            if usual is not None and next(iter(headers)) == b":status":
                self._encodeUsual(usual, status, headers, endStream)
                return
        line = statusLine(status, self._protocol)
        if headers.cases is not None and codec.settings.preserveReasonPhrase:
            line = line[:13] + headers.cases.get(b":status", line[13:-2]) + CRLF
        case = codec.settings.headerCase
        fields = responseLines(headers) if case == "lower" else fieldLines(headers, case)
        framing = self._framing(status, headers, endStream)
        if framing:
            fields += PROPER[framing] if case == "proper" else framing
        self.headerBytes += len(fields)
        self._write(b"%b%b\r\n" % (line, fields))
        if endStream:
            self._end()

    def _encodeUsual(self, line: bytes, status: bytes, headers: HeaderMap, endStream: bool) -> None:
        """Send a head whose fields have one value each; `:status` is the first."""
        if status == b"200" and b"content-length" in headers:
            self._bodiless = self._head
            framing = b""
        else:
            framing = self._framing(status, headers, endStream)
        block = CRLF.join(map(JOIN, headers.items()))[STATUS_SIZE:]
        lines = len(headers) - 2
        if block and (block.count(b"\n") != lines or block.count(b"\r") != lines):
            block = fieldLines(headers)[:-2]
        head = b"%b%b%b\r\n" % (line, block + CRLF if block else b"", framing)
        size = len(head)
        self.headerBytes += size - len(line) - 2
        self.wireBytes += size
        self._codec.output.write(head)
        if endStream:
            self._end()

    def _framing(self, status: bytes, headers: HeaderMap, endStream: bool) -> bytes:
        """The line that says how long the body is, if it is for us to say."""
        if b"content-length" in headers and status == b"200":
            self._bodiless = self._head
            return b""
        informational = status[:1] == b"1"
        opened = self._connect and status[:1] == b"2" or self._raw and status == b"101"
        self._bodiless = self._head or status in _BODILESS or (informational and not opened)
        if informational or status in _BODILESS or b"content-length" in headers:
            return b""
        if endStream and not self._head:
            return b"" if opened else CONTENT_LENGTH_0
        if self._protocol != "HTTP/1.1" or opened or (endStream and not self._head):
            return b""
        self._chunked = not self._head
        return CHUNKED

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Send body bytes."""
        if self._lost or self.responded:
            return
        if self._chunked:
            if data or endStream:
                self.wireBytes += writeChunk(self._codec.output.write, data, endStream)
        elif data and not self._bodiless:
            self._write(data)
        if endStream:
            self._end()

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Send trailers if they are wanted and can be; the response ends."""
        if self._lost or self.responded:
            return
        if self._chunked:
            if self._codec.settings.enableTrailers and trailers:
                lines = fieldLines(trailers)
                self.headerBytes += len(lines)
                self._write(b"0\r\n" + lines + CRLF)
            else:
                self._write(LAST_CHUNK)
        self._end()

    def _write(self, data: bytes) -> None:
        self.wireBytes += len(data)
        self._codec.output.write(data)

    def _end(self) -> None:
        self.responded = True
        self._producer = None
        self._codec.queued += 1
        if self.requested:
            self._codec.streamEnded(self)

    def resetStream(self, reason: Reset) -> None:
        """Send and decode nothing more; the owner must close."""
        if not (self._lost or (self.requested and self.responded)):
            while self.pauses:
                self.resumeReading()
            self.lost()
            self._codec.streamReset()

    def lost(self) -> None:
        """Nothing can be sent any more."""
        self._lost = True
        self._producer = None

    # Back-pressure.

    def registerProducer(self, producer: IPushProducer | None) -> None:
        """Who makes the response; paused at once when the transport is full."""
        self._producer = producer
        if producer is not None and self._codec.full:
            producer.pauseProducing()

    def pauseProducer(self, paused: bool) -> None:
        """The transport is full, or is not any more."""
        producer = self._producer
        if producer is None:
            return
        if paused:
            producer.pauseProducing()
        else:
            producer.resumeProducing()

    def pauseReading(self) -> None:
        """Stop reading the connection; what has been read already is decoded still."""
        if not (self._lost or (self.requested and self.responded)):
            self.pauses += 1
            self._codec.pauseReading(True)

    def resumeReading(self) -> None:
        """Read again."""
        if self.pauses:
            self.pauses -= 1
            self._codec.pauseReading(False)

    def setBufferLimit(self, limit: int) -> None:
        """The transport's own limit is what counts."""
