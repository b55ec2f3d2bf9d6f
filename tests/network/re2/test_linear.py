"""Tests for twisted_envoy.network.re2.linear."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.re2.linear import isLinear
from twisted_envoy.network.re2.parse import Parser

SAFE = (
    *("abc", "/api/.*", "[^/]*/[^/]*/[^/]*", "(/[^/]+)*", ".*\\.html", "a?b?c?", "v[0-9]{1,3}"),
    *("(foo|bar)baz", "(?:ab){2,}", "^/a/(.+)$", "a{2,4}b", "(a|ab|abc)d", "x{20}", "\\bab"),
)
RISKY = (
    *("(a+)+b", "(a*)*", "(a|a)*b", "(a|ab)*c", ".*.*x", "(.*)/(.*)/(.*)", "(a?){20}a{20}"),
    *("(a{0,9}){0,9}b", "(?:.*a){12}", "[ab]{500}", "(a|b|c|d|ab|cd){8}"),
)


class LinearTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """What is known to be safe, and what is known not to be."""
        for pattern in SAFE:
            self.assertTrue(isLinear(Parser(pattern).parse(), True), pattern)
        for pattern in RISKY:
            self.assertFalse(isLinear(Parser(pattern).parse(), True), pattern)

    def test_search(self) -> None:
        """A loop is tried at each place, unless the pattern begins the text."""
        for pattern, safe in (("ab", True), ("a+b", False), ("^a+b", True), ("(^a+)b", True)):
            self.assertEqual(isLinear(Parser(pattern).parse(), False), safe, pattern)
