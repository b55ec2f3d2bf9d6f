"""
A backtracking machine that remembers where it has been, and so takes linear time.

RE2: re2/bitstate.cc
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.network.re2.classes import WORD, Ranges
from twisted_envoy.network.re2.nodes import Char, Choice, Group, Look, Node, Repeat

_CHAR, _SPLIT, _SAVE, _LOOK, _MATCH = range(5)
_MOST_INSTRUCTIONS = 20_000
Instruction = tuple[int, object, int, int]
"""(kind, the set or name, where to go, where else to go)"""

Spans = list[int]
"""Beginning and end of the match and of each group; -1 for a group that took no part."""


class Machine:
    """
    A program.

    Args:
        node: the pattern. groups: how many captures it has.
    Raises:
        ValueError: the program would be too large.
    """

    def __init__(self, node: Node, groups: int) -> None:
        self.groups = groups
        self._program: list[Instruction] = []
        end = self._emit((_MATCH, None, 0, 0))
        self._start = self._compile(node, end)

    def fullmatch(self, text: str) -> bool:
        """Does it match all of text?"""
        return self._run(text, 0, set(), len(text)) is not None

    def search(self, text: str, start: int) -> Spans | None:
        """The first match at or after start."""
        seen: set[int] = set()
        for at in range(start, len(text) + 1):
            spans = self._run(text, at, seen, None)
            if spans is not None:
                return spans
        return None

    def _emit(self, instruction: Instruction) -> int:
        if len(self._program) >= _MOST_INSTRUCTIONS:
            raise ValueError("pattern too large - compile failed")
        self._program.append(instruction)
        return len(self._program) - 1

    def _compile(self, node: Node, then: int) -> int:
        """Emit a node that goes on at `then`; returns where it begins."""
        if isinstance(node, Char):
            return self._emit((_CHAR, _member(node.ranges), then, 0))
        if isinstance(node, Look):
            return self._emit((_LOOK, node.kind, then, 0))
        if isinstance(node, Group):
            end = self._emit((_SAVE, node.number * 2 + 1, then, 0))
            return self._emit((_SAVE, node.number * 2, self._compile(node.part, end), 0))
        if isinstance(node, Choice):
            start = self._compile(node.parts[-1], then)
            for part in reversed(node.parts[:-1]):
                start = self._emit((_SPLIT, None, self._compile(part, then), start))
            return start
        if isinstance(node, Repeat):
            return self._repeat(node, then)
        for part in reversed(node.parts):
            then = self._compile(part, then)
        return then

    def _repeat(self, node: Repeat, then: int) -> int:
        start = then
        if node.most is None:
            loop = self._emit((_SPLIT, None, 0, 0))
            self._program[loop] = self._split(node, self._compile(node.part, loop), then)
            start = loop
        else:
            for _ in range(node.most - node.least):
                start = self._emit(self._split(node, self._compile(node.part, start), then))
        for _ in range(node.least):
            start = self._compile(node.part, start)
        return start

    def _split(self, node: Repeat, body: int, then: int) -> Instruction:
        return (_SPLIT, None, body, then) if node.isGreedy else (_SPLIT, None, then, body)

    def _run(self, text: str, start: int, seen: set[int], end: int | None) -> Spans | None:
        """The match that begins at start (and ends at `end`); what was seen never led to one."""
        program, length, width = self._program, len(text), len(self._program)
        saved = [-1] * (self.groups * 2 + 2)
        todo: list[tuple[int, int, int]] = [(self._start, start, -1)]
        while todo:
            at, place, slot = todo.pop()
            if slot >= 0:
                saved[slot] = place
                continue
            while True:
                key = place * width + at
                if key in seen:
                    break
                seen.add(key)
                kind, what, then, other = program[at]
                if kind == _CHAR:
                    if place >= length or not what(text[place]):  # type: ignore[operator]
                        break
                    place += 1
                elif kind == _SPLIT:
                    todo.append((other, place, -1))
                elif kind == _SAVE:
                    assert isinstance(what, int)
                    todo.append((0, saved[what], what))
                    saved[what] = place
                elif kind == _LOOK:
                    if not _looks(str(what), text, place):
                        break
                elif end is not None and place != end:
                    break
                else:
                    saved[0], saved[1] = start, place
                    return saved
                at = then
        return None


def _member(ranges: Ranges) -> Callable[[str], bool]:
    if len(ranges) == 1:
        first, last = map(chr, ranges[0])
        return lambda letter: first <= letter <= last
    texts = tuple((chr(first), chr(last)) for first, last in ranges)
    return lambda letter: any(first <= letter <= last for first, last in texts)


def _looks(kind: str, text: str, place: int) -> bool:
    if kind == "A":
        return place == 0
    if kind == "z":
        return place == len(text)
    if kind == "^":
        return place == 0 or text[place - 1] == "\n"
    if kind == "$":
        return place == len(text) or text[place] == "\n"
    before = place > 0 and _isWord(text[place - 1])
    after = place < len(text) and _isWord(text[place])
    return (before is not after) is (kind == "b")


def _isWord(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in WORD)
