"""`%FILTER_STATE(key:PLAIN|TYPED|FIELD:field)%` and the same of the upstream connection."""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.formatter.json_text import jsonText, plainText
from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    cut,
)
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.filter_state import FilterState, FilterStateObject
from twisted_envoy.state.stream_info import FormatContext

Source = Callable[[FormatContext, str], "FilterStateObject | None"]


def _downstream(context: FormatContext, key: str) -> FilterStateObject | None:
    return context.streamInfo.stateOf(key)


def _upstream(context: FormatContext, key: str) -> FilterStateObject | None:
    upstream = context.streamInfo.upstream
    state: FilterState | None = None if upstream is None else upstream.filterState
    return None if state is None else state.get(key)


def _entry(source: Source) -> Entry:
    def make(command: Command, operators: Operators) -> Operator:
        key, style, field = _arguments(command.arguments)

        def found(context: FormatContext) -> FilterStateObject | None:
            return source(context, key)

        if style == "PLAIN":
            return _plain(found, command.length)
        if style == "FIELD":
            return _field(found, field, command.length)
        return _typed(found, command.length)

    return Entry(make, Arguments.OPTIONAL, length=True)


def _arguments(arguments: str) -> tuple[str, str, str]:
    words = [*arguments.split(":"), "", ""]
    key, style, field = words[0], words[1] or "TYPED", words[2]
    if not key:
        raise FormatError("Invalid filter state configuration, key cannot be empty.")
    if style not in ("PLAIN", "TYPED", "FIELD"):
        raise FormatError("Invalid filter state serialize type, only support PLAIN/TYPED/FIELD.")
    if (style == "FIELD") != bool(field):
        raise FormatError(
            "Invalid filter state serialize type, FIELD should be used with the field name."
        )
    return key, style, field


Found = Callable[[FormatContext], "FilterStateObject | None"]


def _plain(found: Found, length: int | None) -> Operator:
    def text(context: FormatContext) -> str | None:
        stored = found(context)
        return None if stored is None else stored.plainText()

    shortened = cut(text, length)
    return Operator(shortened, shortened)


def _field(found: Found, field: str, length: int | None) -> Operator:
    def text(context: FormatContext) -> str | None:
        stored = found(context)
        return None if stored is None else plainText(stored.field(field))

    shortened = cut(text, length)
    return Operator(shortened, shortened)


def _typed(found: Found, length: int | None) -> Operator:
    """The text is JSON (a string stands in quotes); in JSON the value keeps its type and length."""

    def value(context: FormatContext) -> object:
        stored = found(context)
        return None if stored is None else stored.typed()

    def text(context: FormatContext) -> str | None:
        typedValue = value(context)
        return None if typedValue is None else jsonText(typedValue)

    return Operator(value, cut(text, length))


OPERATORS: Operators = {
    "FILTER_STATE": _entry(_downstream),
    "UPSTREAM_FILTER_STATE": _entry(_upstream),
}
