"""Operators about the downstream connection or the stream itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted_envoy.formatter.operators.entry import (
    Entry,
    Operator,
    Operators,
    constant,
    number,
    text,
)
from twisted_envoy.formatter.operators.values import headerText
from twisted_envoy.state.stream_info import RESPONSE_FLAGS, FormatContext


def durationMilliseconds(context: FormatContext) -> int:
    """Whole milliseconds from start to end, or to now while it is open."""
    info = context.streamInfo
    end = context.now if info.endTime is None else info.endTime
    return max(0, round((end - info.startTime) * 1_000_000) // 1000)


def _transportFailure(context: FormatContext) -> str | None:
    info = context.streamInfo
    return info.downstreamTransportFailureReason or info.inspectionFailureReason or None


def _listenerName(context: FormatContext) -> str | None:
    return getattr(context.streamInfo.listener, "name", None)


def _flags(context: FormatContext) -> str:
    flags = context.streamInfo.responseFlags
    return ",".join(flags) if flags else "-"


def _longFlags(context: FormatContext) -> str:
    flags = context.streamInfo.responseFlags
    return ",".join(RESPONSE_FLAGS[flag] for flag in flags) if flags else "-"


def _streamID(context: FormatContext) -> str | None:
    info = context.streamInfo
    if info.isRequest:
        headers = info.requestHeaders
        found = None if headers is None else headers.get(b"x-request-id")
        return None if found is None else headerText(found)
    if not info.streamID:
        info.streamID = str(uuid4())
    return info.streamID


_STREAM_ID = Operator(_streamID, _streamID, isID=True)


def _constantEntry(value: object) -> Entry:
    operator = constant(value)
    return Entry(lambda command, operators: operator)


_ZERO = ("BYTES_RETRANSMITTED", "PACKETS_RETRANSMITTED", "DOWNSTREAM_CX_RTT")
"""What Envoy prints as 0."""


def _wireReceived(context: FormatContext) -> int:
    """On a plain connection only filters that know an upstream count these."""
    info: Any = context.streamInfo
    if info.isRequest:
        received: int = info.wireBytesReceived
        return received
    return 0 if info.upstream is None else info.bytesReceived


def _wireSent(context: FormatContext) -> int:
    info: Any = context.streamInfo
    if info.isRequest:
        sent: int = info.wireBytesSent
        return sent
    return 0 if info.upstream is None else info.bytesSent


OPERATORS: Operators = {
    **{name: _constantEntry(0) for name in _ZERO},
    "ACCESS_LOG_TYPE": text(lambda context: context.accessLogType),
    "BYTES_RECEIVED": number(lambda context: context.streamInfo.bytesReceived),
    "BYTES_SENT": number(lambda context: context.streamInfo.bytesSent),
    "DOWNSTREAM_WIRE_BYTES_RECEIVED": number(_wireReceived),
    "DOWNSTREAM_WIRE_BYTES_SENT": number(_wireSent),
    "CONNECTION_ID": number(lambda context: context.streamInfo.connectionID),
    "CONNECTION_TERMINATION_DETAILS": text(
        lambda context: context.streamInfo.connectionTerminationDetails or None
    ),
    "CUSTOM_FLAGS": _constantEntry(""),
    "DOWNSTREAM_DETECTED_CLOSE_TYPE": text(lambda context: context.streamInfo.detectedCloseType),
    "DOWNSTREAM_LOCAL_CLOSE_REASON": text(
        lambda context: context.streamInfo.localCloseReason or None
    ),
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON": text(_transportFailure),
    "DURATION": number(durationMilliseconds),
    "FILTER_CHAIN_NAME": text(lambda context: context.streamInfo.filterChainName or None),
    "LISTENER_NAME": text(_listenerName),
    "RESPONSE_FLAGS": text(_flags),
    "RESPONSE_FLAGS_LONG": text(_longFlags),
    "STREAM_ID": Entry(lambda command, operators: _STREAM_ID),
    "UNIQUE_ID": text(lambda context: str(uuid4())),
}
