"""
The response to one HTTP/1.1 request, as its bytes.

Framing is ours: a length that is given stands; without one the body is chunked, or for HTTP/1.0
lasts until the close; no body is sent where none may be.

Envoy: source/common/http/http1/codec_impl.cc (StreamEncoderImpl, ResponseEncoderImpl)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from twisted_envoy.codec.h1.encode import (
    CHUNKED,
    CONTENT_LENGTH_0,
    CRLF,
    JOIN,
    PROPER,
    STATUS_LINES,
    STATUS_SIZE,
    fieldLines,
    responseLines,
    statusLine,
)
from twisted_envoy.codec.h1.fields import hasToken
from twisted_envoy.codec.h1.stream import H1Stream
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import JOINED, IResponseEncoder

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.server import H1ServerCodec

_BODILESS = (b"204", b"304")
_OK = len(STATUS_LINES[b"200"])


@implementer(IResponseEncoder)
class H1ServerStream(H1Stream):
    """
    One response's encoder (further attributes: H1Stream's).

    Attributes:
        head: the request's, once it is read.
        closes: the response says that no request may follow; none is read then.
    """

    __slots__ = ()

    codec: H1ServerCodec

    isFlushing = False
    flushed = None

    def encode1xx(self, headers: HeaderMap) -> None:
        """Send interim headers; HTTP/1.0 knows none."""
        protocol = self.head.protocol
        if not self._lost and protocol == "HTTP/1.1":
            case = self.codec.settings.headerCase
            self._write(
                statusLine(headers[b":status"], protocol) + fieldLines(headers, case) + CRLF
            )

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """Send the head."""
        if self._lost:
            return
        codec = self.codec
        if codec.queued and not (codec.full or codec.output.pieces):
            codec.queued = 0
        if b"connection" in headers and hasToken(headers, b"connection", b"close"):
            self.closes = True
        status = headers[b":status"]
        if codec.isPlain and headers.more is None and headers.cases is None:
            head = codec.heads.find(headers)
            if head is not None and not self.closes and self.head.isUsual:
                size = len(head)
                self.headerBytes += size - _OK - 2
                self.wireBytes += size
                codec.output.write(head)
                if endStream:
                    self._end()
                return
            usual = STATUS_LINES.get(status) if self.head.protocol == "HTTP/1.1" else None
            if usual is not None and next(iter(headers)) == b":status":
                self._encodeUsual(usual, status, headers, endStream)
                return
        self._encodeOther(status, headers, endStream)

    def takes(self, size: int) -> bool:
        """Whether so many bytes of a body can be sent at once."""
        return not self.codec.full

    def wholeHead(self, headers: HeaderMap) -> bytes | None:
        """What encodeWhole takes for a response with these headers; None: it is not known."""
        codec = self.codec
        return codec.heads.find(headers) if codec.isPlain else None

    def encodeWhole(self, head: bytes, body: bytes) -> None:
        """Send a whole response that it takes; the head says how long the body is."""
        codec = self.codec
        output = codec.output
        if codec.queued and not output.pieces:
            codec.queued = 0
        self.wireBytes += len(head) + len(body)
        self.headerBytes += len(head) - _OK - 2
        if len(body) <= JOINED:
            output.write(head + body)
        else:
            output.write(head)
            output.pieces.append(body)
        self._end()

    def _encodeUsual(self, line: bytes, status: bytes, headers: HeaderMap, endStream: bool) -> None:
        """Send a head whose fields have one value each; `:status` is the first."""
        isKept = status == b"200" and b"content-length" in headers
        if isKept:
            self._bodiless = self.head.method == b"HEAD"
            framing = b""
        else:
            framing = self._framing(status, headers, endStream)
        block = CRLF.join(map(JOIN, headers.items()))[STATUS_SIZE:]
        lines = len(headers) - 2
        if block and (block.count(b"\n") != lines or block.count(b"\r") != lines):
            block = fieldLines(headers)[:-2]
        if block:
            head = b"%b%b\r\n%b\r\n" % (line, block, framing)
        else:
            head = b"%b%b\r\n" % (line, framing)
        if isKept and not self.closes:
            self.codec.heads.keep(headers, head)
        self._send(head, len(line), endStream)

    def _send(self, head: bytes, line: int, endStream: bool) -> None:
        """Send a whole head; line: bytes of its first line."""
        size = len(head)
        self.headerBytes += size - line - 2
        self.wireBytes += size
        self.codec.output.write(head)
        if endStream:
            self._end()

    def _encodeOther(self, status: bytes, headers: HeaderMap, endStream: bool) -> None:
        settings = self.codec.settings
        line = statusLine(status, self.head.protocol)
        if headers.cases is not None and settings.preserveReasonPhrase:
            line = line[:13] + headers.cases.get(b":status", line[13:-2]) + CRLF
        case = settings.headerCase
        fields = responseLines(headers) if case == "lower" else fieldLines(headers, case)
        framing = self._framing(status, headers, endStream)
        if framing:
            fields += PROPER[framing] if case == "proper" else framing
        self.headerBytes += len(fields)
        self._write(b"%b%b\r\n" % (line, fields))
        if endStream:
            self._end()

    def _framing(self, status: bytes, headers: HeaderMap, endStream: bool) -> bytes:
        """The line that says how long the body is, if it is for us to say."""
        head = self.head
        isHead = head.method == b"HEAD"
        if b"content-length" in headers and status == b"200":
            self._bodiless = isHead
            return b""
        informational = status[:1] == b"1"
        opened = head.method == b"CONNECT" and status[:1] == b"2" or head.raw and status == b"101"
        bodiless = informational or status in _BODILESS
        self._bodiless = isHead or (bodiless and not opened)
        if bodiless or b"content-length" in headers:
            return b""
        if endStream and not isHead:
            return b"" if opened else CONTENT_LENGTH_0
        if head.protocol != "HTTP/1.1" or opened:
            return b""
        self._chunked = not isHead
        return CHUNKED

    def _end(self) -> None:
        self.sent = True
        self._producer = None
        codec = self.codec
        codec.queued += 1
        if self.received:
            codec.streamEnded(self)
