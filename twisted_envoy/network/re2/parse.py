"""
RE2's syntax.

RE2: re2/parse.cc
"""

from __future__ import annotations

import re
from dataclasses import replace

from twisted_envoy.network.re2 import classes
from twisted_envoy.network.re2.classes import Ranges
from twisted_envoy.network.re2.nodes import (
    EMPTY,
    Char,
    Choice,
    Group,
    Look,
    Node,
    Repeat,
    Sequence,
)
from twisted_envoy.values import dataclass

_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_NAME = re.compile(r"\(\?P?<(\w+)>")
_CODE = re.compile(r"x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_WRONG_CODE = re.compile(r"x(?:\{[0-9A-Fa-f]*.?|[0-9A-Fa-f]?.?)", re.DOTALL)
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_PROPERTY = re.compile(r"[pP](?:\{(\^?)([^}]*)\}|(.))", re.DOTALL)
_SIMPLE = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MOST = 1000
_NEWLINE = ((10, 10),)


@dataclass(frozen=True, slots=True)
class Flags:
    """Of the part of a pattern that is being read: i, m, s, U."""

    ignoreCase: bool = False
    multiLine: bool = False
    dotAll: bool = False
    ungreedy: bool = False


class Parser:
    """
    Reads one pattern.

    Args:
        pattern: a character for each byte of it.
        written: what RE2 tells of it when a parenthesis is missing.
    Attributes:
        groups: how many captures there are so far.
    """

    def __init__(self, pattern: str, written: str | None = None) -> None:
        self.pattern = pattern
        self.written = pattern if written is None else written
        self.at = 0
        self.groups = 0

    def parse(self) -> Node:
        """
        Read all of it.

        Raises:
            ValueError: RE2's words for what is wrong.
        """
        node = self._choice(Flags())
        if self.at < len(self.pattern):
            raise ValueError(f"unexpected ): {self.written}")
        return node

    def _choice(self, flags: Flags) -> Node:
        """Up to a closing parenthesis or the end; (?i) lasts as long."""
        parts: list[Node] = []
        branch: list[Node] = []
        unary = -1
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            start = self.at
            letter = self.pattern[start]
            if letter == "|":
                self.at += 1
                parts.append(_sequence(branch))
                branch = []
            elif letter in "*+?" or (letter == "{" and _COUNT.match(self.pattern, start)):
                self._repeat(branch, flags, unary)
                unary = start if unary < 0 else unary
                continue
            elif letter == "(":
                found = self._group(flags)
                if isinstance(found, Flags):
                    flags = found
                else:
                    branch.append(found)
            else:
                branch += self._atom(letter, flags)
            unary = -1
        parts.append(_sequence(branch))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _repeat(self, branch: list[Node], flags: Flags, unary: int) -> None:
        start = self.at
        count = _COUNT.match(self.pattern, start)
        end = count.end() if count else start + 1
        isGreedy = not flags.ungreedy
        if self.pattern.startswith("?", end):
            isGreedy, end = not isGreedy, end + 1
        operator = self.pattern[start:end]
        if unary >= 0:
            raise ValueError(f"bad repetition operator: {self.pattern[unary:end]}")
        if count:
            least = int(count[1])
            most: int | None = least if count[2] is None else int(count[3]) if count[3] else None
            if least > _MOST or (most is not None and (most > _MOST or most < least)):
                raise ValueError(f"invalid repetition size: {count.group()}")
        else:
            least = 1 if operator[0] == "+" else 0
            most = 1 if operator[0] == "?" else None
        if not branch:
            raise ValueError(f"no argument for repetition operator: {operator}")
        node = Repeat(branch.pop(), least, most, isGreedy)
        if count and _copies(node) > _MOST:
            raise ValueError(f"invalid repetition size: {count.group()}")
        branch.append(node)
        self.at = end

    def _group(self, flags: Flags) -> Node | Flags:
        number = 0
        pattern, start = self.pattern, self.at
        if pattern.startswith(("(?P<", "(?<"), start) and not pattern.startswith(
            ("(?<=", "(?<!"), start
        ):
            name = _NAME.match(pattern, start)
            if name is None:
                end = pattern.find(">", start)
                wrong = pattern[start:] if end < 0 else pattern[start : end + 1]
                raise ValueError(f"invalid named capture group: {wrong}")
            self.at = name.end()
            number = self.groups = self.groups + 1
        elif pattern.startswith("(?", start):
            flags, isDone = self._flags(flags)
            if isDone:
                return flags
        else:
            self.at += 1
            number = self.groups = self.groups + 1
        node = self._choice(flags)
        if not pattern.startswith(")", self.at):
            raise ValueError(f"missing ): {self.written}")
        self.at += 1
        return Group(number, node) if number else Sequence((node,))

    def _flags(self, flags: Flags) -> tuple[Flags, bool]:
        """`(?i)` or `(?i:`; is it the former?"""
        start = self.at
        names = {"i": "ignoreCase", "m": "multiLine", "s": "dotAll", "U": "ungreedy"}
        value, isLast = True, "?"
        for at in range(start + 2, len(self.pattern)):
            letter = self.pattern[at]
            if letter in ":)" and isLast != "-":
                self.at = at + 1
                return flags, letter == ")"
            if letter in names:
                flags = replace(flags, **{names[letter]: value})
            elif letter == "-" and value:
                value = False
            else:
                end = at + 2 if self.pattern.startswith(("(?<=", "(?<!"), start) else at + 1
                raise ValueError(f"invalid perl operator: {self.pattern[start:end]}")
            isLast = letter
        raise ValueError(f"invalid perl operator: {self.pattern[start:]}")

    def _atom(self, letter: str, flags: Flags) -> list[Node]:
        if letter == "\\":
            return self._escaped(flags)
        if letter == "[":
            return [self._class(flags)]
        self.at += 1
        if letter == "^":
            return [Look("^" if flags.multiLine else "A")]
        if letter == "$":
            return [Look("$" if flags.multiLine else "z")]
        if letter == ".":
            return [Char(classes.UNIVERSE if flags.dotAll else classes.negated(_NEWLINE))]
        return [_literal(ord(letter), flags)]

    def _escaped(self, flags: Flags) -> list[Node]:
        pattern = self.pattern
        letter = pattern[self.at + 1 : self.at + 2]
        if letter and letter in "AzbB":
            self.at += 2
            return [Look(letter)]
        if letter == "C":
            self.at += 2
            return [Char(classes.UNIVERSE)]
        if letter == "Q":
            end = pattern.find("\\E", self.at + 2)
            text = pattern[self.at + 2 :] if end < 0 else pattern[self.at + 2 : end]
            self.at = len(pattern) if end < 0 else end + 2
            return [_literal(ord(each), flags) for each in text]
        ranges = self._named(flags)
        return [_literal(self._code(), flags)] if ranges is None else [Char(ranges)]

    def _named(self, flags: Flags) -> Ranges | None:
        r"""A set of characters (\d, \pL) that begins here, if one does."""
        pattern, start = self.pattern, self.at
        letter = pattern[start + 1 : start + 2]
        if letter and letter in "dswDSW":
            self.at += 2
            found = classes.PERL[letter.lower()]
            return found if letter.islower() else classes.negated(found)
        if not letter or letter not in "pP":
            return None
        match = _PROPERTY.match(pattern, start + 1)
        if match is None or (match[3] == "{" and match[2] is None):
            raise ValueError(f"invalid character class range: {pattern[start:]}")
        name = match[2] if match[3] is None else match[3]
        ranges = classes.UNIVERSE if name == "Any" else None
        if ranges is None and re.fullmatch("[A-Z][a-z]?", name):
            ranges = classes.category(name)
        if ranges is None:
            raise ValueError(f"invalid character class range: {pattern[start : match.end()]}")
        self.at = match.end()
        isNegated = (letter == "P") is not bool(match[1])
        if flags.ignoreCase:
            ranges = classes.folded(ranges)
        return classes.negated(ranges) if isNegated else ranges

    def _code(self) -> int:
        """The character that an escape stands for."""
        pattern, start = self.pattern, self.at + 1
        letter = pattern[start : start + 1]
        if not letter:
            raise ValueError("trailing \\")
        self.at = start + 1
        if letter in _SIMPLE:
            return ord(_SIMPLE[letter])
        octal = _OCTAL.match(pattern, start)
        if octal is not None:
            self.at = octal.end()
            return int(octal.group(), 8)
        if letter == "x":
            code = _CODE.match(pattern, start)
            if code is not None and (found := int(code[1] or code[2], 16)) <= classes.LARGEST:
                self.at = code.end()
                return found
            wrong = _WRONG_CODE.match(pattern, start)
            assert wrong is not None
            raise ValueError(f"invalid escape sequence: \\{_upToTooLarge(wrong.group())}")
        if letter.isascii() and not letter.isalnum():
            return ord(letter)
        raise ValueError(f"invalid escape sequence: \\{letter}")

    def _class(self, flags: Flags) -> Char:
        pattern, start = self.pattern, self.at
        self.at += 1
        isNegated = pattern.startswith("^", self.at)
        self.at += isNegated
        found: list[tuple[int, int]] = []
        isFirst = True
        while isFirst or not pattern.startswith("]", self.at):
            if self.at >= len(pattern):
                raise ValueError(f"missing ]: {pattern[start:]}")
            isFirst = False
            found += self._member(start, flags)
        self.at += 1
        ranges = classes.union(found)
        if flags.ignoreCase:
            ranges = classes.folded(ranges)
        if not isNegated:
            return Char(ranges)
        return Char(classes.negated(ranges))

    def _member(self, start: int, flags: Flags) -> Ranges:
        """One range, character or named set."""
        pattern = self.pattern
        if pattern.startswith("[:", self.at) and (end := pattern.find(":]", self.at + 2)) >= 0:
            name = pattern[self.at + 2 : end]
            found = classes.POSIX.get(name.removeprefix("^"))
            if found is None:
                raise ValueError(f"invalid character class range: {pattern[self.at : end + 2]}")
            self.at = end + 2
            return classes.negated(found) if name.startswith("^") else found
        if pattern.startswith("\\", self.at):
            named = self._named(flags)
            if named is not None:
                return named
        first = self.at
        low = high = self._classCode(start)
        if pattern.startswith("-", self.at) and not pattern.startswith("-]", self.at):
            self.at += 1
            high = self._classCode(start)
            if high < low:
                raise ValueError(f"invalid character class range: {pattern[first : self.at]}")
        return ((low, high),)

    def _classCode(self, start: int) -> int:
        if self.at >= len(self.pattern):
            raise ValueError(f"missing ]: {self.pattern[start:]}")
        if self.pattern[self.at] == "\\":
            return self._code()
        self.at += 1
        return ord(self.pattern[self.at - 1])


def _upToTooLarge(code: str) -> str:
    """RE2 stops reading `x{1000}` at the digit that makes it too large."""
    for end in range(3, len(code)):
        if int(code[2:end], 16) > classes.LARGEST:
            return code[:end]
    return code


def _sequence(parts: list[Node]) -> Node:
    if not parts:
        return EMPTY
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _literal(code: int, flags: Flags) -> Char:
    ranges: Ranges = ((code, code),)
    return Char(classes.folded(ranges) if flags.ignoreCase else ranges)


def _copies(node: Node) -> int:
    """How often the innermost part of counted repetitions is there, as RE2 counts it."""
    if isinstance(node, Repeat):
        below = _copies(node.part)
        most = node.least if node.most is None else node.most
        isCounted = node.most not in (None, 1) or node.least > 1
        return below * max(most, 1) if isCounted else below
    if isinstance(node, Group):
        return _copies(node.part)
    if isinstance(node, (Sequence, Choice)):
        return max((_copies(part) for part in node.parts), default=1)
    return 1
