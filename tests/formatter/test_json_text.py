"""Tests for twisted_envoy.formatter.json_text."""

from __future__ import annotations

import json
from math import inf, nan

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.formatter.json_text import doubles, jsonText, plainText

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

    def test_floats(self) -> None:
        """As C++ prints them where it may choose: the shorter one of two forms."""
        for text in (
            *("3", "-2", "0.5", "0", "-0", "10000", "1e+05", "1e+15", "-1e+15", "0.001", "1e-04"),
            *("1e-07", "2e+07", "1234567.891", "123456789.12345679", "9007199254740992"),
            *("123456789012345683968", "1e+300", "1.5e-10", "2147483648", "5e-324", "inf", "-inf"),
        ):
            self.assertEqual(jsonText(float(text)), text)

    def test_doubles(self) -> None:
        """Numbers in what a Struct may hold, and nothing else."""
        value = {"a": [100000, True, "1"], "b": None, "c": {"d": -3}}
        self.assertEqual(jsonText(doubles(value)), '{"a":[1e+05,true,"1"],"b":null,"c":{"d":-3}}')

    def test_whatIsNoJSON(self) -> None:
        """Infinities are as C++ prints them; foreign objects become texts."""
        self.assertEqual([jsonText(one) for one in (nan, inf, -inf)], ["null", "inf", "-inf"])
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
