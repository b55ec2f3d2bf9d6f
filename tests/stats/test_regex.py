"""Tests for twisted_envoy.stats.regex."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.regex import compileRegex

WRONG = {
    "(": "missing ): (",
    "a(b": "missing ): a(b",
    "a)": "unexpected ): a)",
    "*": "no argument for repetition operator: *",
    "[": "missing ]: [",
    "x[a-": "missing ]: [a-",
    "a\\": "trailing \\",
    "\\q": "invalid escape sequence: \\q",
    "(a)\\1": "invalid escape sequence: \\1",
    "(?=a)": "invalid perl operator: (?=",
    "(?<!a)b": "invalid perl operator: (?<!",
    "[z-a]": "invalid character class range: z-a",
    "a**": "bad repetition operator: **",
}


class CompileRegexTests(SynchronousTestCase):
    def test_searches(self) -> None:
        """A good pattern works as RE2's would."""
        pattern = compileRegex(r"tcp\.(a|b)\.x$")

        self.assertTrue(pattern.search("listener.tcp.a.x"))
        self.assertFalse(pattern.search("tcp.c.x"))
        self.assertTrue(compileRegex(r"\\1").search("\\1"))

    def test_errorsInRE2sWords(self) -> None:
        """Each kind of mistake has RE2's text."""
        for pattern, words in WRONG.items():
            error = self.assertRaises(ValueError, compileRegex, pattern)
            self.assertEqual(str(error), words, pattern)

    def test_otherMistakesStillSaySomething(self) -> None:
        """What RE2 has no known words for keeps Python's."""
        error = self.assertRaises(ValueError, compileRegex, "(?P<a")

        self.assertIn("(?P<a", str(error))
