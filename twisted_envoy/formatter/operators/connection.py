"""Operators about the downstream connection or the stream itself."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from twisted_envoy.formatter.operators.entry import Entry, Operators, constant, number, text
from twisted_envoy.state.stream_info import RESPONSE_FLAGS, FormatContext, StreamInfo


def durationMilliseconds(context: FormatContext) -> int:
    """Whole milliseconds from start to end, or to now while it is open."""
    info = context.streamInfo
    end = context.now if info.endTime is None else info.endTime
    return max(0, round((end - info.startTime) * 1_000_000) // 1000)


def _listenerName(context: FormatContext) -> str | None:
    return getattr(context.streamInfo.listener, "name", None)


def _flags(context: FormatContext) -> str:
    flags = context.streamInfo.responseFlags
    return ",".join(flags) if flags else "-"


def _longFlags(context: FormatContext) -> str:
    flags = context.streamInfo.responseFlags
    return ",".join(RESPONSE_FLAGS[flag] for flag in flags) if flags else "-"


def _streamID(context: FormatContext) -> str:
    info = context.streamInfo
    if not info.streamID:
        info.streamID = str(uuid4())
    return info.streamID


def _constantEntry(value: object) -> Entry:
    operator = constant(value)
    return Entry(lambda command, operators: operator)


_ZERO = (
    *("BYTES_RETRANSMITTED", "PACKETS_RETRANSMITTED", "DOWNSTREAM_CX_RTT", "RESPONSE_CODE"),
    *("DOWNSTREAM_HEADER_BYTES_RECEIVED", "DOWNSTREAM_HEADER_BYTES_SENT"),
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
)
"""What Envoy prints as 0 for a TCP connection."""


def _wire(count: Callable[[StreamInfo], int]) -> Callable[[FormatContext], int]:
    """In Envoy only filters that know an upstream count these."""
    return lambda context: 0 if context.streamInfo.upstream is None else count(context.streamInfo)


OPERATORS: Operators = {
    **{name: _constantEntry(0) for name in _ZERO},
    "ACCESS_LOG_TYPE": text(lambda context: context.accessLogType),
    "BYTES_RECEIVED": number(lambda context: context.streamInfo.bytesReceived),
    "BYTES_SENT": number(lambda context: context.streamInfo.bytesSent),
    "DOWNSTREAM_WIRE_BYTES_RECEIVED": number(_wire(lambda info: info.bytesReceived)),
    "DOWNSTREAM_WIRE_BYTES_SENT": number(_wire(lambda info: info.bytesSent)),
    "CONNECTION_ID": number(lambda context: context.streamInfo.connectionID),
    "CONNECTION_TERMINATION_DETAILS": text(
        lambda context: context.streamInfo.connectionTerminationDetails or None
    ),
    "CUSTOM_FLAGS": _constantEntry(""),
    "DOWNSTREAM_DETECTED_CLOSE_TYPE": text(lambda context: context.streamInfo.detectedCloseType),
    "DOWNSTREAM_LOCAL_CLOSE_REASON": text(
        lambda context: context.streamInfo.localCloseReason or None
    ),
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON": text(
        lambda context: context.streamInfo.downstreamTransportFailureReason or None
    ),
    "DURATION": number(durationMilliseconds),
    "FILTER_CHAIN_NAME": text(lambda context: context.streamInfo.filterChainName or None),
    "LISTENER_NAME": text(_listenerName),
    "RESPONSE_FLAGS": text(_flags),
    "RESPONSE_FLAGS_LONG": text(_longFlags),
    "STREAM_ID": text(_streamID),
    "UNIQUE_ID": text(lambda context: str(uuid4())),
}
