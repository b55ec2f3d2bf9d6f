"""The tree of a pattern."""

from __future__ import annotations

from twisted_envoy.network.re2.classes import Ranges
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class Char:
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing, at a place: `A`, `z`: ends of the text; `^`, `$`: of a line; `b`, `B`: of a word."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first that goes on to a match."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A capture; they are numbered from 1."""

    number: int
    part: Node


@dataclass(frozen=True, slots=True)
class Repeat:
    """So many times; most None: without end."""

    part: Node
    least: int
    most: int | None
    isGreedy: bool


Node = Char | Look | Sequence | Choice | Group | Repeat
EMPTY = Sequence(())
