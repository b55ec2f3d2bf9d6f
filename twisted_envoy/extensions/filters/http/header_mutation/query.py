"""
Edits of the query: `config.core.v3.KeyValueMutation`.

As in Envoy the parameters are decoded, come out sorted by name, and are not encoded again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import Formatter, compileText
from twisted_envoy.http.routes.header_edits import Edit
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

Parameters = dict[bytes, list[bytes]]

_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")


def buildQueryEdit(views: Sequence[Any], context: Any) -> Edit | None:
    """
    Read a list of KeyValueMutations; None for an empty one.

    Raises:
        ConfigError: not exactly one action, no record, a value that is no text, a wrong format.
    """
    changes = tuple(_change(view) for view in views)
    seconds: Callable[[], float] = context.reactor.seconds

    def edit(headers: HeaderMap, info: StreamInfo) -> None:
        target = headers.get(b":path")
        if target is None:
            return
        path, _, query = target.partition(b"?")
        parameters = parseQuery(query)
        formatContext = FormatContext(info, now=seconds())
        for change in changes:
            change(parameters, formatContext)
        headers.set(b":path", path + _joined(parameters))

    return edit if changes else None


def parseQuery(query: bytes) -> Parameters:
    """The values of each name, decoded, in the order in which they came."""
    found: Parameters = {}
    if query:
        for pair in query.split(b"&"):
            name, _, value = pair.partition(b"=")
            found.setdefault(_decoded(name), []).append(_decoded(value))
    return found


def _decoded(text: bytes) -> bytes:
    return _ENCODED.sub(lambda match: bytes((int(match[1], 16),)), text)


def _joined(parameters: Parameters) -> bytes:
    pairs = [name + b"=" + value for name in sorted(parameters) for value in parameters[name]]
    return b"?" + b"&".join(pairs) if pairs else b""


def _change(view: Any) -> Callable[[Parameters, FormatContext], None]:
    removed = view.remove.encode()
    append = view.append
    if append is None:
        if not removed:
            raise view.error("One of 'append'/'remove' must be specified.")
        return _removing(removed)
    if removed:
        raise view.error("Only one of 'append'/'remove can be specified.")
    record = append.record
    if record is None:
        raise append.error("No record specified for append mutation.")
    if not isinstance(record.value, str):
        raise record.error("Only string value is allowed for record value.")
    return _appending(record.key.encode(), _format(record), append.action)


def _removing(name: bytes) -> Callable[[Parameters, FormatContext], None]:
    def remove(parameters: Parameters, context: FormatContext) -> None:
        parameters.pop(name, None)

    return remove


def _format(record: Any) -> Formatter:
    try:
        return compileText(record.value, omitEmpty=True)
    except FormatError as error:
        raise record.error(str(error), "value") from error


def _appending(
    name: bytes, format: Formatter, action: str
) -> Callable[[Parameters, FormatContext], None]:
    def append(parameters: Parameters, context: FormatContext) -> None:
        value = format(context).encode("utf-8", "surrogateescape")
        if action == "APPEND_IF_EXISTS_OR_ADD":
            parameters.setdefault(name, []).append(value)
        elif action == "ADD_IF_ABSENT":
            parameters.setdefault(name, [value])
        elif action == "OVERWRITE_IF_EXISTS_OR_ADD" or name in parameters:
            parameters[name] = [value]

    return append
