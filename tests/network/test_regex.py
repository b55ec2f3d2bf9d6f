"""Tests for twisted_envoy.network.regex."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.views import viewOfYAML
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.regex import GOOGLE, Regex, buildRegex


class _Compiled:
    """What google-re2's patterns do, made of Python's."""

    def __init__(self, pattern: bytes) -> None:
        self._compiled = re.compile(pattern)
        self.groups = self._compiled.groups
        self.fullmatch = self._compiled.fullmatch
        self.search = self._compiled.search


class _Wrong(Exception):
    pass


def _compile(pattern: bytes, options: Any) -> _Compiled:
    try:
        return _Compiled(pattern)
    except re.error:
        raise _Wrong(b"missing ): " + pattern) from None


class _Options(SimpleNamespace):
    Encoding = SimpleNamespace(LATIN1=1)


FAKE = SimpleNamespace(Options=_Options, compile=_compile, error=_Wrong)


def engines() -> Iterator[Any]:
    """Without RE2, with something like it, and with it where it is installed."""
    yield None
    yield FAKE
    if GOOGLE is not None:
        yield GOOGLE


class RegexTests(SynchronousTestCase):
    """Whichever engine there is, the answers are the same."""

    def test_wholeTexts(self) -> None:
        """A pattern has to match all of a text."""
        for engine in engines():
            self.assertTrue(Regex("a.", engine).fullmatch(b"ab"))
            self.assertFalse(Regex("a.", engine).fullmatch(b"abc"))

    def test_bytes(self) -> None:
        """A byte is a character, in patterns too; only letters of ASCII have two cases."""
        for engine in (None, GOOGLE):
            for pattern, text, matches in (
                ("a.b", b"a\xe9b", True),
                ("a.b", b"a\xc3\xa9b", False),
                ("a..b", b"a\xc3\xa9b", True),
                (".*c", b"\xffc", True),
                ("a\xe9b", b"a\xc3\xa9b", True),
                (r"a\xe9b", b"a\xe9b", True),
                ("a[\xe9]b", b"a\xa9b", True),
                (r"a\pLb", b"a\xe9b", True),
                (r"a\p{Mn}b", b"a\xe9b", False),
                (r"(?i)a\xe9b", b"a\xc9b", False),
                (r"(?i)a\p{Lu}b", b"asB", True),
                ("(a|a)*[^x]", b"a\xff", True),
            ):
                self.assertEqual(Regex(pattern, engine).fullmatch(text), matches, pattern)

    def test_errorsOfBytes(self) -> None:
        """What is quoted is what RE2 has read of it."""
        for pattern, words in (
            ("\\\xe9", "invalid escape sequence: \\\xc3"),
            (r"a\x{100}", r"invalid escape sequence: \x{100"),
            ("\xe9(", "missing ): \xe9("),
        ):
            error = self.assertRaises(ValueError, Regex, pattern, None)
            self.assertEqual(str(error), words)

    def test_substitution(self) -> None:
        """Groups are filled in; what is no match stays."""
        for engine in engines():
            for pattern, template, text, expected in (
                ("b(.)", r"<\1\0\\>", b"abcd", rb"a<cbc\>d"),
                ("^/a/([^/]+)(/.*)$", r"\2/i/\1", b"/a/b/c", b"/c/i/b"),
                ("x", "y", b"abc", b"abc"),
                ("(z)?b", r"[\1]", b"ab", b"a[]"),
                ("x*", "-", b"/rexxa", b"-/-r-e-a-"),
                ("(^|a)", r"<\0>", b"aab", b"<>a<a>b"),
                ("x*", "-", b"\xe9x", b"-\xe9-"),
            ):
                replace = Regex(pattern, engine).substitution(template)
                self.assertEqual(replace(text), expected, (pattern, engine))

    def test_oddTemplates(self) -> None:
        """Too many groups change nothing; what is no escape ends the template."""
        for engine in engines():
            regex = Regex("b", engine)
            self.assertEqual(regex.substitution(r"a\1z")(b"abc"), b"abc")
            self.assertEqual(regex.substitution(r"x\qz")(b"abc"), b"axc")
            self.assertEqual(regex.substitution("x\\")(b"abc"), b"axc")

    def test_lettersOfManyBytes(self) -> None:
        """Each byte of a letter is a place of its own."""
        for engine in engines():
            replace = Regex("c|q*", engine).substitution("-")
            self.assertEqual(replace(b"\xc3\xa9c"), b"-\xc3-\xa9-", engine)

    def test_errors(self) -> None:
        """In RE2's words."""
        for engine in engines():
            error = self.assertRaises(ValueError, Regex, "((", engine)
            self.assertEqual(str(error), "missing ): ((")

    def test_linearTime(self) -> None:
        """Patterns that make Python's own engine hang cost nothing."""
        for pattern, text in (
            ("(a+)+b", b"a" * 40),
            ("(a*)*b", b"a" * 40),
            ("(a|a)*b", b"a" * 40),
            ("(.*)/(.*)/(.*)x", b"/" * 1000),
            ("(?:a?){30}a{31}", b"a" * 30),
        ):
            begin = perf_counter()
            regex = Regex(pattern, None)
            self.assertFalse(regex.fullmatch(text))
            self.assertEqual(regex.substitution("x")(text), text)
            self.assertLess(perf_counter() - begin, 2.0, pattern)

    def test_slowButRight(self) -> None:
        """What Python cannot be given is matched all the same."""
        self.assertTrue(Regex("(a+)+b", None).fullmatch(b"aaab"))
        self.assertEqual(Regex("(a+)+b", None).substitution(r"<\1>")(b"xaabay"), b"x<aa>ay")


class BuildRegexTests(SynchronousTestCase):
    def test_errors(self) -> None:
        """A wrong pattern is refused in RE2's words, with its place."""
        view = viewOfYAML("envoy.type.matcher.v3.RegexMatcher", "{google_re2: {}, regex: '(('}")

        error = self.assertRaises(ConfigError, buildRegex, view)

        self.assertEqual(error.problem, "missing ): ((")
        self.assertEqual(str(error.position), "test.yaml:1:18")
