"""
The nodes of a config text, and what Envoy takes a scalar for.

Nodes are PyYAML's own (`ScalarNode`, `SequenceNode`, `MappingNode`), each with a start mark.  Envoy
reads YAML with yaml-cpp and turns it into JSON before it knows any type; the tag of a scalar node
here says all that this step needs to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from twisted_envoy.errors import Position

__all__ = [
    "AFTER",
    "BROKEN",
    "MappingNode",
    "Node",
    "Place",
    "ScalarNode",
    "SequenceNode",
    "classify",
    "isNull",
    "positionOf",
]

PLAIN = "?"  # a plain scalar without a tag: may be null, a bool, a number
STRING = "!"  # quoted, a block scalar, or marked `!`: always a string
NUMBER = "#"  # a number of a JSON text, as written
BROKEN = "\0"  # where a JSON text stops making sense: the value says why
AFTER = "\0"  # style of a BROKEN node that stands behind a list's last good element
IGNORED = "!ignore"  # a key whose value Envoy leaves out

KIND_NULL, KIND_BOOL, KIND_NUMBER, KIND_STRING, KIND_OTHER = range(5)

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {
    spelling: "true" if word in ("y", "yes", "true", "on") else "false"
    for word in ("y", "yes", "true", "on", "n", "no", "false", "off")
    for spelling in (word, word.upper(), word.capitalize())
}
_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|(0|[1-9][0-9]*))\Z")


class Place:
    """A mark of our own parsers: line and column count from 0, as in PyYAML's marks."""

    __slots__ = ("column", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column


# PyYAML's classes take any mark that has a line and a column.
_SCALAR: Callable[..., ScalarNode] = ScalarNode
_SEQUENCE: Callable[..., SequenceNode] = SequenceNode
_MAPPING: Callable[..., MappingNode] = MappingNode


def scalarNode(tag: str, value: str, place: Place, style: str = "") -> Node:
    """Make a scalar; `style` says more about BROKEN ones."""
    return _SCALAR(tag, value, place, place, style)


def sequenceNode(tag: str, place: Place) -> SequenceNode:
    """Make an empty list."""
    return _SEQUENCE(tag, [], place, place)


def mappingNode(tag: str, place: Place) -> MappingNode:
    """Make an empty object."""
    return _MAPPING(tag, [], place, place)


def styleOf(node: Node) -> str:
    """Return how a scalar was written."""
    return getattr(node, "style", None) or ""


def positionOf(node: Node, file: str) -> Position:
    """Return where a node begins, as users count."""
    mark = node.start_mark
    return Position(file, mark.line + 1, mark.column + 1)


def pack(node: Node) -> int:
    """Return where a node begins as one number, which outlives the node."""
    mark = node.start_mark
    return mark.line << 16 | min(mark.column, 0xFFFF)


def unpack(place: int, file: str) -> Position:
    """Return the position that `pack` made a number of."""
    return Position(file, (place >> 16) + 1, (place & 0xFFFF) + 1)


@lru_cache(maxsize=8192)
def classify(value: str) -> tuple[int, str]:
    """
    Say what an unquoted scalar is in JSON.

    Returns:
        Kind, and the JSON text: `true`, `-5`, or the string itself.  Integers outside of 32 bits
        and every fraction are strings; the type of the field decides later.
    Envoy: source/common/protobuf/yaml_utility.cc
    """
    if value in _BOOLS:
        return KIND_BOOL, _BOOLS[value]
    if found := _INTEGER.match(value):
        sign, sixteen, eight, ten = found.groups()
        number = int(sixteen, 16) if sixteen else int(eight, 8) if eight else int(ten)
        if sign == "-":
            number = -number
        if -(2**31) <= number < 2**31:
            return KIND_NUMBER, str(number)
        if -(2**63) <= number < 2**63:
            return KIND_STRING, str(number)
    return KIND_STRING, value


def scalarOf(node: Node) -> tuple[int, str]:
    """Return kind and JSON text of any node; for lists and objects KIND_OTHER and the bracket."""
    if node.__class__ is ScalarNode:
        tag = node.tag
        if tag == STRING:
            return KIND_STRING, node.value
        if tag == NUMBER:
            return KIND_NUMBER, node.value
        if tag == BROKEN:
            return KIND_OTHER, styleOf(node) or BROKEN
        if tag == PLAIN and node.value in _NULLS:
            return KIND_NULL, "null"
        return classify(node.value)
    return KIND_OTHER, "{" if node.__class__ is MappingNode else "["


def isNull(node: Node) -> bool:
    """Is this YAML's or JSON's null, which leaves a field unset?"""
    return node.__class__ is ScalarNode and node.tag == PLAIN and node.value in _NULLS


def keyText(node: Node) -> str | None:
    """Return a mapping key as JSON would have it; None for a key that is no scalar."""
    if node.__class__ is not ScalarNode:
        return None
    if node.tag == PLAIN and node.value in _NULLS:
        return "null"
    return str(node.value)


def firstCharacter(node: Node) -> str:
    """Return the character with which the JSON of a node would begin."""
    kind, text = scalarOf(node)
    return '"' if kind == KIND_STRING else text[0]
