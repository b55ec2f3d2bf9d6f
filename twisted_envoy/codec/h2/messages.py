"""
From decoded header fields to a HeaderMap, or to what is wrong with them.

As strict as RFC 9113 section 8 and as Envoy: names in lower case, pseudo-headers first, once and
only the known ones, nothing of HTTP/1.1's connection. `host` is another spelling of `:authority`;
crumbs of a cookie are joined.

Envoy: Http2::ConnectionImpl::saveHeader, quiche http2/adapter/header_validator.cc
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.h2.failures import (
    INVALID_FIELD,
    MESSAGING,
    TOO_MANY_HEADERS,
    UNDERSCORE,
    MessageFailure,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

Fields = Any
"""(name, value) pairs of bytes, in order; iterated once."""

_name = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_badValue = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_badStrictValue = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f-\xff]").search
_fine = bytes(byte for byte in range(256) if _badValue(bytes((byte,))) is None)
_fineStrict = bytes(byte for byte in _fine if byte < 0x80)
_number = re.compile(rb"[0-9]{1,18}").fullmatch
_authority = re.compile(rb"[A-Za-z0-9\-._~%!$&'()\[\]*+,;=:]+").fullmatch
_scheme = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*").fullmatch
_path = re.compile(rb"[/*][^\x00-\x20\x7f]*").fullmatch
_status = re.compile(rb"[1-9][0-9]{2}").fullmatch

_REQUEST_PSEUDO = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
_RESPONSE_PSEUDO = frozenset((b":status",))
_METHODS = frozenset((b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS"))
_SCHEMES = frozenset((b"http", b"https"))
_NO_PSEUDO: frozenset[bytes] = frozenset()
_FORBIDDEN = frozenset(
    (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
)
_PLAIN = frozenset(
    b"accept accept-encoding accept-language age alt-svc authorization cache-control "
    b"content-encoding content-language content-type date etag expires forwarded from "
    b"grpc-status grpc-message grpc-timeout grpc-encoding grpc-accept-encoding if-match "
    b"if-modified-since if-none-match last-modified location origin pragma range referer server "
    b"set-cookie traceparent tracestate user-agent vary via x-forwarded-for x-forwarded-proto "
    b"x-request-id x-envoy-upstream-service-time x-envoy-expected-rq-timeout-ms".split()
)
"""Names that need no look at all."""
_MOST_KNOWN = 1000
_known = {*_PLAIN, b"host", b"content-length", b"cookie"}
"""Names that need none if they come once; what was looked at is added, and is right for ever."""


class Messages:
    """
    Reads the header blocks of one connection.

    Args:
        stats: `dropped_headers_with_underscores` and what else Envoy counts of headers.
    """

    __slots__ = (
        "_allowConnect",
        "_badValue",
        "_fine",
        "_keepsUnderscores",
        "_lastAuthority",
        "_maxBytes",
        "_maxCount",
        "_maxField",
        "_rejects",
        "_seen",
        "_seenHeaders",
        "_stats",
    )

    def __init__(self, settings: HTTP2Settings, limits: HeaderLimits, stats: Any) -> None:
        self._allowConnect = settings.allowConnect
        self._maxBytes = limits.maxBytes
        self._maxCount = limits.maxCount
        self._maxField = settings.maxFieldBytes or limits.maxBytes
        self._keepsUnderscores = limits.underscores == "ALLOW"
        self._rejects = limits.underscores == "REJECT_REQUEST"
        self._fine = _fineStrict if settings.refusesObsText else _fine
        self._badValue = _badStrictValue if settings.refusesObsText else _badValue
        self._stats = stats
        self._lastAuthority = b"-"
        self._seen: Fields = ()
        self._seenHeaders: HeaderMap | None = None

    def request(self, fields: Fields) -> HeaderMap:
        """
        A request's headers.

        Raises:
            MessageFailure: they are none.
        """
        if fields is self._seen and self._keepsUnderscores:
            return self._again(fields, self._request)
        self._seen, self._seenHeaders = fields, None
        return self._request(fields)

    def _again(self, fields: Fields, read: Callable[[Fields], HeaderMap]) -> HeaderMap:
        """The same fields, by identity, as last time: what they mean was kept."""
        headers = self._seenHeaders
        if headers is None:
            headers = self._seenHeaders = read(fields)
        return headers.copy()

    def _request(self, fields: Fields) -> HeaderMap:
        headers = self._read(fields, _REQUEST_PSEUDO)
        if b"host" in headers:
            _foldHost(headers)
        if b"cookie" in headers:
            headers[b"cookie"] = headers.pop(b"cookie")  # the last, wherever its crumbs were
        method = headers.get(b":method", b"")
        authority = headers.get(b":authority")
        if authority is None:
            raise MessageFailure(MESSAGING, True)
        if authority == self._lastAuthority:
            pass
        elif _authority(authority) is not None:
            self._lastAuthority = authority
        else:
            raise MessageFailure(INVALID_FIELD, True)
        if method == b"CONNECT" and b":protocol" not in headers:
            if b":path" in headers or b":scheme" in headers:
                raise MessageFailure(MESSAGING, True)
            headers.remove(b"content-length")
            return headers
        if b":path" not in headers or b":scheme" not in headers or b":method" not in headers:
            raise MessageFailure(MESSAGING, True)
        path = headers[b":path"]
        scheme = headers[b":scheme"]
        if _path(path) is None or (scheme not in _SCHEMES and _scheme(scheme) is None):
            raise MessageFailure(INVALID_FIELD, True)
        if path[:1] == b"*" and (path != b"*" or method != b"OPTIONS"):
            raise MessageFailure(MESSAGING, True)
        if method not in _METHODS and _name(method.lower()) is None:
            raise MessageFailure(INVALID_FIELD, True)
        if b":protocol" in headers and not self._allowConnect:
            raise MessageFailure(INVALID_FIELD, True)
        if b":protocol" in headers and method != b"CONNECT":
            raise MessageFailure(MESSAGING, True)
        return headers

    def response(self, fields: Fields) -> HeaderMap:
        """A response's headers, interim ones too; raises as `request`."""
        if fields is self._seen and self._keepsUnderscores:
            return self._again(fields, self._response)
        self._seen, self._seenHeaders = fields, None
        return self._response(fields)

    def _response(self, fields: Fields) -> HeaderMap:
        headers = self._read(fields, _RESPONSE_PSEUDO)
        status = headers.get(b":status", b"")
        if _status(status) is None or status == b"101":
            raise MessageFailure(MESSAGING, True)
        return headers

    def trailers(self, fields: Fields) -> HeaderMap:
        """Trailers of either; raises as `request`."""
        return self._read(fields, _NO_PSEUDO)

    def _read(self, fields: Fields, pseudo: frozenset[bytes]) -> HeaderMap:
        """
        The fields as a map, when each is right by itself.

        Most have nothing that must be looked at one by one.
        """
        headers = HeaderMap()
        headers.update(fields)
        names = list(headers)
        first = 0
        while first < len(names) and names[first] in pseudo:
            first += 1
        values = b"".join(headers.values())
        if (
            len(names) == len(fields)
            and _known.issuperset(names[first:])
            and not values.translate(None, self._fine)
            and len(values) <= self._maxField
            and len(names) <= self._maxCount
            and len(values) + len(b"".join(names)) <= self._maxBytes
        ):
            return headers
        return self._readEach(fields, pseudo)

    def _readEach(self, fields: Fields, pseudo: frozenset[bytes]) -> HeaderMap:
        headers = HeaderMap()
        size = count = 0
        most = self._maxField
        bad = self._badValue
        inPseudo = True
        for name, value in fields:
            count += 1
            size += len(name) + len(value)
            if len(value) > most:
                raise MessageFailure(TOO_MANY_HEADERS, False)
            if bad(value) is not None:
                raise MessageFailure(INVALID_FIELD, True)
            if name in _PLAIN:
                inPseudo = False
                if name in headers:
                    headers.add(name, value)
                else:
                    headers[name] = value
            elif name[:1] == b":":
                if not inPseudo or name not in pseudo or name in headers:
                    raise MessageFailure(INVALID_FIELD, True)
                headers[name] = value
            else:
                inPseudo = False
                self._unusual(headers, name, value)
        if size > self._maxBytes or count > self._maxCount:
            raise MessageFailure(TOO_MANY_HEADERS, False)
        return headers

    def _unusual(self, headers: HeaderMap, name: bytes, value: bytes) -> None:
        """A name that is not in _PLAIN."""
        if name == b"cookie":
            before = headers.get(name)
            headers[name] = value if before is None else before + b"; " + value
            return
        if _name(name) is None or name in _FORBIDDEN:
            raise MessageFailure(INVALID_FIELD, True)
        if name == b"te" and value.lower() != b"trailers":
            raise MessageFailure(INVALID_FIELD, True)
        if b"_" in name and not self._keepsUnderscores:
            self._underscore()
        elif name == b"content-length" and name in headers:
            raise MessageFailure(INVALID_FIELD, True)
        else:
            headers.add(name, value)
            if len(_known) < _MOST_KNOWN and b"_" not in name and name != b"te":
                _known.add(name)

    def _underscore(self) -> None:
        if self._rejects:
            self._stats.requests_rejected_with_underscores_in_headers.value += 1
            raise MessageFailure(UNDERSCORE, False)
        self._stats.dropped_headers_with_underscores.value += 1


def contentLength(headers: HeaderMap) -> int:
    """
    Bytes that the body must have; -1 when it is not told.

    Raises:
        MessageFailure: it is no number.
    """
    value = headers.get(b"content-length")
    if value is None:
        return -1
    if _number(value) is None:
        raise MessageFailure(INVALID_FIELD, True)
    return int(value)


def _foldHost(headers: HeaderMap) -> None:
    """`host` becomes `:authority` unless there is one; pseudo-headers stay in front."""
    if headers.more is not None and b"host" in headers.more:
        raise MessageFailure(INVALID_FIELD, True)
    host = headers.pop(b"host")
    if b":authority" in headers:
        return
    fields = dict(headers)
    headers.clear()
    for name, value in fields.items():
        if name[:1] != b":" and b":authority" not in headers:
            headers[b":authority"] = host
        headers[name] = value
    headers.setdefault(b":authority", host)
