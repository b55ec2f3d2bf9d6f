"""Tests for twisted_envoy.formatter.time_format; expected texts are Envoy 1.40's."""

from __future__ import annotations

import os
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import START
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.time_format import compileTimeFormat, isFine

PRINTED = {
    "%Y-%m-%dT%H:%M:%E3SZ": "2026-11-23T02:15:12.374Z",
    "%s": "1795400112",
    "%s.%3f": "1795400112.374",
    "%s%3f": "1795400112374",
    "%s.%9f %3f %f": "1795400112.374098000 374 374098000",
    "%f": "374098000",
    "%1f": "3",
    "%6f": "374098",
    "%9f": "374098000",
    "%E3S": "12.374",
    "%E9S": "12.374098000",
    "%E0S": "12",
    "%E*S": "12.374098",
    "%E*f": "374098",
    "%E3f": "374",
    "%E10f": "3740980000",
    "%ES": "%ES",
    "%E1S": "12.3",
    "%E15S": "12.374098000000000",
    "%S": "12",
    "%y %j %a %A %b %B": "26 327 Mon Monday Nov November",
    "%c": "Mon Nov 23 02:15:12 2026",
    "%x %X %p %I %e": "11/23/26 02:15:12 AM 02 23",
    "%D %F %T %R": "11/23/26 2026-11-23 02:15:12 02:15",
    "%z %Z": "+0000 UTC",
    "%Ez %E*z %:z %::z %:::z": "+00:00 +00:00:00 +00:00 +00:00:00 +00",
    "%u %w %U %W %V %G %g %C": "1 1 47 47 48 2026 26 20",
    "%%": "%",
    "%t": "\t",
    "x": "x",
    "%": "%",
    "a%": "a%",
    "%E4Y": "2026",
    "%ET": "T",
    "abc %H": "abc 02",
    "%_d%-d": "2323",
    "é %5Y": "é 02026",
}


class TimeFormatTests(SynchronousTestCase):
    def test_asEnvoyPrints(self) -> None:
        """Each letter and extension."""
        for source, text in PRINTED.items():
            self.assertEqual(compileTimeFormat(source, local=False)(START), text, source)

    def test_fine(self) -> None:
        """What shows no more than milliseconds is the same for all of one."""
        for source in PRINTED:
            render = compileTimeFormat(source, local=False)
            texts = {render(1795400112.374 + count / 1e6) for count in (1, 500, 998)}
            self.assertEqual(isFine(source), len(texts) > 1, source)

    def test_nothingIsLeftOfTheSecondBefore(self) -> None:
        """Parts of a second and whole seconds both move on, also backwards."""
        render = compileTimeFormat("%T.%3f", local=False)

        texts = [render(START + step) for step in (0, 0.1, 1, 61, 0)]

        self.assertEqual(
            texts,
            ["02:15:12.374", "02:15:12.474", "02:15:13.374", "02:16:13.374", "02:15:12.374"],
        )

    def test_significantDecimalsOfAWholeSecond(self) -> None:
        """No point without decimals, but one digit of a bare fraction."""
        self.assertEqual(compileTimeFormat("%E*S %E*f", local=False)(12.0), "12 0")

    def test_microsecondsAreRounded(self) -> None:
        """A float cannot hold 0.123 exactly; it still prints so."""
        self.assertEqual(
            compileTimeFormat("%s.%6f", local=False)(1700000000.123), "1700000000.123000"
        )

    def test_newlinesAreRefused(self) -> None:
        """With flags and digits too."""
        for source in ("%n", "abc%1n", "%3n", "%-En"):
            error = self.assertRaises(FormatError, compileTimeFormat, source, False)
            self.assertEqual(
                str(error), "Invalid header configuration. Format string contains newline."
            )
        compileTimeFormat("%E4n", local=False)

    def test_localTime(self) -> None:
        """The zone of this machine, with its name and offset."""
        self._zone("America/New_York")

        self.assertEqual(
            compileTimeFormat("%Y-%m-%dT%H:%M:%E3S%z %Z %:z %s", local=True)(START),
            "2026-11-22T21:15:12.374-0500 EST -05:00 1795400112",
        )

    def test_oddOffsets(self) -> None:
        """`%:::z` prints as much as it must."""
        self._zone("IST-5:30:15")

        render = compileTimeFormat("%z %:::z %::z", local=True)

        self.assertEqual(render(START), "+0530 +05:30:15 +05:30:15")

    def _zone(self, name: str) -> None:
        before = os.environ.get("TZ")

        def restore() -> None:
            if before is None:
                os.environ.pop("TZ", None)
            else:
                os.environ["TZ"] = before
            time.tzset()

        self.addCleanup(restore)
        os.environ["TZ"] = name
        time.tzset()

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, 4 * 10**9), st.integers(0, 999_999))
    def test_everyMicrosecondComesBack(self, second: int, microsecond: int) -> None:
        """Seconds and microseconds print as they went in."""
        render = compileTimeFormat("%s.%6f", local=False)

        self.assertEqual(render(second + microsecond / 1_000_000), f"{second}.{microsecond:06d}")

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="%ESfszYn3*:-_0a ", max_size=12))
    def test_anyFormatRendersOrIsRefused(self, source: str) -> None:
        """Nothing else than FormatError comes out."""
        try:
            self.assertIsInstance(compileTimeFormat(source, local=False)(START), str)
        except FormatError as error:
            self.assertIn("newline", str(error))
