"""
A place in a YAML text that moves forward, counting lines and columns as yaml-cpp does.

Envoy: yaml-cpp 0.8, stream
"""

from __future__ import annotations

import re

from twisted_envoy.config.nodes import Place

BREAK = re.compile(r"\r\n|\n|\r")
DOCUMENT = re.compile(r"(?:---|\.\.\.)(?=[ \t\r\n]|\Z)")


class YAMLFault(Exception):
    """What yaml-cpp refuses, and where; line and column count from 0."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place = place
        self.text = text


class Cursor:
    """A place in the text that moves forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 0
        self.column = 0
        first = BREAK.search(text)
        self._newline = "\r" if first is not None and first[0] == "\r" else "\n"

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.line, self.column)

    @property
    def ended(self) -> bool:
        """Is nothing left?"""
        return self.at >= len(self.text)

    @property
    def character(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.at : self.at + 1]

    def sees(self, pattern: re.Pattern[str]) -> bool:
        """Does a pattern match here?"""
        return pattern.match(self.text, self.at) is not None

    def eat(self, count: int = 1) -> str:
        """Move on over some characters; return them."""
        eaten = self.text[self.at : self.at + count]
        for character in eaten:
            self.column += 1
            if character == self._newline:
                self.line += 1
                self.column = 0
        self.at += len(eaten)
        return eaten

    def take(self, pattern: re.Pattern[str]) -> str:
        """Move on over what a pattern matches here; return it."""
        found = pattern.match(self.text, self.at)
        return self.eat(len(found[0])) if found else ""
