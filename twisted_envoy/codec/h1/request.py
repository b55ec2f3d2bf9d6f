"""
The head of an HTTP/1.1 request: its line, its target, and what follows it.

Checks come in Envoy's order, so that of two faults the same one is reported.

Envoy: source/common/http/http1/balsa_parser.cc (isUrlValid), codec_impl.cc (ServerConnectionImpl)
"""

from __future__ import annotations

import re
from typing import Any

from twisted_envoy.codec.h1.fields import (
    contentLength,
    hasForbidden,
    hasToken,
    malformed,
    readFields,
    spellings,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

INVALID_URL = "http1.invalid_url"

_METHODS = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL"
    b" MOVE MSEARCH NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH"
    b" SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PATH = re.compile(rb"[/*][!-~]*")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_BLANKS = re.compile(rb"[ \t]+")
_AFTER_SCHEME = rb"[!$%&'()*+,\-.0-9:;=@A-Z\[\]_a-z~]*(?:[/?][!-~]*)?"
_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://" + _AFTER_SCHEME)
_CONNECT_URL = re.compile(_AFTER_SCHEME)
_HOST = rb"(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])"
_ABSOLUTE = re.compile(
    rb"([a-z]+)://(?:[^@/?]*@)?(" + _HOST + rb"(?::([0-9]{1,9}))?)([/?].*)?", re.I
)
_TUNNEL = re.compile(_HOST + rb":([0-9]{1,9})")
_AUTHORITY = b"!$%&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~"
_SCHEMES = (b"http", b"https")
_MOST_PORT = 65535

_NOT_UPGRADED = (b"upgrade", b"http2-settings")


class RequestHead:
    """
    What a head says.

    Attributes:
        headers: as an owner of a codec gets them.
        method: the same bytes as in headers.
        protocol: `HTTP/1.1`, or `HTTP/1.0` for everything else.
        length: bytes of the body; -1 when it is chunked.
        raw: everything behind the head is for the tunnel: CONNECT or an upgrade.
        headerBytes: of the fields, as Envoy counts them.
        isUsual: HTTP/1.1, and its answer has a body if it says so.
        ready: the answer of such requests, None for most.
        template: what carries such requests, None for nothing. asked: both are known.
        place: with an answer: where in the head the value of its one x-request-id is, or None.
    """

    __slots__ = (
        *("headerBytes", "headers", "isUsual", "length", "method", "protocol", "raw"),
        *("asked", "place", "ready", "template"),
    )

    headers: HeaderMap

    def __init__(self) -> None:
        self.method = b""
        self.protocol = "HTTP/1.1"
        self.length = self.headerBytes = 0
        self.raw = self.isUsual = False
        self.ready: Any = None
        self.template: Any = None
        self.asked = False
        self.place: tuple[int, int] | None = None


NO_HEAD = RequestHead()
"""Of a request whose head is not read; never changed."""


def parseRequestLine(line: bytes, anyMethod: bool) -> tuple[bytes, bytes, bool]:
    """
    Read the first line.

    Args:
        line: without its end. anyMethod: any token will do.
    Returns:
        Method, target, and whether the version is 1.1.
    Raises:
        CodecError: it is malformed.
    """
    parts = line.split(b" ")
    if len(parts) == 3 and parts[2] == b"HTTP/1.1":
        method, target, _ = parts
        current = True
    else:
        parts = _BLANKS.split(line.rstrip(b" \t"))
        if len(parts) not in (2, 3) or not parts[0]:
            raise malformed()
        method, target = parts[:2]
        if len(parts) == 3 and _VERSION.fullmatch(parts[2]) is None:
            raise malformed()
        current = parts[2:] == [b"HTTP/1.1"]
    if method not in _METHODS and not (anyMethod and _TOKEN.fullmatch(method)):
        raise malformed()
    if _PATH.fullmatch(target) is None:
        _checkURL(method, target)
    return method, target, current


def _checkURL(method: bytes, target: bytes) -> None:
    """A target that is no path must look like a URL, or like an authority for CONNECT."""
    pattern = _CONNECT_URL if method == b"CONNECT" else _URL
    if not target or b"@@" in target or pattern.fullmatch(target) is None:
        raise malformed()


def checkFirstLine(data: bytes, settings: HTTP1Settings) -> bool:
    """
    Look at a head that is not complete yet: is its first line worth waiting for the rest?

    Returns:
        Whether the line is there, so that it need not be looked at again.
    Raises:
        CodecError: it is not.
    """
    if data[0] <= 0x20:
        raise malformed()
    line, end, _ = data.partition(b"\n")
    if end and not hasForbidden(line):
        parseRequestLine(line.rstrip(b"\r"), settings.customMethods)
        if not settings.acceptHTTP10 and len(line.split()) == 2:
            raise CodecError("low_version", 426, b"Upgrade Required")  # nothing follows HTTP/0.9's
    return bool(end)


def wholeLine(data: bytes, start: int) -> tuple[int, list[bytes] | None]:
    """
    Look for a request of HTTP/0.9, which is one line without a version.

    Returns:
        Where it ends, and its only line; -1 and None when it is none.
    """
    end = data.find(b"\n", start) + 1
    line = data[start : end - 1].removesuffix(b"\r") if end else b""
    if len(line.split()) != 2 or hasForbidden(line):
        return -1, None
    return end, [line]


def parseRequest(
    head: RequestHead,
    lines: list[bytes],
    size: int,
    settings: HTTP1Settings,
    limits: HeaderLimits,
) -> None:
    """
    Read a whole head.

    Args:
        head: gets what is read. lines: without their ends. size: bytes of the head.
    Raises:
        CodecError: it is no request that may go on.
    """
    method, target, current = parseRequestLine(lines[0], settings.customMethods)
    headers = HeaderMap()
    if method == b"CONNECT":
        headers[b":authority"] = b""  # first, as Envoy passes it on
    headers[b":method"] = method
    headers[b":path"] = target
    headers[b":authority"] = b""
    readFields(lines, headers, limits.maxCount)
    head.headers = headers
    head.method = method
    head.protocol = "HTTP/1.1" if current else "HTTP/1.0"
    head.isUsual = current and method != b"HEAD"
    head.headerBytes = size - len(lines[0]) - len(lines) - 3 or 3
    if settings.headerCase == "preserve":
        headers.cases = spellings(lines)
    if (
        b"content-length" in headers
        or b"transfer-encoding" in headers
        or b"upgrade" in headers
        or method == b"CONNECT"
    ):
        _readFraming(head, settings)
    _readTarget(head, target, settings)
    if not current and not settings.acceptHTTP10:
        raise CodecError("low_version", 426, b"Upgrade Required")
    if headers.get(b":authority", b"").translate(None, _AUTHORITY):
        raise CodecError("http.invalid_authority")


def _readFraming(head: RequestHead, settings: HTTP1Settings) -> None:
    headers = head.headers
    connect = head.method == b"CONNECT"
    head.raw = connect or (b"upgrade" in headers and _isUpgrade(headers, settings))
    head.length = contentLength(headers) or 0
    if connect and b"content-length" in headers:
        if headers[b"content-length"] != b"0":
            raise CodecError("http1.body_disallowed")
        headers.remove(b"content-length")
    if b"transfer-encoding" not in headers:
        return
    encoding = headers.joined(b"transfer-encoding") or b""
    chunked = encoding.lower() == b"chunked"
    if b"content-length" in headers:
        if not (chunked and settings.allowChunkedLength):
            raise CodecError("http1.content_length_and_chunked_not_allowed")
        headers.remove(b"content-length")
    if not chunked or connect:
        raise CodecError("http1.invalid_transfer_encoding", 501, b"Not Implemented")
    head.length = -1


def _isUpgrade(headers: HeaderMap, settings: HTTP1Settings) -> bool:
    """Is it an upgrade that we take? HTTP/2 is none: what asks for it is taken away."""
    if not hasToken(headers, b"connection", b"upgrade"):
        return False
    wanted = headers[b"upgrade"]
    ignores = settings.ignoresUpgrade
    if wanted.lower() != b"h2c" and (ignores is None or not ignores(wanted.decode("latin-1"))):
        return True
    words = (headers.joined(b"connection") or b"").split(b",")
    rest = [word for word in map(bytes.strip, words) if word.lower() not in _NOT_UPGRADED]
    headers.remove(b"upgrade")
    headers.remove(b"http2-settings")
    if rest:
        headers.set(b"connection", b",".join(rest))
    else:
        headers.remove(b"connection")
    return False


def _readTarget(head: RequestHead, target: bytes, settings: HTTP1Settings) -> None:
    """Where to: `:authority` from the target when it has one, else from Host."""
    headers = head.headers
    authority = headers.joined(b"host") if headers.more else headers.pop(b"host", None)
    if authority is None:
        authority = (head.protocol == "HTTP/1.0" and settings.defaultHost) or None
    elif headers.more:
        headers.remove(b"host")
    if head.method == b"CONNECT":
        found = _TUNNEL.fullmatch(target)
        if found is None or int(found[1]) > _MOST_PORT:
            raise CodecError(INVALID_URL)
        authority = target
        del headers[b":path"]
    elif target[0] != 0x2F and not (target == b"*" and head.method == b"OPTIONS"):
        if settings.allowAbsoluteURL:
            authority = _readURL(headers, target, settings.refusesHTTPS)
    if authority is None:
        del headers[b":authority"]
    else:
        headers[b":authority"] = authority


def _readURL(headers: HeaderMap, target: bytes, refusesHTTPS: bool) -> bytes:
    """Take an absolute URL apart; gives the authority."""
    found = _ABSOLUTE.fullmatch(target)
    if found is None or (found[3] and int(found[3]) > _MOST_PORT):
        raise CodecError(INVALID_URL)
    scheme = found[1].lower()
    if scheme not in _SCHEMES:
        raise CodecError("http1.invalid_scheme")
    if refusesHTTPS and scheme == b"https":
        raise CodecError("http1.https_url_on_plaintext_connection", 403, b"Forbidden")
    headers[b":path"] = found[4] or b"/"
    headers[b":scheme"] = scheme
    return found[2]


def checkUnderscores(headers: HeaderMap, limits: HeaderLimits, stats: Any) -> None:
    """
    Drop headers with underscores in their names, or refuse the request.

    Args:
        stats: H1Stats of the server, or None.
    Raises:
        CodecError: they are not allowed.
    """
    odd = [name for name in headers if b"_" in name]
    if not odd:
        return
    if limits.underscores == "REJECT_REQUEST":
        if stats is not None:
            stats.requests_rejected_with_underscores_in_headers.value += 1
        raise CodecError("http1.unexpected_underscore")
    for name in odd:
        if stats is not None:
            stats.dropped_headers_with_underscores.value += len(headers.every(name))
        headers.remove(name)
