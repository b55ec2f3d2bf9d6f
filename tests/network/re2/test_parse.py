"""Tests for twisted_envoy.network.re2.parse."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.re2.parse import Parser
from twisted_envoy.network.re2.python import pythonPattern

WRONG = {
    "(": "missing ): (",
    "(?:a": "missing ): (?:a",
    "a)": "unexpected ): a)",
    "*": "no argument for repetition operator: *",
    "a|*": "no argument for repetition operator: *",
    "(?i)*": "no argument for repetition operator: *",
    "{2}": "no argument for repetition operator: {2}",
    "a**": "bad repetition operator: **",
    "a???": "bad repetition operator: ???",
    "a++": "bad repetition operator: ++",
    "a{3}{2}": "bad repetition operator: {3}{2}",
    "a{1001}": "invalid repetition size: {1001}",
    "x{2,1}": "invalid repetition size: {2,1}",
    "(a{10}){101}": "invalid repetition size: {101}",
    "[a": "missing ]: [a",
    "[a-": "missing ]: [a-",
    "[^]": "missing ]: [^]",
    "[z-a]": "invalid character class range: z-a",
    "[a--]": "invalid character class range: a--",
    "[[:foo:]]": "invalid character class range: [:foo:]",
    "\\p{Foo}": "invalid character class range: \\p{Foo}",
    "\\p{L": "invalid character class range: \\p{L",
    "\\pQ": "invalid character class range: \\pQ",
    "\\p": "invalid character class range: \\p",
    "\\q": "invalid escape sequence: \\q",
    "(a)\\1": "invalid escape sequence: \\1",
    "\\Z": "invalid escape sequence: \\Z",
    "\\xZ": "invalid escape sequence: \\xZ",
    "\\x4": "invalid escape sequence: \\x4",
    "\\x{110000}": "invalid escape sequence: \\x{110",
    "[a-\\d]": "invalid escape sequence: \\d",
    "\\": "trailing \\",
    "(?=a)": "invalid perl operator: (?=",
    "(?<!a)b": "invalid perl operator: (?<!",
    "(?>a)": "invalid perl operator: (?>",
    "(?P=a)": "invalid perl operator: (?P",
    "(?i-)a": "invalid perl operator: (?i-)",
    "(?z)": "invalid perl operator: (?z",
    "(?i": "invalid perl operator: (?i",
    "(?P<a": "invalid named capture group: (?P<a",
    "(?P<n!>a)": "invalid named capture group: (?P<n!>",
}

MATCHES = {
    r"a.c": ({"abc", "a\xe9c"}, {"a\nc", "ac"}),
    r"(?s)a.c": ({"a\nc"}, {"ac"}),
    r"(?i)aB(?-i)c": ({"Abc", "abc"}, {"abC"}),
    r"(?i:[a-b])c": ({"Bc"}, {"BC"}),
    r"a{2,3}|b{2}|c{1,}|d{,2}": ({"aa", "aaa", "bb", "ccc", "d{,2}"}, {"a", "b", ""}),
    r"[^a-c\]]": ({"d", "\xe9"}, {"a", "]"}),
    r"[]a-]": ({"]", "a", "-"}, {"b"}),
    r"[\d\-x]+": ({"1-x"}, {"y"}),
    r"[[:alpha:]][[:^digit:]]": ({"ab"}, {"a1", "11"}),
    r"\d\D\s\S\w\W": ({"1a b_-"}, {"\u0661a b_-"}),
    r"\x41\x{e9}\101\n\t\.\_": ({"A\xe9A\n\t._"}, {"A"}),
    r"\Qa+\Eb\Q(": ({"a+b("}, {"aab("}),
    r"\pL\p{Lu}\PN\p{^N}": ({"aAaa"}, {"aaaa", "aA1a"}),
    r"\p{Any}": ({"x"}, {""}),
    r"(?P<one>a)(?<two>b)": ({"ab"}, {"a"}),
    r"\Aa\b\z": ({"a"}, {"ab"}),
    r"(?m)^a$\n^b$": ({"a\nb"}, {"ab"}),
    r"a\B.": ({"ab"}, {"a "}),
    r"(?U)a+?": ({"aa"}, {""}),
    r"(?:)": ({""}, {"a"}),
    r"\C": ({"a"}, {""}),
}


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pythonPattern(Parser(pattern).parse()))


class ParserTests(SynchronousTestCase):
    def test_errors(self) -> None:
        """Each kind of mistake has RE2's text."""
        for pattern, words in WRONG.items():
            error = self.assertRaises(ValueError, Parser(pattern).parse)
            self.assertEqual(str(error), words, pattern)

    def test_meaning(self) -> None:
        """Everything that RE2 knows means what it means there."""
        for pattern, (good, bad) in MATCHES.items():
            matches = compiled(pattern).fullmatch
            for text in good:
                self.assertTrue(matches(text), (pattern, text))
            for text in bad:
                self.assertFalse(matches(text), (pattern, text))

    def test_greed(self) -> None:
        """(?U) turns it around."""
        for pattern, expected in (("a+", "aa"), ("a+?", "a"), ("(?U)a+", "a"), ("(?U)a+?", "aa")):
            found = compiled(pattern).match("aa")
            assert found is not None
            self.assertEqual(found.group(), expected, pattern)

    def test_groups(self) -> None:
        """Captures are counted, others are not."""
        parser = Parser("(a)(?:b)(?P<n>c)((d))")
        parser.parse()
        self.assertEqual(parser.groups, 4)

    @given(st.text("ab(){}[]|*+?\\^$.-,:=!<>PidsQ019x", max_size=12))
    def test_anything(self, pattern: str) -> None:
        """A text is a pattern that Python compiles too, or a mistake that has words."""
        try:
            node = Parser(pattern).parse()
        except ValueError as error:
            self.assertTrue(str(error))
        else:
            re.compile(pythonPattern(node))
