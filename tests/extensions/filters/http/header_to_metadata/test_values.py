"""Texts that become values, as real Envoy 1.40 took them."""

from __future__ import annotations

from base64 import b64encode
from math import inf, isnan

from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.http.header_to_metadata.values import (
    decodeBase64,
    toNumber,
    toText,
    toValue,
)


class NumberTests(SynchronousTestCase):
    def test_numbers(self) -> None:
        """As C writes them."""
        for text, expected in (
            (b" 12 ", 12.0),
            (b"1e3", 1000.0),
            (b"-5", -5.0),
            (b"+5", 5.0),
            (b".5", 0.5),
            (b"5.", 5.0),
            (b"0x10", 16.0),
            (b"-0x1.8p1", -3.0),
            (b"inf", inf),
            (b"-Infinity", -inf),
            (b"1e999", inf),
            (b"0x1p9999", inf),
            (b"-0x1p9999", -inf),
        ):
            self.assertEqual(toNumber(text), expected, text)
        found = toNumber(b"nan")
        assert isinstance(found, float)
        self.assertTrue(isnan(found))

    def test_others(self) -> None:
        """No numbers."""
        for text in (b"", b"abc", b"1_0", b"1 2", b"0x", b"0x_1", b"0xg", b"0x\xff", b"--1", b"1e"):
            self.assertRaises(ValueError, toNumber, text)

    @given(st.floats(allow_nan=False))
    def test_everyNumber(self, number: float) -> None:
        """Comes back."""
        self.assertEqual(toNumber(repr(number).encode()), number)


class ValueTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """What a google.protobuf.Value can hold."""
        inner = Struct()
        inner.update({"a": [1, True, None, "x"], "b": {"c": "d"}})
        for value, expected in (
            (Value(string_value="s"), "s"),
            (Value(number_value=1.5), 1.5),
            (Value(bool_value=True), True),
            (Value(null_value="NULL_VALUE"), None),
            (Value(), None),
            (Value(struct_value=inner), {"a": [1, True, None, "x"], "b": {"c": "d"}}),
        ):
            self.assertEqual(toValue(value.SerializeToString()), expected)

    def test_others(self) -> None:
        """Bytes that are none."""
        self.assertRaises(ValueError, toValue, b"\xff")

    @given(st.binary())
    def test_anything(self, data: bytes) -> None:
        """A value or a ValueError."""
        try:
            toValue(data)
        except ValueError:
            pass


class TextTests(SynchronousTestCase):
    def test_bytes(self) -> None:
        """Those that are no text are kept."""
        self.assertEqual(toText(b"a\xff"), "a\udcff")


class Base64Tests(SynchronousTestCase):
    def test_padding(self) -> None:
        """There, missing or too much."""
        for text in (b"aGVsbG8=", b"aGVsbG8", b"aGVsbG8=="):
            self.assertEqual(decodeBase64(text), b"hello")

    def test_others(self) -> None:
        """Other letters, bits that are left over, nothing."""
        for text in (b"!!!", b"a", b"aGVs bG8=", b"_-8", b"aGVsbG9=", b"", b"=", b"aGVsbG8===="):
            self.assertRaises(ValueError, decodeBase64, text)

    @given(st.binary(min_size=1))
    def test_roundTrip(self, data: bytes) -> None:
        """What was encoded comes back."""
        text = b64encode(data)
        self.assertEqual(decodeBase64(text), data)
        self.assertEqual(decodeBase64(text.rstrip(b"=")), data)
