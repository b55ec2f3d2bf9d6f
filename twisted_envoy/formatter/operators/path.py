"""Operators about the path of a request: as it came or as it went on, its query and its parts."""

from __future__ import annotations

import re

from twisted_envoy.formatter.operators.entry import Arguments, Entry, Operator, Operators
from twisted_envoy.formatter.operators.headers import checkOption, headerNames
from twisted_envoy.formatter.operators.values import headerText
from twisted_envoy.formatter.parser import Command
from twisted_envoy.state.stream_info import FormatContext

_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENCODED_OR_NOT = re.compile(rb"%([0-9A-Fa-f]{2})|%(?=..)", re.DOTALL)
_STAYS_ENCODED = frozenset((*range(0x21), *range(0x7F, 0x100), *b'"<>\\^{|}'))


def _sources(option: str) -> tuple[bytes, bytes]:
    """The header to take, and the one to take when it is missing."""
    if option == "PATH":
        return b":path", b""
    return b"x-envoy-original-path", b"" if option == "ORIG" else b":path"


def _path(command: Command, operators: Operators) -> Operator:
    words = [*command.arguments.split(":"), ""]
    query = checkOption("PATH", words[0], ("WQ", "NQ")) == "WQ"
    option = checkOption("PATH", words[1], ("ORIG", "PATH", "ORIG_OR_PATH"), "ORIG_OR_PATH")
    first, second = _sources(option)
    return _ofHeaders(first, second, query, command.length)


def _ofHeaders(first: bytes, second: bytes, query: bool, length: int | None) -> Operator:
    def path(context: FormatContext) -> str | None:
        headers = context.streamInfo.requestHeaders
        found = None if headers is None else headers.get(first, headers.get(second))
        if found is None:
            return None
        return headerText((found if query else found.partition(b"?")[0])[:length])

    return Operator(path, path)


def _withoutQuery(command: Command, operators: Operators) -> Operator:
    first, second = headerNames(command.arguments)
    return _ofHeaders(first.lower().encode(), second.lower().encode(), False, command.length)


def _queryOf(context: FormatContext) -> bytes | None:
    """What stands behind the question mark; None without one."""
    headers = context.streamInfo.requestHeaders
    if headers is None:
        return None
    _, mark, query = headers.get(b":path", b"").partition(b"?")
    return query if mark else None


def _decode(text: bytes) -> bytes:
    return _ENCODED.sub(lambda found: bytes((int(found[1], 16),)), text) if b"%" in text else text


def _parameter(command: Command, operators: Operators) -> Operator:
    name, length = command.arguments.encode(), command.length

    def value(context: FormatContext) -> str | None:
        for pair in (_queryOf(context) or b"").split(b"&"):
            key, _, found = pair.partition(b"=")
            if _decode(key) == name:
                return headerText(_decode(found)[:length])
        return None

    return Operator(value, value)


def _readable(query: bytes) -> bytes:
    """Decoded where that reads well, as Envoy does: a percent sign that means nothing goes."""

    def character(found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return b""
        byte = int(found[1], 16)
        return found[0] if byte in _STAYS_ENCODED else bytes((byte,))

    return _ENCODED_OR_NOT.sub(character, query)


def _parameters(command: Command, operators: Operators) -> Operator:
    option = command.arguments.partition(":")[0]
    decoded = checkOption("QUERY_PARAMS", option, ("ORIG", "DECODED")) == "DECODED"
    length = command.length

    def query(context: FormatContext) -> str | None:
        found = _queryOf(context)
        if found is None:
            return None
        return headerText((_readable(found) if decoded else found)[:length])

    return Operator(query, query)


OPERATORS: Operators = {
    "PATH": Entry(_path, Arguments.OPTIONAL, length=True),
    "QUERY_PARAM": Entry(_parameter, Arguments.REQUIRED, length=True),
    "QUERY_PARAMS": Entry(_parameters, Arguments.OPTIONAL, length=True),
}

REQ_WITHOUT_QUERY: Operators = {
    "REQ_WITHOUT_QUERY": Entry(_withoutQuery, Arguments.REQUIRED, length=True)
}
"""Of the extension envoy.extensions.formatter.req_without_query.v3; only where that is named."""
