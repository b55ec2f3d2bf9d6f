"""
From a file, or a text of the command line, to nodes.

Envoy chooses by the name: `.yaml` and `.yml` are YAML, everything else is JSON.  YAML is read by
libyaml, which is fast; only a text that it refuses is read again by our own slower reader, which
knows yaml-cpp's habits and words.

Envoy: MessageUtil::loadFromFile, loadFromYaml
"""

from __future__ import annotations

import codecs
import re
from typing import Any as Untyped

import yaml

from twisted_envoy.config.nodes import PLAIN, STRING, MappingNode, Node, SequenceNode
from twisted_envoy.errors import ConfigError, Position
from twisted_envoy.values import dataclass

COMMAND_LINE = "--config-yaml"
# yaml-cpp stops at 500; far deeper, composing runs out of stack.
_SAFE_DEPTH = 450
# Where libyaml and yaml-cpp read differently: `! x`, a `?` behind an opening bracket, and
# Unicode's own line breaks.
_DOUBTFUL = re.compile(
    "(?:^|[\\s\\[{,:-])!\\s|^[^\\[{\\n]*[\\[{].*\\?|[\x85\u2028\u2029]", re.MULTILINE
)
_CAREFUL_SIZE = 256 * 1024  # above this, doubts are not worth the slower reader's time

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """
    A config text.

    Args:
        file: its name in errors.
        content: the text itself.
        isJSON: in which of the two languages it is.
    """

    file: str
    content: str
    isJSON: bool = False

    @property
    def start(self) -> Position:
        """Where it begins."""
        return Position(self.file, 1, 1)


def decodeBytes(data: bytes) -> str:
    """Decode a file's bytes: UTF-8 unless a byte order mark says otherwise; bad bytes replaced."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def readFile(path: str) -> Text:
    """
    Read a config file.

    Raises:
        ConfigError: there is no such file, or it cannot be read; behind Envoy's words the system's.
            JSON that is not UTF-8, and the formats that only Envoy reads.
    """
    if path.lower().endswith((".pb", ".pb_text")):
        problem = (
            f"unable to read file: {path} (protobuf files are not implemented by twisted_envoy"
        )
        raise ConfigError("", f"{problem}: write it as YAML or JSON)")
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except FileNotFoundError as error:
        raise ConfigError("", f"Invalid path: {path} ({error.strerror})") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError("", f"unable to read file: {path} ({reason})") from None
    if path.lower().endswith((".yaml", ".yml")):
        return Text(path, decodeBytes(data))
    return Text(path, _decodeJSON(path, data), isJSON=True)


def _decodeJSON(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        position = Position(path, line, len(before) - before.rfind("\n"))
        problem = (
            "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON: Invalid UTF-8 string)"
        )
        raise ConfigError("", problem, position) from None


def _loader(content: str) -> Untyped:
    """
    Make a libyaml loader whose tags are those of `nodes`, and that resolves nothing.

    The class is made here because `yaml` may have come without libyaml; then its own, slower
    loader does the same.
    """
    base: Untyped
    try:
        from yaml._yaml import CParser

        base = (CParser,)
    except ImportError:
        base = (
            yaml.reader.Reader,
            yaml.scanner.Scanner,
            yaml.parser.Parser,
            yaml.composer.Composer,
        )

    def resolve(_self: object, _kind: object, value: object, implicit: Untyped) -> str:
        return PLAIN if value is not None and implicit[0] else STRING

    def nothing(_self: object, *_arguments: object) -> None:
        return None

    def start(self: Untyped, stream: str) -> None:
        for each in base:
            if each.__init__ is not object.__init__:
                each.__init__(self, *((stream,) if each in (base[0],) else ()))

    names = {
        "__init__": start,
        "resolve": resolve,
        "descend_resolver": nothing,
        "ascend_resolver": nothing,
    }
    return type("NodeLoader", base, names)(content)


def _isDeep(content: str) -> bool:
    """Might a text be nested so deeply that composing it is dangerous?"""
    if content.count("[") + content.count("{") > _SAFE_DEPTH or re.search(
        rf"^[-? :]{{{_SAFE_DEPTH}}}", content, re.MULTILINE
    ):
        depth = 0
        loader = _loader(content)
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.events.CollectionStartEvent):
                depth += 1
                if depth > _SAFE_DEPTH:
                    return True
            elif isinstance(event, yaml.events.CollectionEndEvent):
                depth -= 1
    return False


def composeYAML(text: Text) -> Node | None:
    """
    Parse YAML; of several documents the first counts.

    Returns:
        The root node; None when there is no document.
    Raises:
        ConfigError: in yaml-cpp's words.
    """
    if len(text.content) > _CAREFUL_SIZE or not _DOUBTFUL.search(text.content):
        try:
            if not _isDeep(text.content):
                loader = _loader(text.content)
                node: Node | None = loader.get_node() if loader.check_node() else None
                loader.check_node()  # what follows must begin another document
                return node
        except (yaml.YAMLError, ValueError):
            pass
    from twisted_envoy.config.yaml_reader import readYAML

    return readYAML(text)


def compose(text: Text) -> Node:
    """
    Parse a text to the node of a bootstrap.

    Raises:
        ConfigError: it cannot be parsed, or is neither an object nor a list.
    """
    if text.isJSON:
        from twisted_envoy.config.json_reader import readJSON

        return readJSON(text)
    node = composeYAML(text)
    if node is None or node.__class__ not in (MappingNode, SequenceNode):
        shown = text.content if len(text.content) < 200 else f"{text.content[:200]}..."
        raise ConfigError("", f"Unable to convert YAML as JSON: {shown}", text.start)
    return node
