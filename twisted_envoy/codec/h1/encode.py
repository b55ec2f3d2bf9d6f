"""
Heads and chunks of HTTP/1.1 as they go out.

Envoy: source/common/http/http1/codec_impl.cc (StreamEncoderImpl), header_formatter.cc
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.codec.headers import HeaderMap

CRLF = b"\r\n"
LAST_CHUNK = b"0\r\n\r\n"
_BEHIND_LAST = CRLF + LAST_CHUNK
CONTENT_LENGTH_0 = b"content-length: 0\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
PROPER = {
    b"": b"",
    CONTENT_LENGTH_0: b"Content-Length: 0\r\n",
    CHUNKED: b"Transfer-Encoding: chunked\r\n",
}
"""The same lines with proper case; never changed."""

_BEFORE_FIELDS = len(b":status: \r\n")

_COPIED = 4096
"""Bytes of a chunk below which one piece with a copy is cheaper than three without."""

STATUS_SIZE = _BEFORE_FIELDS + 3
"""Of a `:status` of three digits, joined like a field."""

JOIN: Callable[[tuple[bytes, bytes]], bytes] = b": ".join
_COLON = 0x3A
NO_ENDS = bytes.maketrans(b"\r\n\0", b"   ")
"""For `bytes.translate`: what filters and formats put into a value cannot begin another line."""

_REASONS = {
    100: "Continue",
    101: "Switching Protocols",
    200: "OK",
    201: "Created",
    202: "Accepted",
    203: "Non-Authoritative Information",
    204: "No Content",
    205: "Reset Content",
    206: "Partial Content",
    207: "Multi-Status",
    208: "Already Reported",
    226: "IM Used",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    305: "Use Proxy",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Payload Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    422: "Unprocessable Entity",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    506: "Variant Also Negotiates",
    507: "Insufficient Storage",
    508: "Loop Detected",
    510: "Not Extended",
    511: "Network Authentication Required",
    599: "Last Unassigned Server Error Code",
}
"""Those that Envoy has; all others are `Unknown`."""

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
    lines = [JOIN(pair) for pair in headers.items() if pair[0][0] != _COLON]
    lines.append(b"")
    return _checked(CRLF.join(lines), lines)


def responseLines(headers: HeaderMap) -> bytes:
    """fieldLines in lower case, of a response: its one pseudo-header is cut away."""
    if headers.more or next(iter(headers)) != b":status":
        return fieldLines(headers)
    block = CRLF.join(map(JOIN, headers.items()))
    if block.count(b"\n") != len(headers) - 1 or block.count(b"\r") != len(headers) - 1:
        return fieldLines(headers)
    end = len(headers[b":status"]) + _BEFORE_FIELDS
    return block[end:] + CRLF if len(block) > end else b""


def _fieldLines(headers: HeaderMap, case: str) -> bytes:
    lines = []
    cases = (headers.cases if case == "preserve" else None) or {}
    for name, value in headers.pairs():
        if name[:1] != b":":
            spelt = proper(name) if case == "proper" else cases.get(name, name)
            lines.append(spelt + b": " + value)
    lines.append(b"")
    return _checked(CRLF.join(lines), lines)


def withoutEnds(headers: HeaderMap) -> HeaderMap:
    """The same fields, one value each, without ends of lines in them."""
    pairs = ((name.translate(NO_ENDS), value.translate(NO_ENDS)) for name, value in headers.pairs())
    return HeaderMap(pairs)


def _checked(block: bytes, lines: list[bytes]) -> bytes:
    """What a filter or a format put into a value cannot begin another line: it becomes blanks."""
    ends = len(lines) - 1
    if block.count(b"\n") == ends and block.count(b"\r") == ends:
        return block
    return CRLF.join([line.translate(NO_ENDS) for line in lines])


def writeChunk(write: Callable[[bytes], None], data: bytes, last: bool) -> int:
    """
    Send data as one chunk, and the end of the body if it is the last one.

    Returns:
        How many bytes that were.
    """
    size = len(data)
    behind = CRLF
    if last:
        behind = _BEHIND_LAST if size else LAST_CHUNK
    if size < _COPIED:
        piece = b"%x\r\n%b%b" % (size, data, behind) if size else behind
        write(piece)
        return len(piece)
    line = b"%x\r\n" % size
    write(line)
    write(data)
    write(behind)
    return len(line) + size + len(behind)
