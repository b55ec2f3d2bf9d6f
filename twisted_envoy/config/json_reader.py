"""
The nodes of a JSON text, with positions.

protobuf's JSON reader checks types while it parses, so an error of the syntax is reported only
when the reader comes to it.  Where a text breaks, the tree has a BROKEN node that says why; the
decoder raises it when it gets there.  Accepted beyond the standard, as in Envoy: single quotes,
bare words as keys, commas before a closing bracket, control characters in strings.

Envoy: the lexer of protobuf's JSON reader, in its legacy mode
"""

from __future__ import annotations

import math
import re

from twisted_envoy.config.load import Text
from twisted_envoy.config.nodes import (
    AFTER,
    BROKEN,
    NUMBER,
    PLAIN,
    STRING,
    MappingNode,
    Node,
    Place,
    mappingNode,
    scalarNode,
    sequenceNode,
)
from twisted_envoy.config.scalars import parseFloat

_MAX_DEPTH = 102  # one more than the decoder looks at
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-*[0-9]*(?:(?<=[0-9])\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIMPLE = re.compile(r"[^\"'\\]*")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {
    '"': '"',
    "'": "'",
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_END = "unexpected EOF"


class _Break(Exception):
    """The text makes no sense from here on."""


def readJSON(text: Text) -> Node:
    """Parse a JSON text; where it breaks off, the tree has a BROKEN node."""
    return _Reader(text.content).document()


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 0
        self._lineStart = 0
        self._broken: Node | None = None

    def document(self) -> Node:
        """Parse the whole text."""
        root = self._value(0)
        if self._broken is None:
            self._skip()
            if self._at < len(self._text) and isinstance(root, MappingNode):
                broken = self._break("extraneous characters after end of JSON object")
                root.value.append((broken, broken))
        return root

    def _place(self) -> Place:
        return Place(self._line, self._at - self._lineStart)

    def _skip(self) -> str:
        """Move to the next token; return its first character, empty at the end."""
        end = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
        newlines = self._text.count("\n", self._at, end)
        if newlines:
            self._line += newlines
            self._lineStart = self._text.rindex("\n", self._at, end) + 1
        self._at = end
        return self._text[end : end + 1]

    def _break(self, problem: str, first: str = "") -> Node:
        """
        Make the node of the place where the text breaks.

        Args:
            first: with which character the broken value begins; `AFTER` behind an element.
        """
        place = self._place()
        self._broken = scalarNode(BROKEN, problem, place, first)
        return self._broken

    def _scalar(self, tag: str, value: str, start: Place) -> Node:
        return scalarNode(tag, value, start)

    def _value(self, depth: int) -> Node:
        """Parse one value; if it breaks, self._broken is set and the partial value returned."""
        character = self._skip()
        start = self._place()
        if not character:
            return self._break(_END)
        if character in "{[":
            if depth >= _MAX_DEPTH:
                return self._break("JSON content was too deeply nested")
            return self._object(start, depth) if character == "{" else self._list(start, depth)
        try:
            if character in "\"'":
                return self._scalar(STRING, self._string(), start)
            if character in "-0123456789":
                return self._scalar(NUMBER, self._number(), start)
        except _Break as fault:
            return self._break(str(fault), character)
        for word in ("true", "false", "null"):
            if character == word[0]:
                if not self._text.startswith(word, self._at):
                    problem = f"unexpected character: '{character}'; expected '{word}'"
                    return self._break(problem, character)
                self._at += len(word)
                return self._scalar(PLAIN, word, start)
        return self._break(f"unexpected character: '{character}'", character)

    def _comma(self, closing: str) -> bool:
        """Move over a comma and a closing bracket; return whether this was the end."""
        character = self._skip()
        if character == ",":
            self._at += 1
            if self._skip() != closing:
                return False
        elif character != closing:
            raise _Break("expected ','")
        self._at += 1
        return True

    def _object(self, start: Place, depth: int) -> Node:
        node = mappingNode("?", start)
        pairs: list[tuple[Node, Node]] = node.value
        self._at += 1
        try:
            if self._skip() == "}":
                self._at += 1
                return node
            while True:
                key = self._key()
                pairs.append((key, self._value(depth + 1)))
                if self._broken is not None or self._comma("}"):
                    return node
        except _Break as problem:
            broken = self._break(str(problem))
            pairs.append((broken, broken))
            return node

    def _key(self) -> Node:
        character = self._skip()
        start = self._place()
        if not character:
            raise _Break(_END)
        if character in "\"'":
            text = self._string()
        else:
            word = _WORD.match(self._text, self._at)
            if word is None or word[0] in ("true", "false", "null"):
                raise _Break("expected bare word")
            text = word[0]
            self._at = word.end()
        character = self._skip()
        if character != ":":
            raise _Break(
                f"unexpected character: '{character}'; expected ':'" if character else _END
            )
        self._at += 1
        return self._scalar(STRING, text, start)

    def _list(self, start: Place, depth: int) -> Node:
        node = sequenceNode("?", start)
        elements: list[Node] = node.value
        self._at += 1
        try:
            if self._skip() == "]":
                self._at += 1
                return node
            while True:
                elements.append(self._value(depth + 1))
                if self._broken is not None or self._comma("]"):
                    return node
        except _Break as problem:
            elements.append(self._break(str(problem), AFTER))
            return node

    def _number(self) -> str:
        text = _NUMBER.match(self._text, self._at)[0]  # type: ignore[index]
        self._at += len(text)
        digits = text.lstrip("-")
        if text in ("", "-"):
            raise _Break("expected a number")
        if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
            raise _Break("number cannot have extraneous leading zero")
        if text.endswith("."):
            raise _Break("number cannot have trailing period")
        value = parseFloat(text)
        if value is None or not math.isfinite(value):
            raise _Break(f"invalid number: '{text}'")
        character = self._skip()
        if character and character not in ",]}":
            raise _Break(f"unexpected character: '{character}'")
        return text

    def _string(self) -> str:
        quote = self._text[self._at]
        self._at += 1
        parts: list[str] = []
        while True:
            plain = _SIMPLE.match(self._text, self._at)[0]  # type: ignore[index]
            parts.append(plain)
            newlines = plain.count("\n")
            if newlines:
                self._line += newlines
                self._lineStart = self._at + plain.rindex("\n") + 1
            self._at += len(plain)
            character = self._text[self._at : self._at + 1]
            self._at += 1
            if not character:
                raise _Break(_END)
            if character == quote:
                return "".join(parts)
            parts.append(self._escape() if character == "\\" else character)

    def _escape(self) -> str:
        character = self._text[self._at : self._at + 1]
        self._at += 1
        if not character:
            raise _Break(_END)
        if character not in "uU":
            if character not in _ESCAPES:
                raise _Break(f"invalid escape char: '{character}'")
            return _ESCAPES[character]
        high = self._hex()
        if 0xDC00 <= high <= 0xDFFF:
            raise _Break("unpaired low surrogate")
        if not 0xD800 <= high <= 0xDBFF:
            return chr(high)
        if not self._text.startswith("\\u", self._at):
            found = self._text[self._at : self._at + 1]
            raise _Break(f"unexpected character: '{found}'; expected '\\u'" if found else _END)
        self._at += 2
        low = self._hex()
        if not 0xDC00 <= low <= 0xDFFF:
            raise _Break("invalid low surrogate")
        return chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))

    def _hex(self) -> int:
        found = _HEX.match(self._text, self._at)
        if found is None:
            raise _Break("invalid Unicode escape" if len(self._text) - self._at >= 4 else _END)
        self._at += 4
        return int(found[0], 16)
