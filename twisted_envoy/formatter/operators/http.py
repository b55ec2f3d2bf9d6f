"""HTTP's other operators; a plain connection has no value for them, a 0 or an empty text."""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    number,
    text,
    unset,
)
from twisted_envoy.formatter.operators.headers import checkOption
from twisted_envoy.formatter.operators.values import (
    GRPC_STATUSES,
    grpcStatusOf,
    headerText,
    isGRPC,
)
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

_NOT_IN_NAME = re.compile(r"[^0-9A-Za-z._-]")
_CAMEL = {"OK": "OK", "CANCELLED": "Canceled"}


def serverNameText(name: str) -> str:
    """A name for people to read: what has no place in a host name becomes `_`, and that is said."""
    clean = _NOT_IN_NAME.sub("_", name)
    return clean if clean == name else f"invalid:{clean}"


def _serverName(context: FormatContext) -> str | None:
    name = context.streamInfo.requestedServerName
    return serverNameText(name) if name else None


def _hostOf(option: str) -> Callable[[FormatContext], str | None]:
    original, current = option != "HOST", option != "ORIG"

    def host(context: FormatContext) -> str | None:
        headers = context.streamInfo.requestHeaders
        if headers is None:
            return None
        found = headers.get(b"x-envoy-original-host") if original else None
        if not found and current:
            found = headers.get(b":authority")
        return headerText(found) if found else None

    return host


def _requestedServerName(command: Command, operators: Operators) -> Operator:
    words = [*command.arguments.split(":"), ""]
    order = checkOption(command.name, words[0], ("SNI_ONLY", "SNI_FIRST", "HOST_FIRST"))
    host = _hostOf(checkOption(command.name, words[1], ("ORIG_OR_HOST", "HOST", "ORIG")))
    if order == "SNI_ONLY":
        return Operator(_serverName, _serverName)
    first, second = (_serverName, host) if order == "SNI_FIRST" else (host, _serverName)

    def name(context: FormatContext) -> str | None:
        return first(context) or second(context)

    return Operator(name, name)


def _codeDetails(command: Command, operators: Operators) -> Operator:
    keepsBlanks = command.arguments == "ALLOW_WHITESPACES"

    def details(context: FormatContext) -> str | None:
        found = context.streamInfo.responseCodeDetails
        return (found if keepsBlanks else "_".join(found.split())) or None

    return Operator(details, details)


def _status(context: FormatContext) -> int | None:
    info = context.streamInfo
    return grpcStatusOf(info) if isGRPC(info.requestHeaders) else None


def _camelCase(name: str) -> str:
    return _CAMEL.get(name) or name.title().replace("_", "")


def _grpcStatus(command: Command, operators: Operators) -> Operator:
    style = command.arguments
    if style not in ("", "CAMEL_STRING", "SNAKE_STRING", "NUMBER"):
        raise FormatError(
            f"GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: {style}"
        )
    if style == "NUMBER":
        return _NUMBER.make(command, operators)
    names = GRPC_STATUSES
    if style != "SNAKE_STRING":
        names = tuple(map(_camelCase, names))

    def name(context: FormatContext) -> str | None:
        status = _status(context)
        if status is None:
            return None
        return names[status] if 0 <= status < len(names) else str(status)

    return Operator(name, name)


_NUMBER = number(_status)


def _bytes(field: Callable[[StreamInfo], int]) -> Entry:
    return number(lambda context: field(context.streamInfo))


def _virtualClusterName(context: FormatContext) -> str | None:
    """Counters know requests of no virtual cluster as `other`; that is no name."""
    name = context.streamInfo.virtualClusterName
    return name if name and name != "other" else None


def _resolutions(context: FormatContext) -> int:
    return 0 if context.streamInfo.requestHeaders is None else 1


_REQUEST_BYTES = _bytes(lambda info: info.requestHeaderBytes)
_RESPONSE_BYTES = _bytes(lambda info: info.responseHeaderBytes)
_UPSTREAM_RECEIVED = _bytes(lambda info: info.upstreamHeaderBytesReceived)
_UPSTREAM_SENT = _bytes(lambda info: info.upstreamHeaderBytesSent)

OPERATORS: Operators = {
    **{name: Entry(unset) for name in ("TRACE_ID", "SPAN_ID", "ROUTE_RESOLUTION_TIME_US")},
    "PROTOCOL": text(lambda context: context.streamInfo.protocol or None),
    "UPSTREAM_PROTOCOL": text(lambda context: context.streamInfo.upstreamProtocol or None),
    "RESPONSE_CODE": number(lambda context: context.streamInfo.responseCode),
    "RESPONSE_CODE_DETAILS": Entry(_codeDetails, Arguments.OPTIONAL),
    "ROUTE_NAME": text(lambda context: context.streamInfo.routeName or None),
    "VIRTUAL_CLUSTER_NAME": text(_virtualClusterName),
    "ROUTE_RESOLUTION_COUNT": number(_resolutions),
    "LOCAL_REPLY_BODY": text(lambda context: context.streamInfo.localReplyBody),
    "REQUESTED_SERVER_NAME": Entry(_requestedServerName, Arguments.OPTIONAL),
    "GRPC_STATUS": Entry(_grpcStatus, Arguments.OPTIONAL),
    "GRPC_STATUS_NUMBER": _NUMBER,
    "DOWNSTREAM_HEADER_BYTES_RECEIVED": _REQUEST_BYTES,
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED": _REQUEST_BYTES,
    "DOWNSTREAM_HEADER_BYTES_SENT": _RESPONSE_BYTES,
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT": _RESPONSE_BYTES,
    "UPSTREAM_HEADER_BYTES_RECEIVED": _UPSTREAM_RECEIVED,
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED": _UPSTREAM_RECEIVED,
    "UPSTREAM_HEADER_BYTES_SENT": _UPSTREAM_SENT,
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT": _UPSTREAM_SENT,
}
