"""Tests for twisted_envoy.network.regex."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.views import viewOfYAML
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.regex import Regex, buildRegex


class RegexTests(SynchronousTestCase):
    def test_wholeTexts(self) -> None:
        """A pattern has to match all of a text; any bytes will do as a text."""
        self.assertTrue(Regex("a.").fullmatch("a\xe9".encode()))
        self.assertFalse(Regex("a.").fullmatch(b"abc"))
        self.assertTrue(Regex(".*c").fullmatch(b"\xffc"))


class BuildRegexTests(SynchronousTestCase):
    def test_errors(self) -> None:
        """A wrong pattern is refused in RE2's words, with its place."""
        view = viewOfYAML("envoy.type.matcher.v3.RegexMatcher", "regex: '(('")

        error = self.assertRaises(ConfigError, buildRegex, view)

        self.assertEqual(error.problem, "missing ): ((")
        self.assertEqual(str(error.position), "test.yaml:1:1")
