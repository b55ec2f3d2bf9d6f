"""Tests of twisted_envoy.config.yaml_scanner."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.yaml_cursor import YAMLFault
from twisted_envoy.config.yaml_scanner import Scanner


def tokens(text: str) -> list[str]:
    """Return kinds and values of all tokens of a text."""
    scanner, found = Scanner(text), []
    while (token := scanner.peek()) is not None:
        found.append(f"{token.kind}={token.value}" if token.value else token.kind)
        scanner.pop()
    return found


class ScannerTests(SynchronousTestCase):
    """Tokens."""

    def test_blocks(self) -> None:
        """Maps and sequences begin and end with tokens of their own."""
        self.assertEqual(
            tokens("a: b\nc:\n- d\n"),
            [
                *("map", "key", "scalar=a", "value", "scalar=b", "key", "scalar=c", "value"),
                *("seq", "-", "scalar=d", "end seq", "end map"),
            ],
        )

    def test_flows(self) -> None:
        """Keys in braces need no colon; quoted ones may be followed by one at once."""
        self.assertEqual(
            tokens('{a, "b":c}'),
            ["{", "key", "scalar=a", "value", ",", "key", "quoted=b", "value", "scalar=c", "}"],
        )

    def test_propertiesAndDocuments(self) -> None:
        """Tags, anchors, aliases, directives and document marks."""
        self.assertEqual(
            tokens("%X y\n--- !t &a b\n...\n"),
            ["%=X y", "---", "tag=!t", "anchor=a", "scalar=b", "..."],
        )

    def test_faults(self) -> None:
        """What no token begins with, and where."""
        for text, words, column in (
            ("a: @", "unknown token", 3),
            ("a: 'b' @", "unexpected scalar", 7),
            ("a: 'b' c", "unexpected scalar", 7),
            ("a: 'b', c", "unexpected scalar", 6),
            ("a: 'b' 'c'", "unexpected scalar", 7),
            ("a: ]", "illegal flow end", 3),
            ("[}", "illegal flow end", 1),
            ("[- a]", "illegal block entry", 1),
            ("a: - b", "illegal block entry", 3),
            ("a: ? b", "illegal map key", 3),
            ("a: b: c", "illegal map value", 4),
            ("a: *", "alias not found after *", 4),
            ("a: &", "anchor not found after &", 4),
            ("a: &b[", "illegal character found while scanning anchor", 5),
            ("a: !<b", "end of verbatim tag not found", 6),
            ("a: !b! c", "tag handle with no suffix", 6),
            ("a: !b.c!d", "illegal character found while scanning tag handle", 5),
            ("a: |0\n b", "cannot set zero indentation for a block scalar", 5),
            ("a: |x\n b", "unexpected character in block scalar", 4),
            (", a", "plain value cannot start with flow indicator character", 0),
        ):
            fault = self.assertRaises(YAMLFault, tokens, text)
            self.assertEqual((fault.text, fault.place.column), (words, column), text)
