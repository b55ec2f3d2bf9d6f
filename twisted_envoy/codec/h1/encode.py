"""
Heads and chunks of HTTP/1.1 as they go out.

Envoy: source/common/http/http1/codec_impl.cc (StreamEncoderImpl), header_formatter.cc
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from twisted_envoy.codec.headers import HeaderMap

CRLF = b"\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CONTENT_LENGTH_0 = b"content-length: 0\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
PROPER = {
    b"": b"",
    CONTENT_LENGTH_0: b"Content-Length: 0\r\n",
    CHUNKED: b"Transfer-Encoding: chunked\r\n",
}
"""The same lines with proper case; never changed."""

_COPIED = 4096
"""Bytes of a chunk below which one piece with a copy is cheaper than three without."""

_JOIN: Callable[[tuple[bytes, bytes]], bytes] = b": ".join
_COLON = 0x3A

_REASONS = {
    **{int(status): status.phrase for status in HTTPStatus},
    **{302: "Found", 413: "Payload Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable"},
    **{422: "Unprocessable Entity", 418: "Unknown", 103: "Early Hints", 425: "Too Early"},
}

STATUS_LINES = {
    str(status).encode(): f"HTTP/1.1 {status} {reason}\r\n".encode()
    for status, reason in _REASONS.items()
}
"""Of the statuses that have a reason; never changed."""


def statusLine(status: bytes, protocol: str) -> bytes:
    """The first line of a response, with its end."""
    line = STATUS_LINES.get(status) or b"HTTP/1.1 " + status + b" Unknown\r\n"
    return line if protocol == "HTTP/1.1" else b"HTTP/1.0" + line[8:]


def proper(name: bytes) -> bytes:
    """`x-request-id` as `X-Request-Id`; Envoy raises what follows any byte that is no letter."""
    spelt = bytearray(name)
    raises = True
    for index, byte in enumerate(spelt):
        if raises and 0x61 <= byte <= 0x7A:
            spelt[index] = byte - 0x20
        raises = not (0x61 <= byte <= 0x7A or 0x41 <= byte <= 0x5A or 0x30 <= byte <= 0x39)
    return bytes(spelt)


def fieldLines(headers: HeaderMap, case: str = "lower") -> bytes:
    """
    All fields but pseudo-headers, each with its line's end.

    Args:
        case: `lower`, `proper` or `preserve`.
    """
    if headers.more or case != "lower":
        return _fieldLines(headers, case)
    lines = [_JOIN(pair) for pair in headers.items() if pair[0][0] != _COLON]
    lines.append(b"")
    return CRLF.join(lines)


def _fieldLines(headers: HeaderMap, case: str) -> bytes:
    lines = []
    cases = (headers.cases if case == "preserve" else None) or {}
    for name, value in headers.pairs():
        if name[:1] != b":":
            spelt = proper(name) if case == "proper" else cases.get(name, name)
            lines.append(spelt + b": " + value)
    lines.append(b"")
    return CRLF.join(lines)


def writeChunk(write: Callable[[bytes], None], data: bytes) -> int:
    """Send data, which must not be empty, as one chunk; gives how many bytes that were."""
    size = len(data)
    if size < _COPIED:
        piece = b"%x\r\n%b\r\n" % (size, data)
        write(piece)
        return len(piece)
    line = b"%x\r\n" % size
    write(line)
    write(data)
    write(CRLF)
    return len(line) + size + 2
