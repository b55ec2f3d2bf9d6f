"""Tests of twisted_envoy.config.scalars."""

import math

from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import outcome, verdicts
from twisted_envoy.config import scalars
from twisted_envoy.config.nodes import Place, scalarNode, sequenceNode
from twisted_envoy.config.problem import Problem

HERE = Place(0, 0)


def plain(text: str) -> object:
    return scalarNode("?", text, HERE)


class RecordedCellTests(SynchronousTestCase):
    """Every kind of scalar in every kind of field, as real Envoy 1.40 takes it."""

    def test_everyCell(self) -> None:
        """94 spellings in 16 fields: the same verdict and the same words."""
        wrong = []
        for kind, table in verdicts()["scalars"].items():
            for wanted, spellings in table["outcomes"].items():
                for spelling in spellings:
                    found = outcome(table["text"] % spelling)
                    if "Proto constraint" in found:
                        found = "OK"
                    if wanted not in found:
                        wrong.append((kind, spelling, wanted, found))
        self.assertEqual(wrong, [])


class IntegerTests(SynchronousTestCase):
    """Integers."""

    @settings(max_examples=200, deadline=None)
    @given(st.integers(-(2**64), 2**65))
    def test_quotedIntegers(self, number: int) -> None:
        """A quoted integer is read when the type can hold it, and refused otherwise."""
        for fieldType, low, high in (
            (5, -(2**31), 2**31 - 1),
            (13, 0, 2**32 - 1),
            (3, -(2**63), 2**63 - 1),
            (4, 0, 2**64 - 1),
        ):
            node = scalarNode("!", str(number), HERE)
            if low <= number <= high:
                self.assertEqual(scalars.READERS[fieldType](node), number)
            else:
                self.assertRaises(Problem, scalars.READERS[fieldType], node)

    def test_blanksInQuotes(self) -> None:
        """Blanks in a quoted number are named."""
        problem = self.assertRaises(Problem, scalars.READERS[13], scalarNode("!", " 5", HERE))
        self.assertEqual(problem.text, "non-number characters in quoted number")

    def test_hexadecimalFloats(self) -> None:
        """Quoted hexadecimal goes through floating point."""
        self.assertEqual(scalars.READERS[13](scalarNode("!", "0x1p4", HERE)), 16)

    def test_fractionsOfJSON(self) -> None:
        """A JSON number without a fraction is an integer however it is written."""
        self.assertEqual(scalars.READERS[13](scalarNode("#", "1e3", HERE)), 1000)
        problem = self.assertRaises(Problem, scalars.READERS[13], scalarNode("#", "1.5", HERE))
        self.assertIn("fractional part", problem.text)


class FloatTests(SynchronousTestCase):
    """Floating point."""

    def test_parseFloat(self) -> None:
        """Decimal, hexadecimal, and names."""
        for text, number in (("1.", 1.0), (".5", 0.5), ("+1e1", 10.0), ("-0x1.8", -1.5)):
            self.assertEqual(scalars.parseFloat(text), number)
        for text in ("nan", "NaN(1)", "-nan"):
            self.assertTrue(math.isnan(scalars.parseFloat(text) or 0.0))
        self.assertEqual(scalars.parseFloat("-Infinity"), -math.inf)
        self.assertEqual(scalars.parseFloat("0x1p99999"), math.inf)
        self.assertEqual(scalars.parseFloat("-0x1p99999"), -math.inf)
        for text in ("", "1_0", "0o1", "1e", "."):
            self.assertIsNone(scalars.parseFloat(text))

    def test_float32Range(self) -> None:
        """What a 32-bit float cannot hold is refused; infinity is not."""
        self.assertEqual(scalars.readFloat(scalarNode("!", "inf", HERE)), math.inf)
        problem = self.assertRaises(Problem, scalars.readFloat, scalarNode("!", "1e39", HERE))
        self.assertEqual(problem.text, "float out of range")

    def test_jsonNames(self) -> None:
        """The three names of JSON's mapping."""
        self.assertTrue(math.isnan(scalars.readDouble(scalarNode("!", "NaN", HERE))))
        self.assertEqual(scalars.readDouble(scalarNode("!", "-Infinity", HERE)), -math.inf)
        self.assertEqual(scalars.readDouble(scalarNode("#", "2.5", HERE)), 2.5)


class BytesTests(SynchronousTestCase):
    """Base64."""

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=40))
    def test_bothAlphabets(self, data: bytes) -> None:
        """Either alphabet, padded or not, gives the bytes back."""
        import base64

        for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
            for text in (encoded.decode(), encoded.decode().rstrip("=")):
                self.assertEqual(scalars.readBytes(scalarNode("!", text, HERE)), data)

    def test_corrupt(self) -> None:
        """Wrong characters, wrong lengths, padding in the wrong place."""
        for text in ("a", "ab=", "====", "a b c d", "ab=c"):
            node = scalarNode("!", text, HERE)
            self.assertEqual(
                self.assertRaises(Problem, scalars.readBytes, node).text, "corrupt base64"
            )


class EnumTests(SynchronousTestCase):
    """Enums."""

    read = staticmethod(scalars.enumReader(struct_pb2.NullValue.DESCRIPTOR))

    def test_namesAndNumbers(self) -> None:
        """Names in any case, numbers known or not."""
        for text, number in (("NULL_VALUE", 0), ("null_Value", 0), ("7", 7), ("-1", -1)):
            self.assertEqual(self.read(plain(text), True), number)
        self.assertEqual(self.read(scalarNode("!", " 7", HERE), True), 7)

    def test_unknownNames(self) -> None:
        """An unknown name is a soft problem that lists the known ones, or is skipped."""
        problem = self.assertRaises(Problem, self.read, plain("NOPE"), True)
        self.assertEqual(problem.text, "unknown enum value: 'NOPE'")
        self.assertTrue(problem.soft)
        self.assertEqual(problem.hint, "known: NULL_VALUE")
        self.assertIs(self.read(plain("NOPE"), False), scalars.SKIPPED)


class KeyTests(SynchronousTestCase):
    """Keys of maps."""

    def test_keys(self) -> None:
        """Keys are strings in JSON and become what the map wants."""
        node = plain("x")
        self.assertEqual(scalars.keyReader(9)("x", node), "x")
        self.assertEqual(scalars.keyReader(8)("true", node), True)
        self.assertEqual(scalars.keyReader(13)("5", node), 5)
        for fieldType, text in ((8, "yes"), (13, "x"), (13, "-5"), (5, "99999999999")):
            self.assertRaises(Problem, scalars.keyReader(fieldType), text, node)


class LetterTests(SynchronousTestCase):
    def test_hint(self) -> None:
        """Where a string is wanted, a bare y or n is likely a letter."""
        for letter in "yYnN":
            problem = scalars.unexpected(scalarNode("?", letter, HERE), '"')
            self.assertIn(f'write "{letter}"', problem.hint)
        for other, wanted in (("yes", '"'), ("n", "[")):
            self.assertEqual(scalars.unexpected(scalarNode("?", other, HERE), wanted).hint, "")


class BrokenTests(SynchronousTestCase):
    """Nodes that stand for broken JSON."""

    def test_theReasonOrTheFirstCharacter(self) -> None:
        """A value that begins as it should is blamed for its inside, else for its beginning."""
        good = scalarNode("\0", "invalid escape char: 'q'", HERE, '"')
        bad = scalarNode("\0", "unexpected character: 't'; expected 'true'", HERE, "t")
        self.assertEqual(scalars.unexpected(good, '"').text, "invalid escape char: 'q'")
        self.assertEqual(
            scalars.unexpected(bad, '"').text, "unexpected character: 't'; expected '\"'"
        )
        problem = self.assertRaises(Problem, scalars.readBool, bad)
        self.assertEqual(problem.text, "unexpected character: 't'; expected 'true'")

    def test_soundNodes(self) -> None:
        """Sound nodes are not broken."""
        self.assertIsNone(scalars.broken(plain("x")))
        self.assertIsNone(scalars.broken(sequenceNode("?", HERE)))
