"""Texts with holes."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.formatter.line import Hole, Line
from twisted_envoy.formatter.sameness import ANSWER, EACH, REQUEST


def said(name: str) -> Any:
    """What says what a dict has under that name."""
    return lambda context: context.get(name)


PARTS = ("100% ", Hole(said("a"), REQUEST), "%s ", Hole(said("b"), ANSWER), Hole(said("c"), EACH))


class LineTests(SynchronousTestCase):
    """Records are dicts here."""

    def test_filled(self) -> None:
        """Holes are filled in their order; what has no value prints the empty text."""
        line = Line(PARTS)
        record: Any = {"a": "A%", "b": "B"}
        self.assertEqual(line(record), "100% A%%s B-")
        self.assertEqual(line.render(record), line(record))
        self.assertEqual(Line(PARTS, "")(record), "100% A%%s B")
        self.assertEqual(Line(["50%"])(record), "50%")

    def test_alike(self) -> None:
        """What stays the same is taken from one record, the rest from each."""
        line = Line(PARTS)
        first: Any = {"a": "1%", "b": "2", "c": "3"}
        later: Any = {"a": "4", "b": "5", "c": "6"}

        def alike(record: Any, sameness: int, isIDSame: bool = False) -> str:
            return line.withParts(line.partsAlike(record, sameness, isIDSame))(later)

        self.assertEqual(alike(first, REQUEST), "100% 1%%s 56")
        self.assertEqual(alike(first, ANSWER), "100% 1%%s 26")
        self.assertEqual(alike(first, EACH), "100% 1%%s 23")
        nothing: Any = {}
        self.assertEqual(alike(nothing, ANSWER), "100% -%s -6")
        line = Line((*PARTS[:-1], Hole(said("c"), EACH, quotes="")))
        self.assertEqual(alike(first, REQUEST, isIDSame=True), "100% 1%%s 53")
        self.assertEqual(alike(first, REQUEST), "100% 1%%s 56")
