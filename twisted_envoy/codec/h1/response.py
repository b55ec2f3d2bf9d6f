"""
The head of an HTTP/1.1 response, and what follows it.

Envoy: source/common/http/http1/balsa_parser.cc, codec_impl.cc (ClientConnectionImpl)
"""

from __future__ import annotations

import re

from twisted_envoy.codec.h1.fields import (
    closesConnection,
    contentLength,
    malformed,
    readFields,
    spellings,
    splitLines,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

CHUNKED = -1
UNTIL_CLOSE = -2
RAW = -3
"""What `length` is when it is no number of bytes."""

_START = b"HTTP/"
_STATUS = re.compile(rb"HTTP/([0-9]\.[0-9])[ \t]+([0-9]{3})(?:[ \t]+([\t\x20-\x7e\x80-\xff]*))?")


class ResponseHead:
    """
    What a head says.

    Attributes:
        headers: `:status` and the fields.
        status: the number. reason: its phrase as sent.
        length: bytes of the body, or CHUNKED, UNTIL_CLOSE, RAW.
        closes: the connection ends with this response.
        headerBytes: of the fields, as Envoy counts them.
    """

    __slots__ = ("closes", "headerBytes", "headers", "length", "reason", "status")

    headers: HeaderMap
    status: int
    reason: bytes
    length: int
    closes: bool
    headerBytes: int


def checkStart(data: bytes) -> None:
    """
    Look at a head that is not complete yet.

    Raises:
        CodecError: it will never be a response.
    """
    if not _START.startswith(data[:5]):
        raise malformed()


def parseResponse(
    block: bytes, method: bytes, upgrade: bool, settings: HTTP1Settings, limits: HeaderLimits
) -> ResponseHead:
    """
    Read a whole head.

    Args:
        block: from the status line to the empty line, both included.
        method: of the request; upgrade: it asked for one.
    Raises:
        CodecError: it is no response.
    """
    lines = splitLines(block)
    found = _STATUS.fullmatch(lines[0].rstrip(b" \t"))
    if found is None:
        raise malformed()
    headers = HeaderMap()
    headers[b":status"] = found[2]
    readFields(lines, headers, limits.maxCount)
    if settings.headerCase == "preserve":
        headers.cases = spellings(lines)
    head = ResponseHead()
    head.headers = headers
    head.status = int(found[2])
    head.reason = found[3] or b""
    head.headerBytes = max(3, len(block) - len(lines[0]) - len(lines) - 3)
    protocol = "HTTP/1.1" if found[1] == b"1.1" else "HTTP/1.0"
    head.closes = closesConnection(protocol, headers)
    head.length = _length(head, method, upgrade, settings)
    if head.length < CHUNKED:
        head.closes = True
    return head


def _length(head: ResponseHead, method: bytes, upgrade: bool, settings: HTTP1Settings) -> int:
    headers = head.headers
    status = head.status
    length = contentLength(headers)
    opens = method == b"CONNECT" and 200 <= status <= 299
    bodiless = 100 <= status <= 199 or status == 204
    chunked = False
    if b"transfer-encoding" in headers:
        if (headers.joined(b"transfer-encoding") or b"").lower() != b"chunked":
            raise CodecError("http1.invalid_transfer_encoding")
        if length is not None and not opens:
            if not settings.allowChunkedLength:
                raise CodecError("http1.content_length_and_chunked_not_allowed")
            headers.remove(b"content-length")
        chunked = True
    if bodiless and not opens and (chunked or length):
        name = "transfer_encoding" if chunked else "content_length"
        raise CodecError(f"http1.{name}_not_allowed")
    if opens or (status == 101 and upgrade):
        return RAW
    if bodiless or status == 304 or method == b"HEAD":
        return 0
    if chunked:
        return CHUNKED
    return UNTIL_CLOSE if length is None else length
