"""Tests for twisted_envoy.formatter.operators.coalesce; error texts are Envoy 1.40's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText


class CoalesceTests(SynchronousTestCase):
    def test_theFirstValue(self) -> None:
        """Operators without a value are passed over; the value keeps its type."""
        source = '%COALESCE({"operators":["PROTOCOL",{"command":"REQ","param":"x"},"BYTES_SENT"]})%'

        self.assertEqual(compileText(source)(fullRecord()), "6")
        self.assertEqual(compileJSON({"c": source})(fullRecord()), '{"c":6}\n')

    def test_noValue(self) -> None:
        """Unset when none has one."""
        source = '%COALESCE({"operators":["PROTOCOL"]})%'

        self.assertEqual(compileText(source)(bareRecord()), "-")
        self.assertEqual(compileJSON({"c": source})(bareRecord()), '{"c":null}\n')

    def test_lengths(self) -> None:
        """Of one operator and of the whole."""
        entry = '{"command":"FILTER_STATE","param":"str:PLAIN","max_length":4}'

        text = compileText(
            f'%COALESCE({{"operators":[{entry}]}})% %COALESCE({{"operators":[{entry}]}}):2%'
        )(fullRecord())

        self.assertEqual(text, "hell he")

    def test_errors(self) -> None:
        """What is wrong, and with which operator."""
        at = "COALESCE: failed to parse operator at index 0: "
        texts = {
            "[]": "COALESCE: JSON configuration must contain 'operators' array",
            "{}": "COALESCE: JSON configuration must contain 'operators' array",
            '{"operators":[]}': "COALESCE: 'operators' array must not be empty",
            '{"operators":"x"}': (
                "COALESCE: 'operators' must be an array: "
                "key 'operators' missing or not an array from lines 1-1"
            ),
            '{"operators":[1]}': at
            + "operator entry must be either a string (command name) or an object with "
            "'command' field",
            '{"operators":[{"param":"x"}]}': at + "operator object must have 'command' field: "
            "key 'command' missing or not a string from lines 1-1",
            '{"operators":["NOPE"]}': at + "unknown command: 'NOPE'",
            '{"operators":["COALESCE"]}': at + "COALESCE requires parameters",
        }
        for source, text in texts.items():
            error = self.assertRaises(FormatError, compileText, f"%COALESCE({source})%")
            self.assertEqual(str(error), text)
        broken = self.assertRaises(FormatError, compileText, "%COALESCE(x)%")
        self.assertTrue(str(broken).startswith("COALESCE: failed to parse JSON configuration: "))
