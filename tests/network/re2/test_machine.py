"""Tests for twisted_envoy.network.re2.machine."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.re2.machine import Machine
from twisted_envoy.network.re2.parse import Parser
from twisted_envoy.network.re2.python import pythonPattern

_letters = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "^", "$", r"\b", r"\B", "(?m:^)"])
_patterns = st.recursive(
    _letters,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"({both[0]}|{both[1]})"),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=6,
)
_repeated = st.tuples(st.sampled_from(["a", "[ab]", "(ab|a)", "(a|b)"]), st.sampled_from("*+?"))


def machine(pattern: str) -> Machine:
    parser = Parser(pattern)
    return Machine(parser.parse(), parser.groups)


class MachineTests(SynchronousTestCase):
    def test_groups(self) -> None:
        """Captures are where Python's are."""
        for pattern, text in (
            ("(a+)+b", "xaab"),
            ("(a|ab)(c|bcd)(d*)", "abcd"),
            ("(a)|(b)", "b"),
            ("a{2,3}?", "aaa"),
            ("a{2}", "aaa"),
            ("(?m)^b$", "a\nb\n"),
            ("[^a]", "ab"),
        ):
            found = re.compile(pythonPattern(Parser(pattern).parse())).search(text)
            assert found is not None
            expected = [edge for pair in found.regs for edge in pair]
            self.assertEqual(machine(pattern).search(text, 0), expected, pattern)

    def test_fullmatch(self) -> None:
        """It goes on looking until the match is the whole text."""
        self.assertTrue(machine("a|ab").fullmatch("ab"))
        self.assertFalse(machine("a|ab").fullmatch("abc"))

    def test_nothing(self) -> None:
        """There may be no match, and it may come late."""
        self.assertIsNone(machine("b").search("ab", 2))
        self.assertEqual(machine("b").search("bab", 1), [2, 3])

    def test_tooLarge(self) -> None:
        """Programs have a limit."""
        error = self.assertRaises(ValueError, machine, "(" + "a" * 60 + "){1000}")
        self.assertEqual(str(error), "pattern too large - compile failed")

    @given(_patterns, _repeated, st.text("ab \n", max_size=8))
    def test_asPython(self, pattern: str, repeated: tuple[str, str], text: str) -> None:
        """It finds what Python finds."""
        pattern += "".join(repeated)
        found = re.compile(pythonPattern(Parser(pattern).parse())).search(text)
        expected = None if found is None else list(found.span())
        spans = machine(pattern).search(text, 0)
        self.assertEqual(None if spans is None else spans[:2], expected, pattern)
