"""Tests of twisted_envoy.config.nodes."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config import nodes
from twisted_envoy.config.nodes import Place, classify, mappingNode, scalarNode, sequenceNode


class ClassifyTests(SynchronousTestCase):
    """What an unquoted scalar is in JSON."""

    def test_wordsThatAreBools(self) -> None:
        """All of YAML 1.1's words in three spellings are bools, others are not."""
        for word in ("y", "Y", "yes", "Yes", "YES", "true", "on", "ON"):
            self.assertEqual(classify(word), (nodes.KIND_BOOL, "true"))
        for word in ("n", "N", "no", "off", "False"):
            self.assertEqual(classify(word), (nodes.KIND_BOOL, "false"))
        for word in ("tRUE", "yEs", "truee"):
            self.assertEqual(classify(word), (nodes.KIND_STRING, word))

    def test_integersOf32Bits(self) -> None:
        """Decimal, octal and hexadecimal integers of 32 bits are numbers."""
        for text, number in (
            ("0", "0"),
            ("-0", "0"),
            ("+5", "5"),
            ("010", "8"),
            ("0x10", "16"),
            ("-0X1f", "-31"),
            ("2147483647", "2147483647"),
            ("-2147483648", "-2147483648"),
        ):
            self.assertEqual(classify(text), (nodes.KIND_NUMBER, number))

    def test_largerIntegersAreStrings(self) -> None:
        """Integers up to 64 bits become decimal strings, larger ones stay as written."""
        self.assertEqual(classify("0xFFFFFFFF"), (nodes.KIND_STRING, "4294967295"))
        self.assertEqual(classify("-2147483649"), (nodes.KIND_STRING, "-2147483649"))
        self.assertEqual(classify("0x" + "f" * 20), (nodes.KIND_STRING, "0x" + "f" * 20))

    def test_everythingElseIsAString(self) -> None:
        """Fractions, dates and odd numbers are strings."""
        for text in ("1.5", "1e3", "08", "0o10", "1_000", "2001-01-01", ".inf", "a"):
            self.assertEqual(classify(text), (nodes.KIND_STRING, text))


class NodeTests(SynchronousTestCase):
    """Reading nodes."""

    here = Place(2, 4)

    def test_null(self) -> None:
        """Only plain scalars can be null."""
        self.assertTrue(nodes.isNull(scalarNode("?", "~", self.here)))
        self.assertFalse(nodes.isNull(scalarNode("!", "", self.here)))
        self.assertFalse(nodes.isNull(scalarNode("tag:yaml.org,2002:str", "", self.here)))
        self.assertFalse(nodes.isNull(mappingNode("?", self.here)))

    def test_scalarOf(self) -> None:
        """The tag decides how much a scalar's text may mean."""
        for tag, text, expected in (
            ("?", "null", (nodes.KIND_NULL, "null")),
            ("!", "5", (nodes.KIND_STRING, "5")),
            ("#", "5.0", (nodes.KIND_NUMBER, "5.0")),
            ("!!str", "5", (nodes.KIND_NUMBER, "5")),
            ("\0", "why", (nodes.KIND_OTHER, "\0")),
        ):
            self.assertEqual(nodes.scalarOf(scalarNode(tag, text, self.here)), expected)
        self.assertEqual(nodes.scalarOf(mappingNode("?", self.here)), (nodes.KIND_OTHER, "{"))
        self.assertEqual(nodes.scalarOf(sequenceNode("?", self.here)), (nodes.KIND_OTHER, "["))

    def test_keys(self) -> None:
        """A null key is the word null; a list is no key."""
        self.assertEqual(nodes.keyText(scalarNode("?", "", self.here)), "null")
        self.assertEqual(nodes.keyText(scalarNode("?", "5", self.here)), "5")
        self.assertIsNone(nodes.keyText(sequenceNode("?", self.here)))

    def test_positionsCountFromOne(self) -> None:
        """A mark's line 2 and column 4 are the user's 3 and 5."""
        found = nodes.positionOf(scalarNode("?", "", self.here), "f.yaml")
        self.assertEqual(str(found), "f.yaml:3:5")

    def test_firstCharacter(self) -> None:
        """The character with which a node's JSON begins."""
        self.assertEqual(nodes.firstCharacter(scalarNode("?", "a", self.here)), '"')
        self.assertEqual(nodes.firstCharacter(scalarNode("?", "yes", self.here)), "t")
        self.assertEqual(nodes.firstCharacter(sequenceNode("?", self.here)), "[")
