"""Tests for the tables of twisted_envoy.formatter.operators."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.json_text import jsonText
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Arguments, compileCommand
from twisted_envoy.formatter.parser import Command, FormatError

ARGUMENTS = {"FILTER_STATE": "k", "UPSTREAM_FILTER_STATE": "k", "METADATA": "DYNAMIC:x"}


class BuiltInTests(SynchronousTestCase):
    def test_everyCommandEvaluates(self) -> None:
        """On a bare and on a full connection each gives a value JSON knows and a text or None."""
        for name, entry in BUILT_IN.items():
            if name in ("CEL", "XFCC_VALUE"):
                continue
            arguments = ARGUMENTS.get(name, "")
            if entry.arguments is Arguments.REQUIRED:
                arguments = (
                    "DS_RX_BEG:US_CX_END"
                    if name == "COMMON_DURATION"
                    else '{"operators": ["HOSTNAME"]}'
                    if name == "COALESCE"
                    else "x"
                )
            operator = compileCommand(Command(name, arguments), BUILT_IN)
            for record in (bareRecord(), fullRecord()):
                jsonText(operator.value(record))
                self.assertIsInstance(operator.text(record), (str, type(None)), name)

    def test_commandsWeLack(self) -> None:
        """They are named as Envoy's that are not here."""
        for name in ("CEL", "XFCC_VALUE"):
            error = self.assertRaises(FormatError, compileCommand, Command(name, "x"), BUILT_IN)
            self.assertIn("not implemented by twisted_envoy", str(error))
