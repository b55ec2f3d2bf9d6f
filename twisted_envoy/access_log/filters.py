"""
Filters of access log records (`config.accesslog.v3.AccessLogFilter`), as a connection meets them.

A connection has no headers, no trace and no gRPC status; what filters on these say then is what
Envoy's say, and is known when the filter is built.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, le, ne
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.errors import UnsupportedExtension
from twisted_envoy.formatter.operators.connection import durationMilliseconds
from twisted_envoy.network.matchers import buildHeaderMatch, buildMetadataMatch
from twisted_envoy.state.stream_info import FormatContext

RecordFilter = Callable[[FormatContext], bool]

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {"EQ": eq, "GE": ge, "LE": le, "NE": ne}
_DENOMINATORS = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


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
    compare = _comparison(view.comparison)
    return lambda record: compare(responseCodeOf(record))


def responseCodeOf(record: FormatContext) -> int:
    """The response's status code; a connection that carries no HTTP has 0."""
    return 0


def _duration(view: Any, context: Any) -> RecordFilter:
    compare = _comparison(view.comparison)
    return lambda record: compare(durationMilliseconds(record))


def _comparison(view: Any) -> Callable[[int], bool]:
    compare = _COMPARISONS[view.op]
    value = _runtimeDefault(view.value)
    return lambda found: compare(found, value)


def _runtimeDefault(view: Any) -> int:
    """There is no runtime that could override the default, whatever its key."""
    view.runtime_key  # noqa: B018  read: obeyed as Envoy obeys a key that no layer sets
    value: int = view.default_value
    return value


def _constant(answer: bool) -> Callable[[Any, Any], RecordFilter]:
    return lambda view, context: lambda record: answer


def _runtime(view: Any, context: Any) -> RecordFilter:
    view.runtime_key  # noqa: B018
    view.moot("use_independent_randomness", "a connection has no request id")
    percent = view.percent_sampled
    if percent is None:
        return lambda record: False
    share = percent.numerator / _DENOMINATORS[percent.denominator]
    random = context.random.random
    return lambda record: random() < share


def _and(view: Any, context: Any) -> RecordFilter:
    filters = tuple(buildFilter(below, context) for below in view.filters)
    return lambda record: all(filter(record) for filter in filters)


def _or(view: Any, context: Any) -> RecordFilter:
    filters = tuple(buildFilter(below, context) for below in view.filters)
    return lambda record: any(filter(record) for filter in filters)


def _header(view: Any, context: Any) -> RecordFilter:
    answer = buildHeaderMatch(view.header)(HeaderMap())
    return lambda record: answer


def _responseFlag(view: Any, context: Any) -> RecordFilter:
    wanted = frozenset(view.flags)
    if not wanted:
        return lambda record: bool(record.streamInfo.responseFlags)
    return lambda record: not wanted.isdisjoint(record.streamInfo.responseFlags)


def _grpcStatus(view: Any, context: Any) -> RecordFilter:
    answer = ("UNKNOWN" in view.statuses) is not view.exclude
    return lambda record: answer


def _metadata(view: Any, context: Any) -> RecordFilter:
    missing = view.match_if_key_not_found is not False
    if view.matcher is None:
        return lambda record: missing
    match = buildMetadataMatch(view.matcher, missing)
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
    "not_health_check_filter": _constant(True),
    "traceable_filter": _constant(False),
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
