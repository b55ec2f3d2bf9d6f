"""
HTTP's operators as a plain connection sees them: checked, and without a value.

What an HTTP stream knows replaces these entries in its own table.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted_envoy.formatter.operators.entry import (
    UNSET,
    Arguments,
    Entry,
    Operator,
    Operators,
    constant,
    text,
    unset,
)
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.stream_info import FormatContext

_NOT_IN_NAME = re.compile(r"[^0-9A-Za-z._-]")
_HEADER_NAME = re.compile(r":?[!#$%&'*+\-.^_`|~0-9A-Za-z]*\Z")


def headerNames(arguments: str) -> tuple[str, str]:
    """
    The header and the one to take instead (`NAME?ALTERNATIVE`), "" when there is none.

    Raises:
        FormatError: more than one alternative, or no header name.
    """
    names = arguments.split("?")
    if len(names) > 2:
        raise FormatError(f"More than 1 alternative header specified in token: {arguments}")
    if not all(map(_HEADER_NAME.match, names)):
        raise FormatError(
            "Invalid header configuration. Format string contains invalid characters."
        )
    return names[0], names[1] if len(names) == 2 else ""


def _header(command: Command, operators: Operators) -> Operator:
    headerNames(command.arguments)
    return UNSET


def checkOption(name: str, option: str, allowed: tuple[str, ...]) -> str:
    """
    One word of a command's arguments; "" stands for the first that is allowed.

    Raises:
        FormatError: another word.
    """
    if option and option not in allowed:
        words = "/".join(f"'{word}'" for word in allowed)
        raise FormatError(f"Invalid {name} option: '{option}', only {words} are allowed")
    return option or allowed[0]


def _options(
    *choices: tuple[str, ...], value: Operator = UNSET
) -> Callable[[Command, Operators], Operator]:
    def make(command: Command, operators: Operators) -> Operator:
        for option, allowed in zip(command.arguments.split(":"), choices, strict=False):
            checkOption(command.name, option, allowed)
        return value

    return make


def serverNameText(name: str) -> str:
    """A name for people to read: what has no place in a host name becomes `_`, and that is said."""
    clean = _NOT_IN_NAME.sub("_", name)
    return clean if clean == name else f"invalid:{clean}"


def _requestedServerName() -> Operator:
    def value(context: FormatContext) -> str | None:
        name = context.streamInfo.requestedServerName
        return serverNameText(name) if name else None

    operator = text(value)
    return operator.make(Command("REQUESTED_SERVER_NAME"), {})


def _codeDetails(command: Command, operators: Operators) -> Operator:
    keepsBlanks = command.arguments == "ALLOW_WHITESPACES"

    def details(context: FormatContext) -> str | None:
        found = context.streamInfo.responseCodeDetails
        return (found if keepsBlanks else "_".join(found.split())) or None

    return text(details).make(Command("RESPONSE_CODE_DETAILS"), {})


def _grpcStatus(command: Command, operators: Operators) -> Operator:
    if command.arguments not in ("", "CAMEL_STRING", "SNAKE_STRING", "NUMBER"):
        raise FormatError(
            "GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. "
            f"Got: {command.arguments}"
        )
    return UNSET


def _zero(value: object) -> Entry:
    operator = constant(value)
    return Entry(lambda command, operators: operator)


_HEADERS = (
    *("REQ", "RESP", "TRAILER", "REQUEST_HEADER", "RESPONSE_HEADER", "RESPONSE_TRAILER"),
    "STREAM_INFO_REQ",
)
_UNSET = (
    *("PROTOCOL", "ROUTE_NAME", "VIRTUAL_CLUSTER_NAME", "TRACE_ID", "SPAN_ID"),
    *("UPSTREAM_PROTOCOL", "REQUEST_DURATION", "REQUEST_TX_DURATION", "RESPONSE_DURATION"),
    *(
        "ROUNDTRIP_DURATION",
        "RESPONSE_TX_DURATION",
        "GRPC_STATUS_NUMBER",
        "ROUTE_RESOLUTION_TIME_US",
    ),
)
_ZERO = (
    *("REQUEST_HEADERS_BYTES", "RESPONSE_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES"),
    *("ROUTE_RESOLUTION_COUNT", "UPSTREAM_HEADER_BYTES_RECEIVED", "UPSTREAM_HEADER_BYTES_SENT"),
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
)

OPERATORS: Operators = {
    **{name: Entry(_header, Arguments.REQUIRED, length=True) for name in _HEADERS},
    **{name: Entry(unset) for name in _UNSET},
    **{name: _zero(0) for name in _ZERO},
    "LOCAL_REPLY_BODY": _zero(""),
    "RESPONSE_CODE_DETAILS": Entry(_codeDetails, Arguments.OPTIONAL),
    "QUERY_PARAM": Entry(unset, Arguments.REQUIRED, length=True),
    "QUERY_PARAMS": Entry(_options(("ORIG", "DECODED")), Arguments.OPTIONAL, length=True),
    "PATH": Entry(
        _options(("WQ", "NQ"), ("ORIG", "PATH", "ORIG_OR_PATH")), Arguments.OPTIONAL, length=True
    ),
    "REQUESTED_SERVER_NAME": Entry(
        _options(
            ("SNI_ONLY", "SNI_FIRST", "HOST_FIRST"),
            ("ORIG_OR_HOST", "HOST", "ORIG"),
            value=_requestedServerName(),
        ),
        Arguments.OPTIONAL,
    ),
    "GRPC_STATUS": Entry(_grpcStatus, Arguments.OPTIONAL),
}
