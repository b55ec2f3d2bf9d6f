"""
Header fields of HTTP/1.1: where a block of them ends, and what is in it.

A block is found and bounded before anything of it is read. What is usual (CRLF, no folded lines) is
split and looked up; anything else goes line by line. Leniencies are those of Envoy 1.40 (observed):
bare line feeds, folded lines (joined with their blanks), carriage returns beside a line feed, empty
values, any byte above 0x7f in a value. The rest is refused.

Envoy: source/common/http/http1/balsa_parser.cc, codec_impl.cc
"""

from __future__ import annotations

import re

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError

CODEC_ERROR = "http1.codec_error"
INVALID_CHARACTERS = "http1.invalid_characters"
_TOO_LARGE_BODY = b"Request Header Fields Too Large"

_CONTROLS = bytes(byte for byte in range(0x20) if byte != 0x09) + b"\x7f"
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BLANK = (b" ", b"\t")
_DIGITS = re.compile(rb"[0-9]{1,24}")
_MOST_LENGTH = 2**64 - 1
_FRAMING = (b"content-length", b"transfer-encoding")

_KNOWN = (
    *("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Accept-Ranges"),
    *("Access-Control-Allow-Origin", "Access-Control-Request-Headers", "Age", "Allow", "Alt-Svc"),
    *("Access-Control-Request-Method", "Authorization", "Cache-Control", "Connection"),
    *("Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length"),
    *("Content-Location", "Content-Range", "Content-Security-Policy", "Content-Type", "Cookie"),
    *("DNT", "Date", "ETag", "Expect", "Expires", "Forwarded", "From", "Host", "If-Match"),
    *("If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive"),
    *("Last-Modified", "Link", "Location", "Max-Forwards", "Origin", "Pragma", "Priority"),
    *("Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Range", "Referer"),
    *("Retry-After", "Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform", "Sec-Fetch-Dest"),
    *("Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Sec-WebSocket-Accept"),
    *("Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol"),
    *("Sec-WebSocket-Version", "Server", "Set-Cookie", "Strict-Transport-Security", "TE"),
    *("Traceparent", "Tracestate", "Trailer", "Transfer-Encoding", "Upgrade"),
    *("Upgrade-Insecure-Requests", "User-Agent", "Vary", "Via", "WWW-Authenticate", "Warning"),
    *("X-Content-Type-Options", "X-Envoy-Attempt-Count", "X-Envoy-Expected-Rq-Timeout-Ms"),
    *("X-Envoy-Upstream-Service-Time", "X-Forwarded-For", "X-Forwarded-Host"),
    *("X-Forwarded-Proto", "X-Frame-Options", "X-Powered-By", "X-Real-IP", "X-Request-ID"),
    *("X-Request-Id", "X-Requested-With"),
)
_NAMES = {
    spelling: name.lower().encode()
    for name in _KNOWN
    for spelling in (name.encode(), name.lower().encode())
}
"""Spelling -> name, for those that need no check; never changed."""


def malformed() -> CodecError:
    """What a peer did that Envoy's parser does not take."""
    return CodecError(CODEC_ERROR)


def tooLarge(details: str = "http1.headers_too_large") -> CodecError:
    """More header bytes, or fields, than allowed."""
    return CodecError(details, 431, _TOO_LARGE_BODY)


def findEnd(data: bytes, start: int) -> int:
    """
    Where a block of lines ends that has an empty line at its end.

    Returns:
        The index behind the empty line; -1 while there is none.
    """
    end = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, end + 1) if end >= 0 else data.find(b"\n\n", start)
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else -1


def splitLines(block: bytes) -> list[bytes] | None:
    """
    The lines of a block that ends with an empty one; that one is left out.

    Returns:
        None for a block with control characters beside CRLF: it may end earlier, and it is for
        oddLines.
    """
    lines = block.split(b"\r\n")
    if len(block) - len(block.translate(None, _CONTROLS)) != 2 * len(lines) - 2:
        return None
    del lines[-2:]
    return lines


def oddLines(block: bytes) -> list[bytes]:
    """
    The same for a block with bare line feeds or other control characters.

    Raises:
        CodecError: there are some that belong nowhere.
    """
    if hasForbidden(block):
        raise CodecError(INVALID_CHARACTERS)
    lines = [line.rstrip(b"\r") for line in block.split(b"\n")]
    del lines[-2:]
    return [lines[0], *map(_withoutReturns, lines[1:])] if b"\r" in b"".join(lines) else lines


def _withoutReturns(line: bytes) -> bytes:
    """Carriage returns inside a value are taken out; in what says how long a body is, refused."""
    name, colon, value = line.partition(b":")
    if b"\r" not in value:
        return line
    if name.lower() in _FRAMING:
        raise malformed()
    return name + colon + value.replace(b"\r", b"")


def hasForbidden(data: bytes) -> bool:
    """Is there a control character that belongs nowhere?"""
    return _FORBIDDEN.search(data) is not None


def readFields(lines: list[bytes], headers: HeaderMap, most: int) -> None:
    """
    Add the fields of all lines but the first, which is no field.

    Args:
        most: so many there may be.
    Raises:
        CodecError: one is no field, or there are too many.
    """
    if len(lines) - 1 > most and sum(line[:1] not in _BLANK for line in lines[1:]) > most:
        raise tooLarge("http1.too_many_headers")
    known = _NAMES.get
    name: bytes | None = None
    fields = iter(lines)
    next(fields)
    for line in fields:
        spelling, colon, value = line.partition(b":")
        found = known(spelling)
        if found is None:
            if line[:1] in _BLANK:
                _unfold(line, name, headers)
                continue
            found = checkedName(spelling)
        if not colon:
            raise malformed()
        name = found
        if name in headers:
            headers.add(name, value.strip())
        else:
            headers[name] = value.strip()


def _unfold(line: bytes, name: bytes | None, headers: HeaderMap) -> None:
    """Join a folded line to the newest value of the name before it."""
    if name is None:
        raise malformed()
    more = headers.more
    if more is not None and name in more:
        more[name][-1] = (more[name][-1] + line).strip()
    else:
        headers[name] = (headers[name] + line).strip()


def checkedName(spelling: bytes) -> bytes:
    """
    The name that a spelling stands for.

    Raises:
        CodecError: it is none.
    """
    if _TOKEN.fullmatch(spelling) is None:
        raise malformed()
    return spelling.lower()


def spellings(lines: list[bytes]) -> dict[bytes, bytes]:
    """Name -> as it was spelt, of lines that readFields took."""
    found: dict[bytes, bytes] = {}
    for line in lines[1:]:
        spelling = line.split(b":", 1)[0]
        if line[:1] not in _BLANK:
            found.setdefault(spelling.lower(), spelling)
    return found


def contentLength(headers: HeaderMap) -> int | None:
    """
    The length of the body in bytes; None when nothing is said.

    Raises:
        CodecError: it is no number below 2**64, or is said twice.
    """
    value = headers.get(b"content-length")
    if value is None:
        return None
    if headers.more is not None and b"content-length" in headers.more:
        raise malformed()
    if _DIGITS.fullmatch(value) is None or (length := int(value)) > _MOST_LENGTH:
        raise malformed()
    return length


def hasToken(headers: HeaderMap, name: bytes, token: bytes) -> bool:
    """Is it one of the words, between commas, of any value of the name?"""
    value = headers.joined(name)
    if value is None:
        return False
    value = value.lower()
    if value == token:
        return True
    return token in value and token in [word.strip() for word in value.split(b",")]


def closesConnection(protocol: str, headers: HeaderMap) -> bool:
    """
    Does a message say that its connection ends with it?

    Args:
        protocol: `HTTP/1.0` or `HTTP/1.1`: of the message.
    """
    if b"connection" in headers:
        if hasToken(headers, b"connection", b"close"):
            return True
        if protocol == "HTTP/1.0" and not hasToken(headers, b"connection", b"keep-alive"):
            return True
    elif protocol == "HTTP/1.0":
        return True
    return b"proxy-connection" in headers and hasToken(headers, b"proxy-connection", b"close")
