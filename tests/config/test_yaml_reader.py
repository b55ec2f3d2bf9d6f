"""Tests of twisted_envoy.config.yaml_reader."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import outcome, verdicts
from twisted_envoy.config.load import Text, composeYAML
from twisted_envoy.config.nodes import MappingNode, Node, SequenceNode, isNull
from twisted_envoy.config.yaml_reader import readYAML
from twisted_envoy.errors import ConfigError


def shape(node: Node) -> object:
    """Return what a tree says, without positions."""
    if isinstance(node, MappingNode):
        return [("pair", shape(key), shape(value)) for key, value in node.value]
    if isinstance(node, SequenceNode):
        return [shape(one) for one in node.value]
    return None if isNull(node) else (node.tag, node.value)


words = st.text("abc:-#'\"{}[],&*!|>%@ é5~", min_size=0, max_size=8)
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | words,
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text("abc", max_size=3), below, max_size=3)
    ),
    max_leaves=12,
)


class RecordedTests(SynchronousTestCase):
    """Texts as real Envoy 1.40 takes them: refused with the same words, or not."""

    def test_verdicts(self) -> None:
        """Each text gets the same verdict, line, column and words."""
        wrong = []
        for text, wanted, anys in verdicts()["yaml"]:
            found = outcome(text, anys=anys)
            if wanted not in found or (wanted == "OK") != (found == "OK"):
                wrong.append((text, wanted, found))
        self.assertEqual(wrong, [])


class AgreementTests(SynchronousTestCase):
    """The slow reader and libyaml say the same about texts that both accept."""

    @settings(max_examples=150, deadline=None)
    @given(trees, st.booleans(), st.sampled_from((20, 1000)))
    def test_whateverPyYAMLWrites(self, tree: object, flow: bool, width: int) -> None:
        """What PyYAML writes, both read alike."""
        text = yaml.safe_dump(
            {"root": tree}, default_flow_style=flow, width=width, allow_unicode=True
        )
        fast, slow = composeYAML(Text("f", text)), readYAML(Text("f", text))
        assert fast is not None and slow is not None
        self.assertEqual(shape(fast), shape(slow))

    def test_blockScalars(self) -> None:
        """
        Literal and folded text, with each way to treat the last line break.

        But `>+` of several empty lines: there yaml-cpp drops one, and so do we.
        """
        for header in ("|", "|-", "|+", ">", ">-", "|2", ">2-", "| # x"):
            for body in ("  a\n  b\n", "  a\n\n  b\n\n", "  a\n    more\n  b\n", "\n  a\n", ""):
                for rest in ("", "c: d\n"):
                    text = f"x: {header}\n{body}{rest}"
                    fast, slow = composeYAML(Text("f", text)), readYAML(Text("f", text))
                    assert fast is not None and slow is not None
                    self.assertEqual(shape(fast), shape(slow), text)
        kept = readYAML(Text("f", "x: >+\n  a\n\n  b\n\n"))
        assert kept is not None
        self.assertEqual(kept.value[0][1].value, "a\nb\n")

    def test_tagsAndAnchors(self) -> None:
        """Handles are translated, aliases are the node itself."""
        text = "%TAG !e! tag:e.com,2000:\n---\na: &x !e!foo b\nc: *x\nd: !<tag:z> e\nf: !!int 5\n"
        fast, slow = composeYAML(Text("f", text)), readYAML(Text("f", text))
        assert fast is not None and slow is not None
        self.assertEqual(shape(fast), shape(slow))
        self.assertIs(slow.value[0][1], slow.value[1][1])


class RefusalTests(SynchronousTestCase):
    """What is refused, and where."""

    def test_everyTruncation(self) -> None:
        """A text cut anywhere is read or refused, and never more."""
        whole = "%YAML 1.2\n---\na: &x [b, {c: 'd''e', \"f\\x41\": *x}, !t g: h]\n? i\n: |\n  j\n"
        whole += "k: >-\n  l\n\n  m\n- n\n"
        for end in range(len(whole)):
            try:
                readYAML(Text("f", whole[:end]))
            except ConfigError as error:
                self.assertIn("yaml-cpp: error at line", error.problem)

    @settings(max_examples=200, deadline=None)
    @given(st.text("ab:-#'\"{}[],&*!|>%@?\\ \t\n\r<0x", max_size=40))
    def test_anything(self, text: str) -> None:
        """No text whatever gets another exception out of it."""
        try:
            readYAML(Text("f", text))
        except ConfigError as error:
            assert error.position is not None
            self.assertIn(f"line {error.position.line}, column", error.problem)

    def test_position(self) -> None:
        """The error's own position is the one that the words name."""
        error = self.assertRaises(ConfigError, readYAML, Text("f", "a:\n\tb: c\n"))
        self.assertEqual(
            str(error), "f:2:3: yaml-cpp: error at line 2, column 3: illegal map value"
        )

    def test_directives(self) -> None:
        """Each way to get a directive wrong."""
        for head, words in (
            ("%YAML", "YAML directives must have exactly one argument"),
            ("%YAML 1.1\n%YAML 1.1", "repeated YAML directive"),
            ("%YAML x", "bad YAML version: x"),
            ("%YAML 2.0", "YAML major version too large"),
            ("%TAG !", "TAG directives must have exactly two arguments"),
            ("%TAG ! a\n%TAG ! b", "repeated TAG directive"),
        ):
            error = self.assertRaises(ConfigError, readYAML, Text("f", f"{head}\n---\na: b\n"))
            self.assertIn(words, error.problem)
        self.assertIsNotNone(readYAML(Text("f", "%FOO bar\n---\na: b\n")))
