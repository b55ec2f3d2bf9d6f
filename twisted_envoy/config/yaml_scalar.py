"""
One scalar of a YAML text, read and folded as yaml-cpp does.

Envoy: yaml-cpp 0.8, scanscalar and the escapes
"""

from __future__ import annotations

import re

from twisted_envoy.config.yaml_cursor import BREAK, DOCUMENT, Cursor, YAMLFault
from twisted_envoy.values import dataclass

_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "/": "/",
    "N": "\xc2\x85",
    "_": "\xc2\xa0",
    "L": "\xe2\x80\xa8",
    "P": "\xe2\x80\xa9",
}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
_HEX = re.compile(r"[0-9a-fA-F]*\Z")


@dataclass(slots=True)
class ScalarStyle:
    """
    How a kind of scalar is read.

    Args:
        end: what ends it; None for block scalars, which end by indentation.
        closes: whether the end must be there, and is eaten.
        escape: the character that begins an escape.
        indent: the column below which it has ended.
        findsIndent: whether the first line sets `indent`.
        fold: `flow`, `block` or `none`.
        keepsBreaks: of the line breaks at its end: `all`, `one` or `none`.
        trims: whether blanks at its end are dropped.
    """

    end: re.Pattern[str] | None = None
    closes: bool = False
    escape: str = ""
    indent: int = 0
    findsIndent: bool = False
    fold: str = "flow"
    eatsLeading: bool = True
    trims: bool = False
    keepsBreaks: str = "one"
    stopsAtDocument: bool = False
    refusesDocument: bool = False
    refusesTabs: bool = False


def _fault(cursor: Cursor, text: str) -> YAMLFault:
    return YAMLFault(cursor.place, text)


def readEscape(cursor: Cursor) -> str:
    """Read one escape, its sign included."""
    sign, character = cursor.eat(), cursor.eat()
    if sign == "'" and character == "'":
        return "'"
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character not in _HEX_DIGITS:
        raise _fault(cursor, f"unknown escape character: {character}")
    digits = cursor.eat(_HEX_DIGITS[character])
    if len(digits) < _HEX_DIGITS[character] or not _HEX.match(digits):
        raise _fault(cursor, "bad character found while scanning hex number")
    number = int(digits, 16)
    if 0xD800 <= number <= 0xDFFF or number > 0x10FFFF:
        raise _fault(cursor, f"invalid unicode: {number}")
    return chr(number).encode().decode("latin-1")


class _Reader:
    """The state of one scalar while its lines are read."""

    def __init__(self, cursor: Cursor, style: ScalarStyle) -> None:
        self.cursor = cursor
        self.style = style
        self.text = ""
        self.brokeOff = False
        self._escapedTo = -1  # text up to here came from escapes and is never trimmed
        self._anyLine = False
        self._pastFirstBreak = style.fold == "flow"
        self._empty = self._deeper = self._deeperFold = False
        self._emptyLines = 0

    def _ends(self) -> bool:
        end = self.style.end
        if end is None:
            return self.cursor.ended
        return self.cursor.sees(end)

    def read(self) -> None:
        """Read to the scalar's end."""
        while not self.cursor.ended:
            solid, escapedBreak = self._line()
            if self.cursor.ended:
                if self.style.closes:
                    raise _fault(self.cursor, "illegal EOF in scalar")
                break
            if self.style.stopsAtDocument and self._atDocument():
                break
            if self._ends():
                if self.style.closes:
                    self.cursor.eat()
                break
            if self.style.fold == "flow":
                self.text = self.text[:solid]
            self.cursor.take(BREAK)
            self._leading()
            self._fold(escapedBreak)
            if not self._empty and self.cursor.column < self.style.indent:
                self.brokeOff = True
                break
        self._trim()

    def _atDocument(self) -> bool:
        return self.cursor.column == 0 and self.cursor.sees(DOCUMENT)

    def _line(self) -> tuple[int, bool]:
        """Read one line; return its length without blanks at the end, and whether `\\` ends it."""
        cursor, style = self.cursor, self.style
        solid = len(self.text)
        while not self._ends() and not cursor.sees(BREAK) and not cursor.ended:
            if self._atDocument():
                if style.stopsAtDocument:
                    break
                if style.refusesDocument:
                    raise _fault(cursor, "illegal document indicator in scalar")
            self._anyLine = self._pastFirstBreak = True
            if style.escape and cursor.character == style.escape:
                if style.escape == "\\" and BREAK.match(cursor.text, cursor.at + 1):
                    cursor.eat()
                    self._escapedTo = len(self.text)
                    return len(self.text), True
                self.text += readEscape(cursor)
                solid = self._escapedTo = len(self.text)
                continue
            character = cursor.eat()
            self.text += character
            if character not in " \t":
                solid = len(self.text)
        return solid, False

    def _leading(self) -> None:
        """Eat the indentation of the next line."""
        cursor, style = self.cursor, self.style
        finds = style.findsIndent and not self._anyLine
        while (
            cursor.character == " " and (cursor.column < style.indent or finds) and not self._ends()
        ):
            cursor.eat()
        if finds:
            style.indent = max(style.indent, cursor.column)
        while cursor.character and cursor.character in " \t":
            if cursor.character == "\t" and cursor.column < style.indent and style.refusesTabs:
                raise _fault(cursor, "illegal tab when looking for indentation")
            if not style.eatsLeading or self._ends():
                break
            cursor.eat()

    def _fold(self, escapedBreak: bool) -> None:
        """Add what stands for the line break just eaten."""
        cursor, fold = self.cursor, self.style.fold
        empty = cursor.sees(BREAK)
        deeper = bool(cursor.character) and cursor.character in " \t"
        if fold == "block" and not self._emptyLines and empty:
            self._deeperFold = self._deeper
        if not self._pastFirstBreak:
            pass
        elif fold == "none":
            self.text += "\n"
        elif fold == "flow":
            if empty:
                self.text += "\n"
            elif not self._empty and not escapedBreak:
                self.text += " "
        else:
            self._foldBlock(empty, deeper)
        self._empty, self._deeper, self._pastFirstBreak = empty, deeper, True

    def _foldBlock(self, empty: bool, deeper: bool) -> None:
        inside = self.cursor.column >= self.style.indent
        if not self._empty and not empty and not self._deeper and not deeper and inside:
            self.text += " "
        elif empty:
            self._emptyLines += 1
        else:
            self.text += "\n"
        if not empty and self._emptyLines:
            self.text += "\n" * (self._emptyLines - 1)
            if self._deeperFold or deeper or not self._anyLine:
                self.text += "\n"
            self._emptyLines = 0

    def _trim(self) -> None:
        if self.style.trims:
            self.text = self._kept(" \t", 0)
        if self.style.keepsBreaks != "all":
            self.text = self._kept("\n", 1 if self.style.keepsBreaks == "one" else 0)

    def _kept(self, dropped: str, more: int) -> str:
        solid = len(self.text.rstrip(dropped))
        if self._escapedTo >= 0:
            solid = max(solid, self._escapedTo)
        elif solid == 0:
            return ""
        return self.text[: solid + more]


def scanScalar(cursor: Cursor, style: ScalarStyle) -> tuple[str, bool]:
    """Read one scalar; return its text and whether it ended by indentation."""
    reader = _Reader(cursor, style)
    reader.read()
    return reader.text, reader.brokeOff
