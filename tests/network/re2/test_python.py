"""Tests for twisted_envoy.network.re2.python."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.re2.nodes import Char
from twisted_envoy.network.re2.parse import Parser
from twisted_envoy.network.re2.python import pythonPattern


class PythonPatternTests(SynchronousTestCase):
    def test_texts(self) -> None:
        """What stands for what."""
        for pattern, expected in (
            ("ab", "ab"),
            ("^a$", r"\Aa\Z"),
            (r"\.", r"\U0000002e"),
            ("[a-c]+?", "(?:[a-c]){1,}?"),
            ("(a|b){2}", "(?:((?:a|b))){2,2}"),
            (r"(?m)^\b$", r"(?m:^)(?a:\b)(?m:$)"),
        ):
            self.assertEqual(pythonPattern(Parser(pattern).parse()), expected)

    def test_emptySet(self) -> None:
        """A set without characters matches none."""
        self.assertEqual(pythonPattern(Char(())), r"[^\x00-\U0010ffff]")
