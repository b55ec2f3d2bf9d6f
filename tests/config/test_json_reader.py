"""Tests of twisted_envoy.config.json_reader."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import outcome, verdicts
from twisted_envoy.config.json_reader import readJSON
from twisted_envoy.config.load import Text
from twisted_envoy.config.nodes import MappingNode, Node, SequenceNode


def plain(node: Node) -> object:
    """Return what a sound tree of nodes says."""
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [plain(one) for one in node.value]
    if node.tag == "!":
        return node.value
    return json.loads(node.value)


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=20,
)


class RecordedTests(SynchronousTestCase):
    """Whole JSON files as real Envoy 1.40 takes them."""

    def test_verdicts(self) -> None:
        """Each text gets the same verdict and the same words."""
        wrong = []
        for text, wanted, anys in verdicts()["json"]:
            found = outcome(text, isJSON=True, anys=anys)
            if wanted not in found or (wanted == "OK") != (found == "OK"):
                wrong.append((text, wanted, found))
        self.assertEqual(wrong, [])


class ReaderTests(SynchronousTestCase):
    """JSON to nodes."""

    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(st.text(), trees, max_size=4), st.booleans(), st.sampled_from((None, 2)))
    def test_whateverJSONWrites(self, tree: object, ascii: bool, indent: int | None) -> None:
        """What the standard library writes is read back."""
        text = json.dumps(tree, ensure_ascii=ascii, indent=indent)
        self.assertEqual(plain(readJSON(Text("f", text))), tree)

    def test_everyTruncation(self) -> None:
        """A text cut anywhere still gives a tree; decoding it never escapes."""
        whole = (
            '{"node": {"id": "a\\u00e9\\n", "metadata": {"x": [1.5, true, null, {}]}}, b: \'c\'}'
        )
        for end in range(len(whole)):
            found = outcome(whole[:end], isJSON=True)
            self.assertIn("Unable to parse JSON as proto", found)

    def test_positions(self) -> None:
        """Lines and columns count through strings with line breaks too."""
        node = readJSON(Text("f", '{"a": "x\ny", "b":\n  [1]}'))
        places = [(v.start_mark.line, v.start_mark.column) for _, v in node.value]
        self.assertEqual(places, [(0, 6), (2, 2)])

    def test_tooDeep(self) -> None:
        """Depth is bounded before Python's own limit."""
        found = outcome('{"node": {"metadata": ' + '{"a":' * 5000, isJSON=True)
        self.assertIn("JSON content was too deeply nested", found)
        found = outcome('{"node": {"metadata": {"a": ' + "[" * 5000, isJSON=True)
        self.assertIn("JSON content was too deeply nested", found)
