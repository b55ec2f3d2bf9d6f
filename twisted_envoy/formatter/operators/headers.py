"""Operators that print a header or trailer, or how large they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter

from twisted_envoy.formatter.operators.entry import Arguments, Entry, Operator, Operators, number
from twisted_envoy.formatter.operators.values import headerText
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.stream_info import FormatContext

_ID = ("requestHeaders", b"x-request-id", b"", None)
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


def checkOption(name: str, option: str, allowed: tuple[str, ...], default: str = "") -> str:
    """
    One word of a command's arguments; "" stands for default, else the first that is allowed.

    Raises:
        FormatError: another word.
    """
    if option and option not in allowed:
        words = "/".join(f"'{word}'" for word in allowed)
        raise FormatError(f"Invalid {name} option: '{option}', only {words} are allowed")
    return option or default or allowed[0]


def _requestID(context: FormatContext) -> str | None:
    found: bytes | None = context.streamInfo.requestID
    return None if found is None else headerText(found)


def _header(attribute: str) -> Entry:
    """First values only, as in Envoy; a length counts bytes."""
    source = attrgetter("streamInfo." + attribute)

    def make(command: Command, operators: Operators) -> Operator:
        names = headerNames(command.arguments)
        first, second = (name.lower().encode() for name in names)
        length = command.length
        if (attribute, first, second, length) == _ID:
            return Operator(_requestID, _requestID, isID=True)

        def value(context: FormatContext) -> str | None:
            headers = source(context)
            if headers is None:
                return None
            found: bytes | None = headers.get(first)
            if found is None:
                found = headers.get(second)
                if found is None:
                    return None
            if length is not None:
                found = found[:length]
            return headerText(found)

        return Operator(value, value)

    return Entry(make, Arguments.REQUIRED, length=True)


def _size(attribute: str) -> Callable[[FormatContext], int]:
    source = attrgetter("streamInfo." + attribute)

    def size(context: FormatContext) -> int:
        headers = source(context)
        return 0 if headers is None else headers.byteSize()

    return size


_REQUEST, _RESPONSE = _header("requestHeaders"), _header("responseHeaders")
_TRAILERS = _header("responseTrailers")

OPERATORS: Operators = {
    "REQ": _REQUEST,
    "REQUEST_HEADER": _REQUEST,
    "STREAM_INFO_REQ": _REQUEST,
    "RESP": _RESPONSE,
    "RESPONSE_HEADER": _RESPONSE,
    "TRAILER": _TRAILERS,
    "RESPONSE_TRAILER": _TRAILERS,
    "REQUEST_HEADERS_BYTES": number(_size("requestHeaders")),
    "RESPONSE_HEADERS_BYTES": number(_size("responseHeaders")),
    "RESPONSE_TRAILERS_BYTES": number(_size("responseTrailers")),
}
