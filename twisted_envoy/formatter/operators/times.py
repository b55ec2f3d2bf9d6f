"""Operators about points in time and the time between them."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    number,
    unset,
)
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.formatter.time_format import compileTimeFormat, isFine
from twisted_envoy.state.stream_info import FormatContext

Point = Callable[[FormatContext], "float | None"]

_UTC_DEFAULT = "%Y-%m-%dT%H:%M:%E3SZ"
_LOCAL_DEFAULT = "%Y-%m-%dT%H:%M:%E3S%z"
_PRECISIONS = {"ms": 1000, "us": 1, "ns": 0}


def _start(context: FormatContext) -> float:
    return context.streamInfo.startTime


def _emit(context: FormatContext) -> float:
    return context.now


def _connectStart(context: FormatContext) -> float | None:
    upstream = context.streamInfo.upstream
    return None if upstream is None else upstream.startTime


def _connectEnd(context: FormatContext) -> float | None:
    upstream = context.streamInfo.upstream
    return None if upstream is None else upstream.connectedTime


def _point(attribute: str) -> Point:
    source: Point = attrgetter("streamInfo." + attribute)
    return source


_REQUEST_END = _point("lastRequestByteReceivedTime")
_UPSTREAM_SENT = _point("lastUpstreamByteSentTime")
_UPSTREAM_BEGAN = _point("firstUpstreamByteReceivedTime")
_RESPONSE_END = _point("lastResponseByteSentTime")

_POINTS: dict[str, Point] = {
    "DS_RX_BEG": _start,
    "DS_RX_HDR_END": _point("headersReceivedTime"),
    "DS_RX_END": _REQUEST_END,
    "US_CX_BEG": _connectStart,
    "US_CX_END": _connectEnd,
    "US_TX_BEG": _point("firstUpstreamByteSentTime"),
    "US_TX_END": _UPSTREAM_SENT,
    "US_RX_BEG": _UPSTREAM_BEGAN,
    "US_RX_BODY_BEG": _point("firstUpstreamBodyByteReceivedTime"),
    "US_RX_END": _point("lastUpstreamByteReceivedTime"),
    "DS_TX_BEG": _point("firstResponseByteSentTime"),
    "DS_TX_END": _RESPONSE_END,
}
"""Other names never have a time: US_HS_END, unknown ones."""


def _milliseconds(start: Point, end: Point) -> Entry:
    def duration(context: FormatContext) -> int | None:
        before, after = start(context), end(context)
        if before is None or after is None:
            return None
        return round((after - before) * 1_000_000) // 1000

    return number(duration)


def _timeEntry(point: Callable[[FormatContext], float], local: bool) -> Entry:
    def make(command: Command, operators: Operators) -> Operator:
        source = command.arguments or (_LOCAL_DEFAULT if local else _UTC_DEFAULT)
        render = compileTimeFormat(source, local)
        moment = None if isFine(source) else render
        if point is _start:
            return Operator(_startedAt(render), _startedAt(render), moment)

        def text(context: FormatContext) -> str:
            return render(point(context))

        return Operator(text, text, moment, isLate=True)

    return Entry(make, Arguments.OPTIONAL)


def _startedAt(render: Callable[[float], str]) -> Callable[[FormatContext], str]:
    return lambda context: render(context.streamInfo.startTime)


def _commonDuration(command: Command, operators: Operators) -> Operator:
    words = command.arguments.split(":")
    if not 2 <= len(words) <= 3:
        raise FormatError(f"Invalid common duration configuration: {command.arguments}.")
    precision = words[2] if len(words) == 3 else "ms"
    if precision not in _PRECISIONS:
        raise FormatError(f"Invalid common duration precision: {precision}.")
    start, end = (_POINTS.get(word, _never) for word in words[:2])
    divisor = _PRECISIONS[precision]

    def duration(context: FormatContext) -> int | None:
        before, after = start(context), end(context)
        if before is None or after is None or after < before:
            return None
        microseconds = round((after - before) * 1_000_000)
        return microseconds // divisor if divisor else microseconds * 1000

    return number(duration).make(command, operators)


def _never(context: FormatContext) -> None:
    return None


OPERATORS: Operators = {
    "START_TIME": _timeEntry(_start, local=False),
    "START_TIME_LOCAL": _timeEntry(_start, local=True),
    "EMIT_TIME": _timeEntry(_emit, local=False),
    "EMIT_TIME_LOCAL": _timeEntry(_emit, local=True),
    "COMMON_DURATION": Entry(_commonDuration, Arguments.REQUIRED),
    "REQUEST_DURATION": _milliseconds(_start, _REQUEST_END),
    "REQUEST_TX_DURATION": _milliseconds(_start, _UPSTREAM_SENT),
    "RESPONSE_DURATION": _milliseconds(_start, _UPSTREAM_BEGAN),
    "RESPONSE_TX_DURATION": _milliseconds(_UPSTREAM_BEGAN, _RESPONSE_END),
    "ROUNDTRIP_DURATION": Entry(unset),
}
