"""A pattern in Python's syntax."""

from __future__ import annotations

from twisted_envoy.network.re2.classes import Ranges
from twisted_envoy.network.re2.nodes import Char, Choice, Group, Look, Node, Repeat

_LOOKS = {
    "A": r"\A",
    "z": r"\Z",
    "^": "(?m:^)",
    "$": "(?m:$)",
    "b": r"(?a:\b)",
    "B": r"(?a:(?!\b))",  # \B matches nothing in an empty text, before Python 3.14
}


def pythonPattern(node: Node) -> str:
    """The same pattern for `re`; captures have the same numbers."""
    if isinstance(node, Char):
        return _set(node.ranges)
    if isinstance(node, Look):
        return _LOOKS[node.kind]
    if isinstance(node, Group):
        return f"({pythonPattern(node.part)})"
    if isinstance(node, Choice):
        return "(?:" + "|".join(map(pythonPattern, node.parts)) + ")"
    if isinstance(node, Repeat):
        most = "" if node.most is None else node.most
        lazy = "" if node.isGreedy else "?"
        return f"(?:{pythonPattern(node.part)}){{{node.least},{most}}}{lazy}"
    return "".join(map(pythonPattern, node.parts))


def _set(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\x00-\U0010ffff]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _code(ranges[0][0])
    return "[" + "".join(f"{_code(first)}-{_code(last)}" for first, last in ranges) + "]"


def _code(code: int) -> str:
    letter = chr(code)
    return letter if letter.isascii() and letter.isalnum() else f"\\U{code:08x}"
