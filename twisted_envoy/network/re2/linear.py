r"""
Does backtracking take linear time with a pattern?

It does when, wherever it stands, the next character leaves it one way to go: then what is tried
again fails at its first character. The positions of a pattern and what may follow each are
Glushkov's. One loop over a set of characters that leaves a choice (`.*\.html`) is let through when
there is no other choice; the rest is for `machine`.
"""

from __future__ import annotations

from twisted_envoy.network.re2.classes import Ranges, overlap
from twisted_envoy.network.re2.nodes import Char, Choice, Group, Look, Node, Repeat, Sequence

_MOST_POSITIONS = 300


class _TooLarge(Exception):
    """Nobody wants to know so exactly."""


class _Positions:
    """
    Glushkov's automaton.

    Attributes:
        chars: the set at each position. follows: the positions that may come after each.
        isAmbiguous: one may come after another in two ways, as in `(a+)+`.
    """

    def __init__(self) -> None:
        self.chars: list[Ranges] = []
        self.follows: list[set[int]] = []
        self.isAmbiguous = False

    def of(self, node: Node) -> tuple[bool, set[int], set[int]]:
        """May it be empty, where may it begin, where may it end?"""
        if isinstance(node, Char):
            if len(self.chars) >= _MOST_POSITIONS:
                raise _TooLarge
            self.chars.append(node.ranges)
            self.follows.append(set())
            here = {len(self.chars) - 1}
            return False, here, here
        if isinstance(node, Look):
            return True, set(), set()
        if isinstance(node, Group):
            return self.of(node.part)
        if isinstance(node, Choice):
            found = [self.of(part) for part in node.parts]
            first: set[int] = set().union(*(one[1] for one in found))
            return any(one[0] for one in found), first, set().union(*(one[2] for one in found))
        if isinstance(node, Repeat):
            return self._repeat(node)
        return self._sequence(node.parts)

    def _sequence(self, parts: tuple[Node, ...]) -> tuple[bool, set[int], set[int]]:
        isEmpty, first, last = True, set[int](), set[int]()
        for part in parts:
            partEmpty, partFirst, partLast = self.of(part)
            for position in last:
                self.follows[position] |= partFirst
            if isEmpty:
                first = first | partFirst
            last = last | partLast if partEmpty else partLast
            isEmpty = isEmpty and partEmpty
        return isEmpty, first, last

    def _repeat(self, node: Repeat) -> tuple[bool, set[int], set[int]]:
        if node.most is None:
            loop = self.of(node.part)
            for position in loop[2]:
                if self.follows[position] & loop[1]:
                    self.isAmbiguous = True
                self.follows[position] |= loop[1]
            if node.least > 1:
                copies = (node.part,) * (node.least - 1)
                before = self._sequence(copies)
                for position in before[2]:
                    self.follows[position] |= loop[1]
                return before[0] and loop[0], before[1] | (loop[1] if before[0] else set()), loop[2]
            return loop[0] or node.least == 0, loop[1], loop[2]
        optional = Repeat(node.part, 0, None, True)
        if node.most == 1:
            isEmpty, first, last = self.of(node.part)
            return isEmpty or node.least == 0, first, last
        return self._sequence(
            (*(node.part,) * node.least, *(_maybe(optional),) * (node.most - node.least))
        )


def _maybe(loop: Repeat) -> Node:
    return Repeat(loop.part, 0, 1, True)


def isLinear(node: Node, isAnchored: bool) -> bool:
    """
    Is it safe to hand this pattern to Python?

    Args:
        isAnchored: it has to match from the beginning of the text; else each place is tried.
    """
    positions = _Positions()
    try:
        _, first, _ = positions.of(node)
    except _TooLarge:
        return False
    if not isAnchored and _loops(node) and not _beginsText(node):
        return False
    choices = [first, *positions.follows]
    if not positions.isAmbiguous and all(_isClear(positions.chars, choice) for choice in choices):
        return True
    return _loops(node) <= 1 and not _nests(node) and _ways(node) <= 16


def _isClear(chars: list[Ranges], choice: set[int]) -> bool:
    """Does each character belong to one of the positions at most?"""
    places = sorted(choice)
    return not any(
        overlap(chars[one], chars[other])
        for at, one in enumerate(places)
        for other in places[at + 1 :]
    )


def _loops(node: Node) -> int:
    """How many repetitions without end there are; those inside of counted ones count as often."""
    if isinstance(node, Repeat):
        times = 1 if node.most is None else node.most
        return _loops(node.part) * max(times, 1) + (node.most is None)
    if isinstance(node, Group):
        return _loops(node.part)
    return sum(map(_loops, node.parts)) if isinstance(node, (Sequence, Choice)) else 0


def _nests(node: Node, inside: bool = False) -> bool:
    """Is there more than a set of characters in a repetition without end?"""
    if isinstance(node, Repeat):
        if node.most is None and not isinstance(node.part, Char):
            return True
        return _nests(node.part)
    if isinstance(node, Group):
        return _nests(node.part)
    return any(map(_nests, node.parts)) if isinstance(node, (Sequence, Choice)) else False


def _ways(node: Node) -> int:
    """In how many ways can choices and counted repetitions be taken?"""
    if isinstance(node, Repeat):
        ways = _ways(node.part)
        if node.most is None:
            return ways
        if node.most > 8:
            return 1 if ways == 1 and node.most == node.least else 99
        return min(sum([int(ways**times) for times in range(node.least, node.most + 1)]), 99)
    if isinstance(node, Group):
        return _ways(node.part)
    if isinstance(node, Choice):
        return sum(map(_ways, node.parts))
    if isinstance(node, Sequence):
        ways = 1
        for part in node.parts:
            ways = min(ways * _ways(part), 99)
        return ways
    return 1


def _beginsText(node: Node) -> bool:
    if isinstance(node, Sequence):
        return bool(node.parts) and _beginsText(node.parts[0])
    if isinstance(node, Group):
        return _beginsText(node.part)
    return isinstance(node, Look) and node.kind == "A"
