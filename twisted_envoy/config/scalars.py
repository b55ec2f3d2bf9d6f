"""
Scalars of a config: what Envoy accepts for each protobuf type, and its words when it does not.

Every reader takes a node that is not null and returns the value to set, or raises Problem.

Envoy: the JSON reader of protobuf in its legacy mode, behind yaml-cpp's idea of scalars.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Callable

from google.protobuf.descriptor import EnumDescriptor

from twisted_envoy.config.nodes import (
    AFTER,
    BROKEN,
    KIND_BOOL,
    KIND_NUMBER,
    KIND_STRING,
    STRING,
    Node,
    ScalarNode,
    firstCharacter,
    scalarOf,
    styleOf,
)
from twisted_envoy.config.problem import Problem

Reader = Callable[[Node], object]

SKIPPED = object()  # what an enum reader returns for a name that is to be ignored

_TRUE = frozenset(("true", "t", "yes", "y", "1"))
_FALSE = frozenset(("false", "f", "no", "n", "0"))
_WHOLE = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+[ \t\n\v\f\r]*\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?\Z"
)
_NAMED = re.compile(r"[+-]?(?:inf|infinity|nan(?:\([0-9A-Za-z_]*\))?)\Z", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*\Z")
_JSON_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_SPACE = re.compile(r"[ \t\n\v\f\r]")


def broken(node: Node, words: str = "n") -> Problem | None:
    """
    Return the Problem of a node that stands for broken JSON, else None.

    Args:
        words: what of `t`, `f` and `n` may begin a value here: such a word is looked at whole,
            others only by their first character.
    """
    if node.__class__ is not ScalarNode or node.tag != BROKEN:
        return None
    style = styleOf(node)
    if style and style in "tf" and style not in words:
        return None
    pathless = node.value.startswith(("unexpected EOF", "extraneous"))
    return Problem(node.value, node, path=not pathless, late=style == AFTER)


_LETTERS = frozenset("yYnN")


def unexpected(node: Node, wanted: str) -> Problem:
    """Return the Problem of a node of the wrong kind, which lacks the character `wanted`."""
    fault = broken(node)
    first = styleOf(node) if fault is not None else firstCharacter(node)
    if fault is not None and (not first or first in (AFTER, wanted, "n")):
        return fault
    hint = ""
    if wanted == '"' and node.__class__ is ScalarNode and node.value in _LETTERS:
        hint = f"'{node.value}' without quotes is a flag, write \"{node.value}\""
    return Problem(f"unexpected character: '{first}'; expected '{wanted}'", node, hint=hint)


def readString(node: Node) -> str:
    """Read a string: quoted, or plain and neither null, bool nor 32-bit integer."""
    if node.__class__ is ScalarNode:
        if node.tag == STRING:
            return str(node.value)
        kind, text = scalarOf(node)
        if kind == KIND_STRING:
            return text
    raise unexpected(node, '"')


def readBool(node: Node) -> bool:
    """Read a bool, quoted or not."""
    kind, text = scalarOf(node)
    if kind == KIND_BOOL:
        return text == "true"
    if kind == KIND_STRING:
        word = text.lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    raise broken(node, "tfn") or Problem("expected 'true' or 'false'", node)


def parseFloat(text: str) -> float | None:
    """Read a floating point number as Envoy's libraries do; None when it is none."""
    text = text.strip(" \t\n\v\f\r")
    if _DECIMAL.match(text) or _NAMED.match(text):
        if "(" in text:
            return math.nan
        return float(text)
    if _HEXADECIMAL.match(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return -math.inf if text.startswith("-") else math.inf
    return None


def integerReader(low: int, high: int, signed: bool) -> Callable[[Node], int]:
    """
    Make the reader of one integer type.

    Args:
        low, high: what the type can hold.
        signed: whether the 64-bit integer it is first read as is signed.
    """
    widest = (-(2**63), 2**63 - 1) if signed else (0, 2**64 - 1)
    exact = (-(2.0**53), 2.0**53) if signed else (0.0, 2.0**54)

    def read(node: Node) -> int:
        kind, text = scalarOf(node)
        if kind == KIND_STRING:
            if _SPACE.search(text):
                raise Problem("non-number characters in quoted number", node)
        elif kind != KIND_NUMBER:
            raise broken(node) or Problem("expected number or string", node)
        if _WHOLE.match(text) and widest[0] <= int(text) <= widest[1]:
            number = int(text)
        else:
            number = fromFloat(node, text)
        if not low <= number <= high:
            raise Problem("integer out of range", node)
        return number

    def fromFloat(node: Node, text: str) -> int:
        value = parseFloat(text)
        if value is None or not math.isfinite(value):
            raise Problem(f"invalid number: '{text}'", node)
        if not exact[0] <= value <= exact[1]:
            raise Problem("JSON number out of range for int", node)
        if value != int(value):
            raise Problem("expected integer, but JSON number had fractional part", node)
        return int(value)

    return read


def readDouble(node: Node) -> float:
    """Read a double; what is too large is infinite."""
    kind, text = scalarOf(node)
    if kind == KIND_NUMBER:
        return float(text)
    if kind != KIND_STRING:
        raise broken(node) or Problem("expected number or string", node)
    value = _JSON_FLOATS.get(text)
    if value is None:
        value = parseFloat(text)
    if value is None:
        raise Problem("non-number characters in quoted number", node)
    return value


def readFloat(node: Node) -> float:
    """Read a 32-bit float."""
    value = readDouble(node)
    if math.isfinite(value):
        try:
            struct.pack("<f", value)
        except OverflowError:
            raise Problem("float out of range", node) from None
    return value


def readBytes(node: Node) -> bytes:
    """Read base64, of either alphabet, padded or not."""
    text = readString(node)
    body = text
    if len(text) % 4 == 0 and text.endswith("="):
        body = text[:-2] if text.endswith("==") else text[:-1]
    if not _BASE64.match(body) or len(body) % 4 == 1:
        raise Problem("corrupt base64", node)
    return base64.urlsafe_b64decode(
        body.replace("+", "-").replace("/", "_") + "=" * (-len(body) % 4)
    )


def enumReader(enum: EnumDescriptor) -> Callable[[Node, bool], object]:
    """
    Make the reader of one enum: names in any case, or numbers, known or not.

    The reader's second argument says whether an unknown name is an error; if not, it is SKIPPED.
    """
    numbers = {value.name: value.number for value in enum.values}
    folded: dict[str, int] = {}
    for value in enum.values:
        folded.setdefault(value.name.lower(), value.number)
    readNumber = integerReader(-(2**31), 2**31 - 1, True)

    def read(node: Node, strict: bool) -> object:
        kind, text = scalarOf(node)
        if kind != KIND_STRING:
            return readNumber(node)
        number = numbers.get(text)
        if number is None:
            number = folded.get(text.lower())
        if number is not None:
            return number
        if _WHOLE.match(text) and -(2**31) <= int(text) < 2**31:
            return int(text)
        if not strict:
            return SKIPPED
        raise Problem(
            f"unknown enum value: '{text}'",
            node,
            soft=True,
            path=False,
            hint=f"known: {', '.join(numbers)}",
        )

    return read


_signed32 = integerReader(-(2**31), 2**31 - 1, True)
_signed64 = integerReader(-(2**63), 2**63 - 1, True)
_unsigned32 = integerReader(0, 2**32 - 1, False)
_unsigned64 = integerReader(0, 2**64 - 1, False)

# By the number of FieldDescriptor's type.
READERS: dict[int, Reader] = {
    1: readDouble,
    2: readFloat,
    3: _signed64,
    4: _unsigned64,
    5: _signed32,
    6: _unsigned64,
    7: _unsigned32,
    8: readBool,
    9: readString,
    12: readBytes,
    13: _unsigned32,
    15: _signed32,
    16: _signed64,
    17: _signed32,
    18: _signed64,
}

TYPE_NAMES = {
    1: "double",
    2: "float",
    3: "int64",
    4: "uint64",
    5: "int32",
    6: "fixed64",
    7: "fixed32",
    8: "bool",
    9: "string",
    10: "group",
    11: "message",
    12: "bytes",
    13: "uint32",
    14: "enum",
    15: "sfixed32",
    16: "sfixed64",
    17: "sint32",
    18: "sint64",
}


def keyReader(fieldType: int) -> Callable[[str, Node], object]:
    """Make the reader of a map's keys, which are strings in JSON whatever their type."""

    def readKey(text: str, node: Node) -> object:
        if fieldType == 9:
            return text
        if fieldType == 8:
            if text in ("true", "false"):
                return text == "true"
            raise Problem(f"expected bool string, got '{text}'", node)
        if _WHOLE.match(text):
            try:
                return READERS[fieldType](ScalarNode(STRING, text, node.start_mark, node.end_mark))
            except Problem:
                pass
        raise Problem("non-number characters in quoted number", node)

    return readKey
