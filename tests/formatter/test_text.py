"""Tests for twisted_envoy.formatter.text."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import text
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import DEFAULT_FORMAT, compileText


class CompileTextTests(SynchronousTestCase):
    def test_defaultLineOfAConnection(self) -> None:
        """Envoy's own line, dashes where HTTP would stand."""
        self.assertEqual(
            compileText(DEFAULT_FORMAT)(fullRecord()),
            '[2026-11-23T02:15:12.374Z] "- - -" 0 - 5 6 21 - "-" "-" "-" "-" "10.0.0.9:80"\n',
        )

    def test_unsetValues(self) -> None:
        """A dash, or nothing when empty values are left out."""
        source = "a %BYTES_SENT% %PROTOCOL%%UPSTREAM_HOST%|%RESPONSE_FLAGS%"

        self.assertEqual(compileText(source)(bareRecord()), "a 0 --|-")
        self.assertEqual(compileText(source, omitEmpty=True)(bareRecord()), "a 0 |-")

    def test_percentSigns(self) -> None:
        """They survive with and without commands beside them."""
        self.assertEqual(compileText("100%%s")(bareRecord()), "100%s")
        self.assertEqual(compileText("%%s%BYTES_SENT%%%d")(bareRecord()), "%s0%d")
        self.assertEqual(compileText("")(bareRecord()), "")

    def test_unknownCommand(self) -> None:
        """Envoy's words."""
        error = self.assertRaises(FormatError, compileText, "%NOPE(x):3%")

        self.assertEqual(str(error), "Not supported field in StreamInfo: NOPE")

    def test_firstMistake(self) -> None:
        """An unknown command is told before what is no command behind it."""
        error = self.assertRaises(FormatError, compileText, "%A%%")

        self.assertEqual(str(error), "Not supported field in StreamInfo: A")

    def test_ownOperators(self) -> None:
        """A caller's table can add and replace commands."""
        table = {**BUILT_IN, "PROTOCOL": text(lambda record: "HTTP/1.1")}

        format = compileText("%PROTOCOL% %BYTES_SENT%", operators=table)

        self.assertEqual(format(bareRecord()), "HTTP/1.1 0")
