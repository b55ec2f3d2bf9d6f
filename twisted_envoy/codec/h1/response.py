"""
The head of an HTTP/1.1 response, and what follows it.

Envoy: source/common/http/http1/balsa_parser.cc, codec_impl.cc (ClientConnectionImpl)
"""

from __future__ import annotations

import re
from typing import Any

from twisted_envoy.codec.h1.encode import STATUS_LINES
from twisted_envoy.codec.h1.fields import (
    closesConnection,
    contentLength,
    malformed,
    readFields,
    spellings,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

CHUNKED = -1
UNTIL_CLOSE = -2
RAW = -3
"""What `length` is when it is no number of bytes."""

_START = b"HTTP/"
_STATUS = re.compile(
    rb"HTTP/([0-9]\.[0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+([\t\x20-\x7e\x80-\xff]*))?"
)
_USUAL = {line[:-2]: status for status, line in STATUS_LINES.items()}
"""Status lines that need no look; never changed."""


class ResponseHead:
    """
    What a head says.

    Attributes:
        headers: `:status` and the fields.
        status: the number.
        length: bytes of the body, or CHUNKED, UNTIL_CLOSE, RAW.
        closes: the connection ends with this response. saysClose: so its headers or version say.
        isInterim: another response follows.
        headerBytes: of the fields, as Envoy counts them.
        carried: what those who carry such answers keep with it; None before.
    """

    __slots__ = (
        *("carried", "closes", "headerBytes", "headers", "isInterim", "length", "saysClose"),
        "status",
    )

    headers: HeaderMap
    status: int
    length: int
    closes: bool
    saysClose: bool
    isInterim: bool
    headerBytes: int

    def __init__(self) -> None:
        self.carried: Any = None


def checkStart(data: bytes) -> None:
    """
    Look at a head that is not complete yet.

    Raises:
        CodecError: it will never be a response.
    """
    if not _START.startswith(data[:5]):
        raise malformed()


def parseStatusLine(line: bytes) -> tuple[bool, bytes, bytes]:
    """
    Read the first line.

    Returns:
        Whether the version is 1.1, the status, and its reason.
    Raises:
        CodecError: it is malformed.
    """
    found = _STATUS.fullmatch(line.rstrip(b" \t"))
    if found is None:
        raise malformed()
    return found[1] == b"1.1", found[2], found[3] or b""


def parseResponse(
    lines: list[bytes],
    size: int,
    asked: tuple[bytes, bool],
    settings: HTTP1Settings,
    limits: HeaderLimits,
) -> ResponseHead:
    """
    Read a whole head.

    Args:
        lines: without their ends. size: bytes of the head.
        asked: the method of the request, and whether it asked for an upgrade.
    Raises:
        CodecError: it is no response.
    """
    line = lines[0]
    status = _USUAL.get(line)
    current, reason = True, b""
    if status is None or settings.preserveReasonPhrase:
        current, status, reason = parseStatusLine(line)
    headers = HeaderMap()
    headers[b":status"] = status
    readFields(lines, headers, limits.maxCount)
    if settings.headerCase == "preserve":
        headers.cases = spellings(lines)
        if settings.preserveReasonPhrase:
            headers.cases[b":status"] = reason
    head = ResponseHead()
    head.headers = headers
    head.status = int(status)
    head.isInterim = 100 <= head.status <= 199 and head.status != 101
    head.headerBytes = max(3, size - len(lines[0]) - len(lines) - 3)
    head.closes = closesConnection("HTTP/1.1" if current else "HTTP/1.0", headers)
    head.saysClose = head.closes
    head.length = _length(head, *asked, settings)
    if head.length < CHUNKED:
        head.closes = True
    return head


def _length(head: ResponseHead, method: bytes, upgrade: bool, settings: HTTP1Settings) -> int:
    headers = head.headers
    status = head.status
    length = contentLength(headers)
    chunked = b"transfer-encoding" in headers
    if chunked:
        if (headers.joined(b"transfer-encoding") or b"").lower() != b"chunked":
            raise CodecError("http1.invalid_transfer_encoding")
        if length is not None:
            if not settings.allowChunkedLength:
                raise CodecError("http1.content_length_and_chunked_not_allowed")
            headers.remove(b"content-length")
    bodiless = 100 <= status <= 199 or status == 204
    if bodiless:
        if chunked:
            raise CodecError("http1.transfer_encoding_not_allowed")
        if length:
            raise CodecError("http1.content_length_not_allowed")
        headers.remove(b"content-length")
    if method == b"CONNECT" and 200 <= status <= 299:
        return RAW
    if status == 101 and upgrade and b"upgrade" in headers:
        return RAW
    if bodiless or status == 304 or method == b"HEAD":
        return 0
    if chunked:
        return CHUNKED
    return UNTIL_CLOSE if length is None else length
