"""
One HTTP/1.1 request, as its bytes.

Envoy: source/common/http/http1/codec_impl.cc (RequestEncoderImpl)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from twisted_envoy.codec.h1.encode import (
    CHUNKED,
    CONTENT_LENGTH_0,
    CRLF,
    JOIN,
    NO_ENDS,
    PROPER,
    fieldLines,
    withoutEnds,
)
from twisted_envoy.codec.h1.fields import hasToken
from twisted_envoy.codec.h1.stream import H1Stream
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamEncoder

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.client import H1ClientCodec

_COLON = 0x3A
_BODILESS = frozenset((b"GET", b"HEAD", b"DELETE", b"TRACE", b"CONNECT"))
"""Methods of which nobody expects a body, so that none need be denied."""

_AROUND = len(b"  HTTP/1.1\r\n\r\n")
_GET = (b"GET", False)


@implementer(IStreamEncoder)
class H1ClientStream(H1Stream):
    """
    One request's encoder (further attributes: H1Stream's).

    Attributes:
        asked: its method, b"" before the head is sent, and whether it asks for an upgrade.
        isTunnel: CONNECT, or the answer was 101: nothing follows it on the connection.
    """

    __slots__ = ()

    codec: H1ClientCodec

    def encode1xx(self, headers: HeaderMap) -> None:
        """Clients have none."""

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """Send the head."""
        if self._lost:
            return
        codec = self.codec
        method = headers[b":method"]
        if endStream and codec.isPlain and headers.more is None:
            head = codec.heads.find(headers)
            if head is not None:
                self.asked = _GET if method == b"GET" else (method, False)
                size = self.wireBytes = len(head)
                self.headerBytes = size - len(method) - len(headers[b":path"]) - _AROUND
                codec.output.write(head)
                self.sent = True
                return
        self.asked = _GET if method == b"GET" else (method, False)
        if (
            codec.isPlain
            and headers.more is None
            and b"upgrade" not in headers
            and method != b"CONNECT"
            and b":authority" in headers
        ):
            self._encodePlain(method, headers, endStream)
            return
        self.isTunnel = method == b"CONNECT"
        upgrade = b"upgrade" in headers and hasToken(headers, b"connection", b"upgrade")
        self.asked = (method, upgrade)
        case = codec.settings.headerCase
        fields = self._host(headers, case) + fieldLines(headers, case)
        fields += self._framing(headers, endStream)
        self.headerBytes += len(fields)
        target = self._target(method, headers).translate(NO_ENDS)
        self._write(b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, fields))
        if endStream:
            super()._end()

    def carry(self, head: bytes, asked: tuple[bytes, bool], path: int) -> None:
        """
        Send a whole request, as its bytes.

        Args:
            asked: as the attribute. path: its bytes.
        """
        self.asked = asked
        size = self.wireBytes = len(head)
        self.headerBytes = size - len(asked[0]) - path - _AROUND
        self.sent = True
        self.codec.output.write(head)

    def _encodePlain(self, method: bytes, headers: HeaderMap, endStream: bool) -> None:
        """Send a head whose fields have one value each, with names as they are."""
        path = headers[b":path"]
        authority = headers[b":authority"]
        framing = b"" if endStream and method == b"GET" else self._framing(headers, endStream)
        block = CRLF.join(map(JOIN, headers.items()))
        begins = b":method: %b\r\n:path: %b\r\n:authority: %b" % (method, path, authority)
        ends = len(headers) - 1
        if not block.startswith(begins) or block.count(b"\n") != ends or block.count(b"\r") != ends:
            head = self._oddHead(method, headers, framing)
        else:
            fields = block[len(begins) :]
            scheme = headers.get(b":scheme")
            if scheme is not None:
                fields = fields.replace(b"\r\n:scheme: " + scheme, b"", 1)
            head = b"%b %b HTTP/1.1\r\nhost: %b%b\r\n%b\r\n" % (
                *(method, path, authority, fields, framing),
            )
        if endStream and not framing:
            self.codec.heads.keep(headers, head)
        self._send(head, method, headers)
        if endStream:
            self.sent = True

    def _send(self, head: bytes, method: bytes, headers: HeaderMap) -> None:
        size = self.wireBytes = len(head)
        self.headerBytes = size - len(method) - len(headers[b":path"]) - _AROUND
        self.codec.output.write(head)

    def _oddHead(self, method: bytes, headers: HeaderMap, framing: bytes) -> bytes:
        """The same in any order, and with values that have to be cleaned."""
        lines = [JOIN(pair) for pair in headers.items() if pair[0][0] != _COLON]
        lines.append(framing)
        fields = b"host: %b\r\n%b" % (headers[b":authority"], CRLF.join(lines))
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, headers[b":path"], fields)
        ends = len(lines) + 3 if framing else len(lines) + 2
        if head.count(b"\n") != ends or head.count(b"\r") != ends:
            return self._oddHead(method.translate(NO_ENDS), withoutEnds(headers), framing)
        return head

    def _target(self, method: bytes, headers: HeaderMap) -> bytes:
        if method == b"CONNECT":
            return headers[b":authority"]
        path = headers[b":path"]
        if self.codec.settings.absoluteRequests and b":authority" in headers:
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
        method, upgrade = self.asked
        if endStream:
            if method not in _BODILESS:
                line = CONTENT_LENGTH_0
        elif not upgrade and method != b"CONNECT":
            self._chunked = True
            line = CHUNKED
        return PROPER[line] if self.codec.settings.headerCase == "proper" else line

    def _end(self) -> None:
        super()._end()
        if self.isTunnel and not self.received:
            self.codec.connection.tunnelEnded()
