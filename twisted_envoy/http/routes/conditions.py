"""
What a RouteMatch asks for besides the path.

Envoy: RouteEntryImplBase::matchRoute
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.operators.values import isGRPC
from twisted_envoy.http.routes.entry import Condition
from twisted_envoy.http.routes.paths import QueryCache
from twisted_envoy.network.fraction import buildFraction
from twisted_envoy.network.matchers import (
    BytesMatch,
    buildBytesMatch,
    buildFilterStateMatch,
    buildHeaderMatch,
    buildMetadataMatch,
)
from twisted_envoy.state.request_info import RequestInfo

_UNCERTAIN = ("runtime_fraction", "tls_context", "dynamic_metadata", "filter_state")
_ID = "x-request-id"


def buildConditions(match: Any, context: Any, queries: QueryCache) -> list[Condition]:
    """
    Read the conditions of a RouteMatch.

    Args:
        queries: shared by all routes of a table.
    Raises:
        ConfigError: one that cannot be obeyed.
    """
    found: list[Condition] = []
    if match.has("runtime_fraction"):
        found.append(_fraction(match.runtime_fraction, context))
    if match.grpc is not None:
        found.append(lambda headers, info, randomValue: isGRPC(headers))
    if match.has("headers"):
        found += [_header(view) for view in match.headers]
    if match.has("query_parameters"):
        found += [queryCondition(view, queries) for view in match.query_parameters]
    if match.has("tls_context"):
        found.append(_tls(match.tls_context))
    if match.has("dynamic_metadata"):
        found += [_metadata(view) for view in match.dynamic_metadata]
    if match.has("filter_state"):
        found += [_filterState(view) for view in match.filter_state]
    if match.has("cookies"):
        found += [_cookie(view) for view in match.cookies]
    return found


def areCertain(match: Any) -> bool:
    """Whether the conditions of a RouteMatch depend on headers alone, none that is made for us."""
    if any(match.has(name) for name in _UNCERTAIN):
        return False
    return not match.has("headers") or all(view.name.lower() != _ID for view in match.headers)


def allOf(conditions: list[Condition]) -> Condition | None:
    """One for all; None when there is none."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    each = tuple(conditions)

    def matches(headers: HeaderMap, info: RequestInfo, randomValue: int) -> bool:
        for condition in each:
            if not condition(headers, info, randomValue):
                return False
        return True

    return matches


def _fraction(view: Any, context: Any) -> Condition:
    within = buildFraction(view, context.runtime)
    return lambda headers, info, randomValue: within(randomValue)


def _header(view: Any) -> Condition:
    match = buildHeaderMatch(view)
    return lambda headers, info, randomValue: match(headers)


def queryCondition(view: Any, queries: QueryCache) -> Condition:
    """
    Build a QueryParameterMatcher.

    Args:
        queries: what reads the query of a path.
    """
    name: bytes = view.name.encode()
    kind = view.which("query_parameter_match_specifier")
    if kind != "string_match":
        wanted = True if kind is None else view.present_match
        return lambda headers, info, randomValue: (
            (name in queries.of(headers.get(b":path", b""))) is wanted
        )
    match = buildBytesMatch(view.string_match)

    def matches(headers: HeaderMap, info: RequestInfo, randomValue: int) -> bool:
        value = queries.of(headers.get(b":path", b"")).get(name)
        return value is not None and match(value)

    return matches


def _tls(view: Any) -> Condition:
    """A connection without TLS has presented no certificate, and none was validated."""
    presented: bool | None = view.presented
    validated: bool | None = view.validated

    def matches(headers: HeaderMap, info: RequestInfo, randomValue: int) -> bool:
        tls = getattr(info.connection, "tls", None)
        has = tls is not None and bool(tls.peerCertificatePresented)
        if presented is not None and has is not presented:
            return False
        if validated is None:
            return True
        return (tls is not None and bool(tls.peerCertificateValidated)) is validated

    return matches


def _metadata(view: Any) -> Condition:
    match = buildMetadataMatch(view, view.invert)
    return lambda headers, info, randomValue: match(info.dynamicMetadata)


def _filterState(view: Any) -> Condition:
    key: str = view.key
    match = buildFilterStateMatch(view)
    return lambda headers, info, randomValue: match(info.filterState.get(key))


def _cookie(view: Any) -> Condition:
    name: bytes = view.name.encode()
    match: BytesMatch = buildBytesMatch(view.string_match)
    invert: bool = view.invert_match

    def matches(headers: HeaderMap, info: RequestInfo, randomValue: int) -> bool:
        value = cookieValue(headers, name)
        return (value is not None and match(value)) is not invert

    return matches


def cookieValue(headers: HeaderMap, name: bytes) -> bytes | None:
    """The value of a cookie of the request, without its quotes; None when it has none."""
    for header in headers.every(b"cookie"):
        for pair in header.split(b";"):
            key, equals, value = pair.partition(b"=")
            if equals and key.lstrip(b" ") == name:
                if len(value) > 1 and value[:1] == value[-1:] == b'"':
                    value = value[1:-1]
                return value
    return None
