"""
One HTTP/1.1 request, as its bytes.

Envoy: source/common/http/http1/codec_impl.cc (RequestEncoderImpl)
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
    NO_ENDS,
    PROPER,
    fieldLines,
    withoutEnds,
    writeChunk,
)
from twisted_envoy.codec.h1.fields import hasToken
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamEncoder, Reset

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.client import H1ClientCodec

_COLON = 0x3A
_BODILESS = frozenset((b"GET", b"HEAD", b"DELETE", b"TRACE", b"CONNECT"))
"""Methods of which nobody expects a body, so that none need be denied."""


@implementer(IStreamEncoder)
class H1ClientStream:
    """
    One request's encoder.

    Attributes:
        method: of the request; upgrade: it asks for one.
        begun: the head is sent.
        receivedHeaderBytes, receivedWireBytes: of the response so far.
        requested: the request is sent to its end; responded: the response is decoded to its end.
        pauses: how often reading is paused for this stream.
    """

    __slots__ = (
        *("_chunked", "_codec", "_lost", "_producer", "begun", "headerBytes", "method", "pauses"),
        *("receivedHeaderBytes", "receivedWireBytes", "requested", "responded"),
        *("streamID", "upgrade", "wireBytes"),
    )

    def __init__(self, codec: H1ClientCodec, streamID: int) -> None:
        self._codec = codec
        self.streamID = streamID
        self._producer: IPushProducer | None = None
        self._chunked = self._lost = False
        self.begun = self.requested = self.responded = self.upgrade = False
        self.method = b""
        self.headerBytes = self.wireBytes = 0
        self.receivedHeaderBytes = self.receivedWireBytes = 0
        self.pauses = 0

    def encode1xx(self, headers: HeaderMap) -> None:
        """Clients have none."""

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """Send the head."""
        if self._lost:
            return
        codec = self._codec
        method = self.method = headers[b":method"]
        self.begun = True
        if (
            codec.isPlain
            and headers.more is None
            and b"upgrade" not in headers
            and method != b"CONNECT"
            and b":authority" in headers
        ):
            self._encodePlain(method, headers, endStream)
            return
        self.upgrade = b"upgrade" in headers and hasToken(headers, b"connection", b"upgrade")
        case = codec.settings.headerCase
        fields = self._host(headers, case) + fieldLines(headers, case)
        fields += self._framing(headers, endStream)
        self.headerBytes += len(fields)
        target = self._target(headers).translate(NO_ENDS)
        self._write(b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, fields))
        if endStream:
            self._end()

    def _encodePlain(self, method: bytes, headers: HeaderMap, endStream: bool) -> None:
        """Send a head whose fields have one value each, with names as they are."""
        lines = [JOIN(pair) for pair in headers.items() if pair[0][0] != _COLON]
        lines.append(self._framing(headers, endStream))
        authority = headers[b":authority"]
        fields = b"host: %b\r\n%b" % (authority, CRLF.join(lines))
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, headers[b":path"], fields)
        ends = len(lines) + 3 if lines[-1] else len(lines) + 2
        if head.count(b"\n") != ends or head.count(b"\r") != ends:
            self._encodePlain(method, withoutEnds(headers), endStream)
            return
        self.headerBytes += len(fields)
        self.wireBytes += len(head)
        self._codec.output.write(head)
        if endStream:
            self._end()

    def _target(self, headers: HeaderMap) -> bytes:
        if self.method == b"CONNECT":
            return headers[b":authority"]
        path = headers[b":path"]
        if self._codec.settings.absoluteRequests and b":authority" in headers:
            scheme = headers.get(b":scheme", b"http")
            return b"%b://%b%b" % (scheme, headers[b":authority"], path)
        return path

    def _host(self, headers: HeaderMap, case: str) -> bytes:
        authority = headers.get(b":authority")
        if authority is None:
            return b""
        authority = authority.translate(NO_ENDS)
        if case == "lower":
            return b"host: " + authority + CRLF
        if case == "proper":
            return b"Host: " + authority + CRLF
        name = headers.cases.get(b"host", b"host") if headers.cases else b"host"
        return name + b": " + authority + CRLF

    def _framing(self, headers: HeaderMap, endStream: bool) -> bytes:
        """The line that says how long the body is, if it is for us to say."""
        line = b""
        if b"content-length" in headers:
            return line
        if endStream:
            if self.method not in _BODILESS:
                line = CONTENT_LENGTH_0
        elif not self.upgrade and self.method != b"CONNECT":
            self._chunked = True
            line = CHUNKED
        return PROPER[line] if self._codec.settings.headerCase == "proper" else line

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Send body bytes."""
        if self._lost or self.requested:
            return
        if self._chunked:
            if data or endStream:
                self.wireBytes += writeChunk(self._codec.output.write, data, endStream)
        elif data:
            self._write(data)
        if endStream:
            self._end()

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Send trailers if they are wanted and can be; the request ends."""
        if self._lost or self.requested:
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
        self.requested = True
        self._producer = None
        if self.responded:
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
        """Who makes the request's body; paused at once when the transport is full."""
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
