"""Tests for `twisted_envoy.server.log_format`."""

from __future__ import annotations

import os
import time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.log_format import (
    DEFAULT_LOG_FORMAT,
    LogFormatError,
    LogRecord,
    compileLogFormat,
)

RECORD = LogRecord(1795400157.094242, "info", "main", 'say "a"\nb', "twisted_envoy/x/y.py", 12, "f")


class LogFormatTests(SynchronousTestCase):
    """spdlog's patterns."""

    def setUp(self) -> None:
        """Local time is UTC here."""
        self.patch(os, "environ", {**os.environ, "TZ": "UTC"})
        os.putenv("TZ", "UTC")
        time.tzset()
        self.addCleanup(time.tzset)
        self.addCleanup(os.unsetenv, "TZ")

    def format(self, pattern: str) -> str:
        """The record in a pattern."""
        return compileLogFormat(pattern)(RECORD)

    def test_default(self) -> None:
        """Envoy's own pattern."""
        line = self.format(DEFAULT_LOG_FORMAT)
        self.assertRegex(
            line,
            r"^\[2026-11-23 02:15:57\.094\]\[\d+\]\[info\]\[main\] "
            r'\[twisted_envoy/x/y\.py:12\] say "a"\nb$',
        )

    def test_tokens(self) -> None:
        """What real Envoy 1.40 printed for the same moment."""
        for pattern, text in (
            ("%Y|%m|%d|%H|%M|%S|%e|%T", "2026|11|23|02|15|57|094|02:15:57"),
            (
                "%l|%L|%n|%g|%#|%s|%!|%@",
                "info|I|main|twisted_envoy/x/y.py|12|y.py|f|twisted_envoy/x/y.py:12",
            ),
            ("%D|%R|%f|%F|%E|%z", "11/23/26|02:15|094242|094242000|1795400157|+00:00"),
            ("%P|%%", f"{os.getpid()}|%"),
            ("%^x%$", "x"),
            ("%_", 'say "a"\\nb'),
            ("%j", 'say \\"a\\"\\nb'),
            ("plain", "plain"),
            ("", ""),
        ):
            self.assertEqual(self.format(pattern)[:60], text[:60])

    def test_width(self) -> None:
        """Right, left, centred, and cut."""
        self.assertEqual(self.format("[%6l][%-6l][%=6l][%2!l]"), "[  info][info  ][ info ][in]")

    def test_unknownToken(self) -> None:
        """The error names it and those that are known."""
        for pattern in ("%q", "%-n", "x%", "%5"):
            error = self.assertRaises(LogFormatError, compileLogFormat, pattern)
            self.assertIn("unknown token '%", str(error))
            self.assertIn("%v", str(error))

    @given(st.text())
    def test_anyText(self, pattern: str) -> None:
        """A pattern compiles or is refused; nothing else happens."""
        try:
            self.assertIsInstance(compileLogFormat(pattern)(RECORD), str)
        except LogFormatError:
            self.assertIn("%", pattern)
