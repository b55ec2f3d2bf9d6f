"""
`RouteAction.HashPolicy`: what ring hash and Maglev choose hosts by.

Envoy: source/common/http/hash_policy.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.conditions import cookieValue
from twisted_envoy.http.routes.entry import HashPolicy
from twisted_envoy.http.routes.paths import queryParameters
from twisted_envoy.http.routes.rewrite import buildSubstitution
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.state.addresses import addressText, hostText
from twisted_envoy.state.request_info import RequestInfo

Source = Callable[[HeaderMap, RequestInfo], "tuple[bytes | None, bytes | None]"]
"""What is hashed, None for nothing; and a set-cookie value for the response, or None."""

_MASK = (1 << 64) - 1


def buildHashPolicy(views: Sequence[Any]) -> HashPolicy | None:
    """
    Read hash_policy.

    Raises:
        ConfigError: a wrong pattern.
    """
    if not views:
        return None
    sources = tuple((_source(view), bool(view.terminal)) for view in views)

    def hashOf(headers: HeaderMap, info: RequestInfo) -> tuple[int | None, bytes | None]:
        found: int | None = None
        cookie: bytes | None = None
        for source, terminal in sources:
            text, newCookie = source(headers, info)
            cookie = newCookie or cookie
            if text is not None:
                before = 0 if found is None else (found << 1 | found >> 63) & _MASK
                found = before ^ xxHash64(text)
            if terminal and found is not None:
                break
        return found, cookie

    return hashOf


def _source(view: Any) -> Source:
    kind = view.which("policy_specifier")
    if kind == "header":
        return _header(view.header)
    if kind == "cookie":
        return _cookie(view.cookie)
    if kind == "query_parameter":
        name = view.query_parameter.name.encode()
        return lambda headers, info: (queryParameters(headers.get(b":path", b"")).get(name), None)
    if kind == "filter_state":
        return _filterState(view.filter_state.key)
    if view.connection_properties.source_ip:
        return lambda headers, info: (hostText(info.remoteAddress).encode() or None, None)
    return lambda headers, info: (None, None)


def _header(view: Any) -> Source:
    name = fieldName(view.header_name)
    rewrite = buildSubstitution(view.regex_rewrite) if view.has("regex_rewrite") else None

    def ofHeader(headers: HeaderMap, info: RequestInfo) -> tuple[bytes | None, bytes | None]:
        values = headers.every(name)
        if not values:
            return None, None
        if rewrite is not None:
            values = [rewrite(value) for value in values]
        # Their order must not matter.
        return b"".join(sorted(values)), None

    return ofHeader


def _filterState(key: str) -> Source:
    def ofState(headers: HeaderMap, info: RequestInfo) -> tuple[bytes | None, bytes | None]:
        value = info.filterState.get(key)
        hashed = None if value is None else value.hashKey()
        return None if hashed is None else str(hashed).encode(), None

    return ofState


def _cookie(view: Any) -> Source:
    name: bytes = view.name.encode()
    ttl: float | None = view.ttl
    attributes = b"; Max-Age=%d" % ttl if ttl else b""
    if view.path_:
        attributes += b"; Path=" + view.path_.encode()
    for attribute in view.attributes:
        attributes += f"; {attribute.name}".encode()
        if attribute.value:
            attributes += b"=" + attribute.value.encode()
    attributes += b"; HttpOnly"

    def ofCookie(headers: HeaderMap, info: RequestInfo) -> tuple[bytes | None, bytes | None]:
        value = cookieValue(headers, name)
        if value or ttl is None:
            return value or None, None
        connection = info.connection
        ends = addressText(connection.remoteAddress) + addressText(connection.localAddress)
        value = b"%016x" % xxHash64(ends.encode())
        return value, b'%b="%b"%b' % (name, value, attributes)

    return ofCookie
