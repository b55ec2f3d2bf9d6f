"""
JSON formats: a tree whose leaves are formats; keys come out sorted, without blanks.

A leaf that is one command keeps the value's type; any other string leaf is a text.  With
omit_empty_values what has no value is left out, and so is a member object that has become empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from twisted_envoy.formatter.json_text import doubles, jsonText
from twisted_envoy.formatter.line import Formatter, Hole, Line
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Moment, Operators, Value, compileCommand
from twisted_envoy.formatter.parser import Command, parse
from twisted_envoy.formatter.text import compileText, samenessIn
from twisted_envoy.state.stream_info import FormatContext

_UNASKED: Any = None
"""What literals do not ask."""

Node = Callable[[FormatContext], "str | None"]


def compileJSON(
    struct: Mapping[str, object], omitEmpty: bool = False, operators: Operators = BUILT_IN
) -> Formatter:
    """
    Make the formatter of a JSON format; its text is one line with its newline.

    Args:
        struct: a google.protobuf.Struct as a dict.
        omitEmpty: leave out what has no value instead of printing null.
    Raises:
        FormatError: a leaf that cannot be obeyed.
    """
    if not omitEmpty:
        return Line([*_parts(struct, operators), "\n"])
    node = _mapping(struct, omitEmpty, operators)
    return lambda context: (node(context) or "{}") + "\n"


def _parts(value: object, operators: Operators) -> Iterator[str | Hole]:
    """Texts and holes of a tree from which nothing is left out."""
    if isinstance(value, Mapping):
        before = "{"
        for key, member in sorted(value.items()):
            yield before + jsonText(key) + ":"
            yield from _parts(member, operators)
            before = ","
        yield "}" if value else "{}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, member in enumerate(value):
            yield "," if number else "["
            yield from _parts(member, operators)
        yield "]" if value else "[]"
    else:
        yield _part(value, operators)


def _part(value: object, operators: Operators) -> str | Hole:
    node = _node(value, False, operators)
    parts = parse(value) if isinstance(value, str) else []
    commands = [one for one in parts if isinstance(one, Command)]
    if not commands:
        return node(_UNASKED) or ""
    sameness = max(samenessIn(operators, one) for one in commands)
    if len(parts) > 1:
        return Hole(node, sameness)
    said = compileCommand(commands[0], operators)
    quotes = '"' if said.isID else None
    return Hole(node, sameness, _inQuotes(said.moment), said.isLate, quotes)


def _inQuotes(moment: Moment | None) -> Moment | None:
    return None if moment is None else lambda seconds: jsonText(moment(seconds))


def _node(value: object, omitEmpty: bool, operators: Operators) -> Node:
    if isinstance(value, Mapping):
        return _mapping(value, omitEmpty, operators)
    if isinstance(value, str):
        return _leaf(value, omitEmpty, operators)
    if isinstance(value, Sequence):
        return _list(value, omitEmpty, operators)
    return _literal(None if value is None and omitEmpty else jsonText(doubles(value)))


def _literal(text: str | None) -> Node:
    return lambda context: text


def _leaf(source: str, omitEmpty: bool, operators: Operators) -> Node:
    parts = parse(source)
    if all(isinstance(part, str) for part in parts):
        return _literal(jsonText("".join(map(str, parts))))
    if len(parts) > 1 or isinstance(parts[0], str):
        text = compileText(source, omitEmpty, operators)
        return lambda context: jsonText(text(context))
    return _value(compileCommand(parts[0], operators).value, omitEmpty)


def _value(value: Value, omitEmpty: bool) -> Node:
    if not omitEmpty:
        return lambda context: jsonText(value(context))

    def orNothing(context: FormatContext) -> str | None:
        found = value(context)
        return None if found is None else jsonText(found)

    return orNothing


def _mapping(struct: Mapping[str, object], omitEmpty: bool, operators: Operators) -> Node:
    members = tuple(
        (jsonText(key) + ":", _node(value, omitEmpty, operators))
        for key, value in sorted(struct.items())
    )

    def render(context: FormatContext) -> str | None:
        texts = [key + text for key, node in members if (text := node(context)) is not None]
        return None if omitEmpty and not texts else "{" + ",".join(texts) + "}"

    return render


def _list(values: Sequence[object], omitEmpty: bool, operators: Operators) -> Node:
    nodes = tuple(_node(value, omitEmpty, operators) for value in values)

    def render(context: FormatContext) -> str:
        texts = [text for node in nodes if (text := node(context)) is not None]
        return "[" + ",".join(texts) + "]"

    return render
