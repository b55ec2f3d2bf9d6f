"""Tests of twisted_envoy.config.load."""

import os
from unittest import mock

import yaml
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config import load
from twisted_envoy.config.load import Text
from twisted_envoy.errors import ConfigError


class FileTests(SynchronousTestCase):
    """Files."""

    def write(self, name: str, data: bytes) -> str:
        path = os.path.join(self.mktemp(), name)
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as stream:
            stream.write(data)
        return path

    def test_languageByName(self) -> None:
        """`.yaml` and `.yml` in any case are YAML, everything else is JSON."""
        for name, isJSON in (("a.yaml", False), ("a.YML", False), ("a.json", True), ("a", True)):
            self.assertEqual(load.readFile(self.write(name, b"{}")).isJSON, isJSON)

    def test_protobuf(self) -> None:
        """What only Envoy reads is not taken for JSON."""
        for name in ("a.pb", "a.pb_text", "a.PB_Text"):
            path = self.write(name, b"admin {}")
            error = self.assertRaises(ConfigError, load.readFile, path)
            self.assertIn("protobuf files are not implemented by twisted_envoy", str(error))

    def test_jsonIsUTF8(self) -> None:
        """JSON with other bytes is refused, at the first of them; in YAML they are replaced."""
        error = self.assertRaises(
            ConfigError, load.readFile, self.write("a.json", b'{"a":\n "\xc3\xa9\xff"}')
        )
        self.assertIn("a.json:2:4: ", str(error))
        self.assertIn("Invalid UTF-8 string", str(error))
        self.assertEqual(load.readFile(self.write("a.yaml", b"a: \xff")).content, "a: \ufffd")

    def test_missing(self) -> None:
        """A missing file is named in Envoy's words, the system's follow; it has no lines."""
        error = self.assertRaises(ConfigError, load.readFile, "/nonexistent/a.yaml")
        self.assertEqual(
            str(error), "Invalid path: /nonexistent/a.yaml (No such file or directory)"
        )

    def test_unreadable(self) -> None:
        """A file that cannot be read says why; a name with a NUL is no name."""
        with mock.patch("builtins.open", side_effect=PermissionError(13, "Permission denied")):
            error = self.assertRaises(ConfigError, load.readFile, "a.yaml")
        self.assertIn("unable to read file: a.yaml (Permission denied)", str(error))
        error = self.assertRaises(ConfigError, load.readFile, "a\0.yaml")
        self.assertIn("unable to read file", str(error))

    def test_directory(self) -> None:
        """A directory is no file, whatever its name."""
        folder = self.mktemp()
        for name in (folder, f"{folder}.yaml"):
            os.mkdir(name)
            error = self.assertRaises(ConfigError, load.readFile, name)
            self.assertEqual(str(error), f"unable to read file: {name} (Is a directory)")

    def test_encodings(self) -> None:
        """A byte order mark decides; bad bytes are replaced."""
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
            self.assertEqual(load.decodeBytes("node: é".encode(encoding)), "node: é")
        self.assertEqual(load.decodeBytes(b"a\xff"), "a\ufffd")


class ComposeTests(SynchronousTestCase):
    """From a text to nodes."""

    def test_firstDocumentCounts(self) -> None:
        """What comes in later documents is not even parsed."""
        node = load.compose(Text("f", "a: 1\n---\n[bad\n"))
        self.assertEqual(len(node.value), 1)

    def test_neitherObjectNorList(self) -> None:
        """Nothing, null and scalars are refused in Envoy's words, shortened when long."""
        for content in ("", "~", "abc", "# only a comment\n"):
            error = self.assertRaises(ConfigError, load.compose, Text("f", content))
            self.assertEqual(error.problem, f"Unable to convert YAML as JSON: {content}")
        error = self.assertRaises(ConfigError, load.compose, Text("f", "x" * 1000))
        self.assertTrue(error.problem.endswith("x..."))

    def test_tags(self) -> None:
        """The tag of a scalar says how it was written."""
        node = load.compose(Text("f", "a: 1\nb: '1'\nc: |\n  1\nd: !!str 1\n!ignore e: 1\n"))
        tags = [value.tag for _, value in node.value]
        self.assertEqual(tags, ["?", "!", "!", "tag:yaml.org,2002:str", "?"])
        self.assertEqual(node.value[4][0].tag, "!ignore")

    def test_withoutLibyaml(self) -> None:
        """Without libyaml PyYAML's own parser makes the same nodes."""
        text = Text("f", "a: 1\nb: ['1', x]\n")

        def shape(node: yaml.Node) -> object:
            mark = node.start_mark
            value = node.value
            if isinstance(value, list):
                value = [
                    tuple(map(shape, one)) if isinstance(one, tuple) else shape(one)
                    for one in value
                ]
                return (mark.line, mark.column, value)
            return (node.tag, mark.line, mark.column, value)

        fast = shape(load.compose(text))
        with mock.patch.dict("sys.modules", {"yaml._yaml": None}):
            slow = shape(load.compose(text))
        self.assertEqual(fast, slow)

    def test_aTextThatIsTooDeep(self) -> None:
        """500 levels are too many for yaml-cpp, 100,000 do not end the process."""
        for content in ("[" * 100_000, "a: " + "[" * 600 + "]" * 600, "- " * 600 + "a"):
            error = self.assertRaises(ConfigError, load.compose, Text("f", content))
            self.assertIn("bad file", error.problem)

    def test_manyBracketsThatAreNotDeep(self) -> None:
        """Many brackets alone are no depth."""
        node = load.compose(Text("f", "[" + "[], " * 1000 + "]"))
        self.assertEqual(len(node.value), 1000)

    def test_doubtfulTextsGoToTheCarefulReader(self) -> None:
        """`! 5` is a string for yaml-cpp; libyaml would not tell."""
        node = load.compose(Text("f", "a: ! 5"))
        self.assertEqual(node.value[0][1].tag, "!")

    def test_garbageBehindTheFirstNode(self) -> None:
        """What follows the root must begin another document."""
        error = self.assertRaises(ConfigError, load.compose, Text("f", "a\r\n:\n b: c\n"))
        self.assertIn("illegal map value", error.problem)

    def test_json(self) -> None:
        """JSON has its own reader."""
        node = load.compose(Text("f", '{"a": 1}', isJSON=True))
        self.assertEqual(node.value[0][1].tag, "#")
