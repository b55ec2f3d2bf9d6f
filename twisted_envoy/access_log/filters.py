"""
Filters of access log records (`config.accesslog.v3.AccessLogFilter`).

A plain connection has no headers and no status; of it each says what Envoy says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import eq, ge, le, ne
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.errors import UnsupportedExtension
from twisted_envoy.formatter.operators.connection import durationMilliseconds
from twisted_envoy.formatter.operators.values import GRPC_STATUSES, grpcStatusOf
from twisted_envoy.network.fraction import buildPercent
from twisted_envoy.network.matchers import buildHeaderMatch, buildMetadataMatch
from twisted_envoy.state.stream_info import FormatContext

RecordFilter = Callable[[FormatContext], bool]

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {"EQ": eq, "GE": ge, "LE": le, "NE": ne}
_NO_HEADERS = HeaderMap()
_UNKNOWN = GRPC_STATUSES.index("UNKNOWN")
_UUID = re.compile(rb"[0-9a-fA-F]{8}[\s\S]{28}")


def buildFilter(view: Any, context: Any) -> RecordFilter:
    """
    Build one filter.

    Args:
        view: an AccessLogFilter.
        context: an IFactoryContext.
    Returns:
        What says whether a record is to be written.
    Raises:
        ConfigError: a filter that cannot be obeyed.
    """
    kind = view.which("filter_specifier")
    if kind is None:
        raise view.error('field: "filter_specifier", reason: is required')
    return _BUILDERS[kind](getattr(view, kind), context)


def _statusCode(view: Any, context: Any) -> RecordFilter:
    compare = _comparison(view.comparison, context)
    return lambda record: compare(record.streamInfo.responseCode)


def _duration(view: Any, context: Any) -> RecordFilter:
    compare = _comparison(view.comparison, context)
    return lambda record: compare(durationMilliseconds(record))


def _comparison(view: Any, context: Any) -> Callable[[int], bool]:
    compare = _COMPARISONS[view.op]
    key: str = view.value.runtime_key
    default: int = view.value.default_value
    runtime = context.runtime
    runtime.integer(key)

    def matches(found: int) -> bool:
        value: int | None = runtime.integer(key)
        return compare(found, default if value is None else value)

    return matches


def _notHealthCheck(view: Any, context: Any) -> RecordFilter:
    return lambda record: not record.streamInfo.isHealthCheck


def _traceable(view: Any, context: Any) -> RecordFilter:
    """Nothing is traced."""
    return lambda record: False


def _runtime(view: Any, context: Any) -> RecordFilter:
    """The request's id decides, so that a request is in every log or in none; else chance."""
    within = buildPercent(view.percent_sampled, view.runtime_key, context.runtime)
    independent: bool = view.use_independent_randomness
    random = context.random.getrandbits

    def sampled(record: FormatContext) -> bool:
        value = None if independent else requestNumber(record.streamInfo.requestHeaders)
        return within(random(64) if value is None else value)

    return sampled


def requestNumber(headers: HeaderMap | None) -> int | None:
    """The number in a request's id: the first 8 digits of a UUID; None without one."""
    found = b"" if headers is None else headers.get(b"x-request-id", b"")
    return int(found[:8], 16) if _UUID.match(found) else None


def _and(view: Any, context: Any) -> RecordFilter:
    filters = tuple(buildFilter(below, context) for below in view.filters)
    return lambda record: all(filter(record) for filter in filters)


def _or(view: Any, context: Any) -> RecordFilter:
    filters = tuple(buildFilter(below, context) for below in view.filters)
    return lambda record: any(filter(record) for filter in filters)


def _header(view: Any, context: Any) -> RecordFilter:
    matches = buildHeaderMatch(view.header)

    def hasHeader(record: FormatContext) -> bool:
        headers = record.streamInfo.requestHeaders
        return matches(_NO_HEADERS if headers is None else headers)

    return hasHeader


def _responseFlag(view: Any, context: Any) -> RecordFilter:
    wanted = frozenset(view.flags)
    if not wanted:
        return lambda record: bool(record.streamInfo.responseFlags)
    return lambda record: not wanted.isdisjoint(record.streamInfo.responseFlags)


def _grpcStatus(view: Any, context: Any) -> RecordFilter:
    names = {"CANCELED": "CANCELLED"}
    wanted = frozenset(GRPC_STATUSES.index(names.get(name, name)) for name in view.statuses)
    exclude: bool = view.exclude

    def hasStatus(record: FormatContext) -> bool:
        status = grpcStatusOf(record.streamInfo)
        return ((_UNKNOWN if status is None else status) in wanted) is not exclude

    return hasStatus


def _metadata(view: Any, context: Any) -> RecordFilter:
    missing = view.match_if_key_not_found is not False
    if view.matcher is None:
        return lambda record: missing
    match = buildMetadataMatch(view.matcher, missing, inverts=False)
    return lambda record: match(record.streamInfo.dynamicMetadata)


def _logType(view: Any, context: Any) -> RecordFilter:
    wanted = frozenset(view.types)
    exclude: bool = view.exclude
    return lambda record: (record.accessLogType in wanted) is not exclude


def _extension(view: Any, context: Any) -> RecordFilter:
    config = view.typed_config
    name = "" if config is None else config.typeURL.rpartition("/")[2]
    if not name:
        raise view.error(
            f"Didn't find a registered implementation for '{view.name}' with type URL: ''"
        )
    raise UnsupportedExtension(
        view.path,
        f"known to Envoy 1.40, not implemented by twisted_envoy: {name}",
        view.position(),
    )


_BUILDERS: dict[str, Callable[[Any, Any], RecordFilter]] = {
    "status_code_filter": _statusCode,
    "duration_filter": _duration,
    "not_health_check_filter": _notHealthCheck,
    "traceable_filter": _traceable,
    "runtime_filter": _runtime,
    "and_filter": _and,
    "or_filter": _or,
    "header_filter": _header,
    "response_flag_filter": _responseFlag,
    "grpc_status_filter": _grpcStatus,
    "extension_filter": _extension,
    "metadata_filter": _metadata,
    "log_type_filter": _logType,
}
