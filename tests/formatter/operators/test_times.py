"""Tests for twisted_envoy.formatter.operators.times."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import START, answeredRecord, bareRecord, fullRecord, requestRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText
from twisted_envoy.state.stream_info import UpstreamInfo


class TimeTests(SynchronousTestCase):
    def test_startAndEmit(self) -> None:
        """When it began and when the line is made."""
        text = compileText("%START_TIME% %START_TIME()% %EMIT_TIME(%s.%3f)%")(fullRecord())

        self.assertEqual(text, "2026-11-23T02:15:12.374Z 2026-11-23T02:15:12.374Z 1795400113.374")

    def test_local(self) -> None:
        """The default format has the offset."""
        text = compileText("%START_TIME_LOCAL% %EMIT_TIME_LOCAL(%s)%")(fullRecord())

        self.assertRegex(text, r"^20..-..-..T..:..:12\.374[+-]\d{4} 1795400113$")

    def test_noLength(self) -> None:
        """A time is never cut."""
        error = self.assertRaises(FormatError, compileText, "%START_TIME(%s):5%")

        self.assertEqual(str(error), "START_TIME does not allow length to be specified.")


class CommonDurationTests(SynchronousTestCase):
    def test_betweenKnownPoints(self) -> None:
        """In milliseconds, microseconds or nanoseconds."""
        sources = {
            "DS_RX_BEG:US_CX_BEG": "1",
            "DS_RX_BEG:US_CX_END:ms": "3",
            "US_CX_BEG:US_CX_END:us": "2500",
            "US_CX_BEG:US_CX_END:ns": "2500000",
            "DS_RX_BEG:DS_RX_BEG:us": "0",
        }
        for source, expected in sources.items():
            text = compileText(f"%COMMON_DURATION({source})%")(fullRecord())
            self.assertEqual(text, expected, source)

    def test_pooledConnection(self) -> None:
        """A request's connection knows when it was made, whoever it was made for."""
        record = bareRecord()
        record.streamInfo.upstream = upstream = UpstreamInfo("c")
        upstream.connection = SimpleNamespace(startTime=START - 5, connectedTime=START - 4.5)
        text = compileText(
            "%COMMON_DURATION(US_CX_BEG:US_CX_END:us)% %COMMON_DURATION(DS_RX_BEG:US_CX_BEG)%"
        )
        self.assertEqual(text(record), "500000 -")

    def test_unset(self) -> None:
        """Unknown points, points that never came, and ends before starts."""
        for source in ("US_CX_END:US_CX_BEG", "DS_RX_BEG:US_TX_BEG", "NOPE:DS_RX_BEG"):
            self.assertEqual(
                compileJSON({"d": f"%COMMON_DURATION({source})%"})(fullRecord()), '{"d":null}\n'
            )
        format = compileText("%COMMON_DURATION(US_CX_BEG:US_CX_END)%")
        self.assertEqual(format(bareRecord()), "-")

    def test_errors(self) -> None:
        """Envoy's words."""
        texts = {
            "A": "Invalid common duration configuration: A.",
            "A:B:ms:x": "Invalid common duration configuration: A:B:ms:x.",
            "A:B:s": "Invalid common duration precision: s.",
            "A:B:": "Invalid common duration precision: .",
        }
        for source, text in texts.items():
            error = self.assertRaises(FormatError, compileText, f"%COMMON_DURATION({source})%")
            self.assertEqual(str(error), text)


class RequestTests(SynchronousTestCase):
    def test_durations(self) -> None:
        """Whole milliseconds; unset while one of the two moments has not come."""
        format = compileText(
            "%REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% "
            "%RESPONSE_TX_DURATION% %ROUNDTRIP_DURATION% %DURATION%"
        )
        self.assertEqual(format(answeredRecord()), "1 3 10 11 - 21")
        self.assertEqual(format(requestRecord()), "- - - - - 1000")

    def test_points(self) -> None:
        """Every moment of a request that is known."""
        for point, expected in (
            *(("DS_RX_END", "1000"), ("US_TX_BEG", "2000"), ("US_TX_END", "3500")),
            *(("US_RX_BEG", "10000"), ("US_RX_END", "12000"), ("DS_TX_BEG", "11000")),
            *(("DS_TX_END", "21500"), ("US_CX_BEG", "-"), ("US_HS_END", "-")),
            *(("DS_RX_HDR_END", "500"), ("US_RX_BODY_BEG", "10500")),
        ):
            text = compileText(f"%COMMON_DURATION(DS_RX_BEG:{point}:us)%")(answeredRecord())
            self.assertEqual(text, expected, point)
