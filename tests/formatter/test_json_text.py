"""Tests for twisted_envoy.formatter.json_text."""

from __future__ import annotations

import json
from math import inf, nan

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.formatter.json_text import jsonText, plainText

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class JSONTextTests(SynchronousTestCase):
    def test_asEnvoyPrints(self) -> None:
        """Sorted keys, no blanks, only what must be is escaped."""
        value = {"z": None, "a": [1, 2.5, True], "é\u2028/<\x01\n": 'q"\\'}

        self.assertEqual(
            jsonText(value), '{"a":[1,2.5,true],"z":null,"é\u2028/<\\u0001\\n":"q\\"\\\\"}'
        )

    def test_wholeFloats(self) -> None:
        """A double that is whole prints so."""
        self.assertEqual([jsonText(number) for number in (3.0, -2.0, 0.5)], ["3", "-2", "0.5"])

    def test_whatIsNoJSON(self) -> None:
        """Infinities and foreign objects become texts."""
        self.assertEqual(
            [jsonText(number) for number in (nan, inf, -inf)],
            ['"NaN"', '"Infinity"', '"-Infinity"'],
        )
        self.assertEqual(jsonText(b"x"), "\"b'x'\"")

    def test_plainText(self) -> None:
        """A string stays bare, None stays None."""
        self.assertEqual(
            [plainText(value) for value in ('a"', None, True, {"a": "b"})],
            ['a"', None, "true", '{"a":"b"}'],
        )

    @settings(max_examples=150, deadline=None)
    @given(VALUES)
    def test_readsBackAsTheSame(self, value: object) -> None:
        """Any JSON parser gets the value back."""
        self.assertEqual(json.loads(jsonText(value)), value)
