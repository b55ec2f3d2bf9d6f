"""Operators that look into metadata: namespace, then keys, separated by colons."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted_envoy.formatter.json_text import doubles
from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    Value,
    typed,
)
from twisted_envoy.formatter.operators.upstream import clusterOf
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.stream_info import FormatContext

Source = Callable[[FormatContext], object]


def lookUp(metadata: object, path: list[str]) -> object:
    """The value at a path of keys through nested mappings; None when there is none."""
    for key in path:
        if not isinstance(metadata, Mapping):
            return None
        metadata = metadata.get(key)
    return metadata


def _dynamic(context: FormatContext) -> object:
    return context.streamInfo.dynamicMetadata


def _cluster(context: FormatContext) -> object:
    return getattr(clusterOf(context), "metadata", None)


def _host(context: FormatContext) -> object:
    upstream = context.streamInfo.upstream
    return None if upstream is None else getattr(upstream.host, "metadata", None)


def _listener(context: FormatContext) -> object:
    return getattr(context.streamInfo.listener, "metadata", None)


def _filterChain(context: FormatContext) -> object:
    return context.streamInfo.filterChainMetadata


def _route(context: FormatContext) -> object:
    return getattr(context.streamInfo.route, "metadata", None)


def _virtualHost(context: FormatContext) -> object:
    return getattr(getattr(context.streamInfo.route, "virtualHost", None), "metadata", None)


_KINDS: dict[str, Source] = {
    "DYNAMIC": _dynamic,
    "CLUSTER": _cluster,
    "UPSTREAM_HOST": _host,
    "LISTENER": _listener,
    "LISTENER_FILTER_CHAIN": _filterChain,
    "ROUTE": _route,
    "VIRTUAL_HOST": _virtualHost,
}
"""Kinds of `%METADATA(KIND:...)%`."""


def _operator(source: Source, arguments: str, length: int | None) -> Operator:
    path = arguments.split(":")
    value = typed(lambda context: doubles(lookUp(source(context), path)), length)
    return value if length is None else Operator(_cutText(value.value, length), value.text)


def _cutText(value: Value, length: int) -> Value:
    """In JSON a string is cut to the length, and nothing else is."""

    def shortened(context: FormatContext) -> object:
        found = value(context)
        return found[:length] if isinstance(found, str) else found

    return shortened


def _entry(source: Source, length: bool = False) -> Entry:
    return Entry(
        lambda command, operators: _operator(source, command.arguments, command.length),
        Arguments.REQUIRED,
        length,
    )


def _metadata(command: Command, operators: Operators) -> Operator:
    kind, _, rest = command.arguments.partition(":")
    if kind not in _KINDS:
        raise FormatError(f"{kind} is not supported type of metadata")
    return _operator(_KINDS[kind], rest, command.length)


OPERATORS: Operators = {
    "DYNAMIC_METADATA": _entry(_dynamic, length=True),
    "CLUSTER_METADATA": _entry(_cluster),
    "UPSTREAM_METADATA": _entry(_host),
    "METADATA": Entry(_metadata, Arguments.OPTIONAL, length=True),
}
