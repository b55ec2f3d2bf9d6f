"""
What a YAML text is made of while it is scanned: open blocks, open brackets, and keys only guessed.

States of a token: a key or map start is a GUESS until its `:` is found; then it is SURE, or it
turns out to be NOTHING.

Envoy: yaml-cpp 0.8, scanner and simplekey
"""

from __future__ import annotations

import re
from collections import deque

from twisted_envoy.config.nodes import Place
from twisted_envoy.config.yaml_cursor import Cursor
from twisted_envoy.values import dataclass

GUESS, SURE, NOTHING = "guess", "sure", "nothing"

BLOCK_ENTRY = re.compile(r"-(?=[ \t\r\n]|\Z)")


@dataclass(slots=True)
class Token:
    """
    One token.

    Args:
        kind: `key`, `value`, `scalar`, `quoted`, `[`, `]`, `{`, `}`, `,`, `-`, `map`, `seq`,
            `end map`, `end seq`, `anchor`, `alias`, `tag`, `---`, `...`, `%`.
    """

    kind: str
    place: Place
    value: str = ""
    state: str = SURE


@dataclass(slots=True)
class _Indent:
    column: int
    kind: str
    start: Token | None = None
    state: str = SURE


@dataclass(slots=True)
class _Guess:
    """A key that may turn out to be one, and what it would begin."""

    position: int
    line: int
    flow: int
    key: Token
    indent: _Indent | None

    def settle(self, state: str) -> None:
        self.key.state = state
        if self.indent is not None:
            self.indent.state = state
            if self.indent.start is not None:
                self.indent.start.state = state


class Structure:
    """
    The token queue, and what decides which tokens a place in the text makes.

    Attributes:
        flows: the brackets that are open.
        keyAllowed: whether what comes next may be a key.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._guesses: list[_Guess] = []
        self._indents = [_Indent(-1, "none")]
        self.tokens: deque[Token] = deque()
        self.flows: list[str] = []
        self.keyAllowed = True

    @property
    def column(self) -> int:
        """The column of the innermost block; -1 when there is none."""
        return self._indents[-1].column

    def push(self, kind: str, value: str = "", place: Place | None = None) -> Token:
        """Add a token."""
        token = Token(kind, place or self._cursor.place, value)
        self.tokens.append(token)
        return token

    def begin(self, kind: str) -> _Indent | None:
        """Begin a block here, unless one of this kind and column is open."""
        if self.flows:
            return None
        last, column = self._indents[-1], self._cursor.column
        if column < last.column:
            return None
        if column == last.column and not (kind == "seq" and last.kind == "map"):
            return None
        indent = _Indent(column, kind, self.push(kind))
        self._indents.append(indent)
        return indent

    def endHere(self) -> None:
        """End the blocks that the next token is no longer part of."""
        if self.flows:
            return
        column = self._cursor.column
        while self._indents:
            last = self._indents[-1]
            if last.column < column:
                break
            if last.column == column and not (
                last.kind == "seq" and not self._cursor.sees(BLOCK_ENTRY)
            ):
                break
            self._end()
        while self._indents and self._indents[-1].state == NOTHING:
            self._end()

    def _end(self) -> None:
        last = self._indents.pop()
        if last.state != SURE:
            self.drop()
        elif last.kind in ("seq", "map"):
            self.push(f"end {last.kind}")

    def endAll(self) -> None:
        """End all blocks."""
        while not self.flows and self._indents and self._indents[-1].kind != "none":
            self._end()

    def guess(self) -> None:
        """Note that what begins here may be a key."""
        if not self.keyAllowed:
            return
        if self._guesses and self._guesses[-1].flow == len(self.flows):
            return
        cursor = self._cursor
        indent = None
        if not self.flows:
            indent = self.begin("map")
        guess = _Guess(cursor.at, cursor.line, len(self.flows), self.push("key"), indent)
        guess.settle(GUESS)
        self._guesses.append(guess)

    def drop(self) -> None:
        """Settle that the last guess of this flow level is no key."""
        if self._guesses and self._guesses[-1].flow == len(self.flows):
            self._guesses.pop().settle(NOTHING)

    def forget(self) -> None:
        """Guess no more; what is guessed already counts as sure when the text ends."""
        self._guesses.clear()

    def confirm(self) -> bool:
        """Settle the last guess at its `:`; return whether it is a key."""
        if not self._guesses or self._guesses[-1].flow != len(self.flows):
            return False
        guess = self._guesses.pop()
        cursor = self._cursor
        good = cursor.line == guess.line and cursor.at - guess.position <= 1024
        guess.settle(SURE if good else NOTHING)
        return good
