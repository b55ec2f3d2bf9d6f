"""Tests of twisted_envoy.config.yaml_scalar."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.yaml_cursor import Cursor, YAMLFault
from twisted_envoy.config.yaml_scalar import readEscape
from twisted_envoy.config.yaml_scanner import Scanner


def scalar(text: str) -> str:
    """Return the first scalar of a text."""
    scanner = Scanner(text)
    while (token := scanner.peek()) is not None and token.kind not in ("scalar", "quoted"):
        scanner.pop()
    assert token is not None
    return token.value.encode("latin-1").decode()


class EscapeTests(SynchronousTestCase):
    """Escapes."""

    def test_everyEscape(self) -> None:
        """Letters, hexadecimal, and Unicode."""
        for text, value in (
            ("\\n", "\n"),
            ("\\e", "\x1b"),
            ("\\x41", "A"),
            ("\\u00e9", "é"),
            ("\\U0001F600", "\U0001f600"),
            ("\\N", "\x85"),
            ("\\P", "\u2029"),
            ("''", "'"),
        ):
            self.assertEqual(readEscape(Cursor(text)).encode("latin-1").decode(), value)

    def test_faults(self) -> None:
        """Unknown letters, bad digits, half a pair."""
        for text, words in (
            ("\\q", "unknown escape character: q"),
            ("\\xg0", "bad character found while scanning hex number"),
            ("\\x4", "bad character found while scanning hex number"),
            ("\\ud800", "invalid unicode: 55296"),
            ("\\U00110000", "invalid unicode: 1114112"),
        ):
            self.assertEqual(self.assertRaises(YAMLFault, readEscape, Cursor(text)).text, words)


class FoldingTests(SynchronousTestCase):
    """Scalars of several lines."""

    def test_plainAndQuoted(self) -> None:
        """One line break is a blank, two are one line break."""
        for text, value in (
            ("a\n b\n\n c", "a b\nc"),
            ('"a  \n  b"', "a b"),
            ('"a \\\n  b"', "a b"),
            ("'it''s'", "it's"),
            ('"\\t "', "\t "),
            ("a #b", "a"),
            ("a\n--- b", "a"),
        ):
            self.assertEqual(scalar(text), value)

    def test_blocks(self) -> None:
        """Literal keeps lines, folded joins them, more indentation keeps them apart."""
        for text, value in (
            ("|\n a\n  b\n", "a\n b\n"),
            (">\n a\n b\n\n c\n", "a b\nc\n"),
            (">\n a\n   x\n b\n", "a\n  x\nb\n"),
            ("|+\n a\n\n", "a\n\n"),
            ("|-\n a\n\n", "a"),
            ("|1\n  a\n", " a\n"),
            (">\n\n a\n", "\na\n"),
        ):
            self.assertEqual(scalar(text), value, text)

    def test_faults(self) -> None:
        """Tabs as indentation, documents and ends inside quotes."""
        for text, words in (
            ("a: |\n  b\n\tc", "illegal tab when looking for indentation"),
            ("a: b\n\tc", "illegal tab when looking for indentation"),
            ("'a\n--- b'", "illegal document indicator in scalar"),
            ("'a", "illegal EOF in scalar"),
        ):
            scanner = Scanner(text)

            def drain(scanner: Scanner = scanner) -> None:
                while scanner.peek() is not None:
                    scanner.pop()

            self.assertEqual(self.assertRaises(YAMLFault, drain).text, words, text)
