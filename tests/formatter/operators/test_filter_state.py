"""Tests for twisted_envoy.formatter.operators.filter_state."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText
from twisted_envoy.state.filter_state import StringObject


class _Pair(StringObject):
    def field(self, name: str) -> object:
        return {"count": 3, "name": "abc"}.get(name)


class FilterStateTests(SynchronousTestCase):
    def test_texts(self) -> None:
        """PLAIN is bare, TYPED (the default) is JSON, a length cuts either."""
        texts = {
            "str": '"hello \\"q\\""',
            "str:TYPED": '"hello \\"q\\""',
            "str:PLAIN": 'hello "q"',
            "str:FIELD:x": "-",
            "bool": "true",
            "bool:PLAIN": "true",
            "num": "77",
            "no": "-",
            "no:PLAIN": "-",
            "no:FIELD:x": "-",
        }
        for source, text in texts.items():
            self.assertEqual(compileText(f"%FILTER_STATE({source})%")(fullRecord()), text, source)
        self.assertEqual(compileText("%FILTER_STATE(str):4%")(fullRecord()), '"hel')
        self.assertEqual(compileText("%FILTER_STATE(str:PLAIN):4%")(fullRecord()), "hell")
        self.assertEqual(compileText("%FILTER_STATE(str:PLAIN):0%")(fullRecord()), "")

    def test_json(self) -> None:
        """Types are kept; a length cuts PLAIN only."""
        line = compileJSON(
            {
                "a": "%FILTER_STATE(str):4%",
                "b": "%FILTER_STATE(str:PLAIN):4%",
                "c": "%FILTER_STATE(bool)%",
                "d": "%FILTER_STATE(bool:PLAIN)%",
                "e": "%FILTER_STATE(no)%",
            }
        )(fullRecord())

        self.assertEqual(line, '{"a":"hello \\"q\\"","b":"hell","c":true,"d":"true","e":null}\n')

    def test_fields(self) -> None:
        """A field of an object, numbers as text."""
        record = bareRecord()
        record.streamInfo.filterState.set("p", _Pair("x"))

        text = compileText(
            "%FILTER_STATE(p:FIELD:count)% %FILTER_STATE(p:FIELD:name):2% %FILTER_STATE(p:FIELD:z)%"
        )(record)

        self.assertEqual(text, "3 ab -")

    def test_upstream(self) -> None:
        """What was shared with the upstream connection."""
        format = compileText("%UPSTREAM_FILTER_STATE(up:PLAIN)% %UPSTREAM_FILTER_STATE(str)%")

        self.assertEqual(format(fullRecord()), "shared -")
        self.assertEqual(format(bareRecord()), "- -")

    def test_errors(self) -> None:
        """Envoy's words."""
        empty = "Invalid filter state configuration, key cannot be empty."
        style = "Invalid filter state serialize type, only support PLAIN/TYPED/FIELD."
        field = "Invalid filter state serialize type, FIELD should be used with the field name."
        texts = {
            "": empty,
            ":PLAIN": empty,
            "a:plain": style,
            "a:FIELD": field,
            "a:FIELD:": field,
            "a:PLAIN:x": field,
        }
        for source, text in texts.items():
            error = self.assertRaises(FormatError, compileText, f"%FILTER_STATE({source})%")
            self.assertEqual(str(error), text, source)
