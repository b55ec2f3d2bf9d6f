"""Sets of characters, as sorted tuples of ranges (first, last)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]

LARGEST = 0xFF
"""Envoy's RE2 reads Latin-1: a character is a byte, in patterns and in texts."""

UNIVERSE: Ranges = ((0, LARGEST),)

DIGIT: Ranges = ((48, 57),)
SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
PERL = {"d": DIGIT, "s": SPACE, "w": WORD}
POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CATEGORIES = frozenset(
    "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl"
    " Zp Zs".split()
)


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same characters in as few ranges as possible."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            if last > found[-1][1]:
                found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)


def negated(ranges: Ranges) -> Ranges:
    """All other characters."""
    found = []
    for low, high in UNIVERSE:
        at = low
        for first, last in ranges:
            if last < at or first > high:
                continue
            if first > at:
                found.append((at, first - 1))
            at = max(at, last + 1)
        if at <= high:
            found.append((at, high))
    return tuple(found)


def folded(ranges: Ranges) -> Ranges:
    """With the other case of each letter of ASCII; for Latin-1 RE2 folds no others."""
    more = list(ranges)
    for first, last in ranges:
        for code in range(first, min(last, 127) + 1):
            if chr(code).isalpha():
                more.append((code ^ 32, code ^ 32))
    return union(more)


def overlap(one: Ranges, other: Ranges) -> bool:
    """Do they have a character in common?"""
    return any(first <= high and low <= last for first, last in one for low, high in other)


@lru_cache(maxsize=64)
def category(name: str) -> Ranges | None:
    """The characters of a general category (`L`, `Lu`); None when there is none of that name."""
    if name not in _CATEGORIES:
        return None
    low, high = UNIVERSE[0]
    return union(
        (code, code)
        for code in range(low, high + 1)
        if unicodedata.category(chr(code)).startswith(name)
    )
