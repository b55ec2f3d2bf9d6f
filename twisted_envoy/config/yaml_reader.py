"""
The nodes of a YAML text as yaml-cpp would have them, or its refusal in its own words.

Envoy: yaml-cpp 0.8, singledocparser
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any as Untyped
from typing import TypeAlias

from twisted_envoy.config.load import Text
from twisted_envoy.config.nodes import (
    PLAIN,
    STRING,
    Node,
    Place,
    ScalarNode,
    mappingNode,
    scalarNode,
    sequenceNode,
)
from twisted_envoy.config.yaml_cursor import YAMLFault
from twisted_envoy.config.yaml_scanner import Scanner
from twisted_envoy.config.yaml_structure import Token
from twisted_envoy.errors import ConfigError, Position

MAX_DEPTH = 500

_VERSION = re.compile(r"\s*([+-]?[0-9]+).\s*([+-]?[0-9]+)\Z")

# A step of the parser: yields the steps it waits for, returns a node or nothing.
Step: TypeAlias = Generator["Step", Untyped, Untyped]


def readYAML(text: Text) -> Node | None:
    """
    Parse the first document of a text.

    Raises:
        ConfigError: `yaml-cpp: error at line 2, column 1: end of map not found`.
    """
    parser = _Parser(text.content.encode("utf-8", "replace").decode("latin-1"))
    try:
        return parser.document()
    except YAMLFault as fault:
        line, column = fault.place.line, fault.place.column
        raise ConfigError(
            "",
            f"yaml-cpp: error at line {line + 1}, column {column + 1}: {fault.text}",
            Position(text.file, line + 1, column + 1),
        ) from None


class _Parser:
    """Turns tokens into nodes; every rule is a Step, so that depth costs no stack."""

    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._anchors: dict[str, Node] = {}
        self._handles: dict[str, str] = {}
        self._depth = 0
        self._collections: list[str] = []

    def document(self) -> Node | None:
        """Parse one document; None when there is none."""
        self._directives()
        token = self._scanner.peek()
        if token is None:
            return None
        if token.kind == "---":
            self._scanner.pop()
        root = self._run(self._node())
        while (token := self._scanner.peek()) is not None and token.kind == "...":
            self._scanner.pop()
        return root

    def _run(self, first: Step) -> Node:
        """Run a step and all those that it waits for."""
        waiting: list[Step] = [first]
        result: Untyped = None
        while waiting:
            try:
                waiting.append(waiting[-1].send(result))
                result = None
            except StopIteration as done:
                waiting.pop()
                result = done.value
        node: Node = result
        return node

    def _directives(self) -> None:
        seenVersion = False
        while (token := self._scanner.peek()) is not None and token.kind == "%":
            name, *arguments = token.value.split() or [""]
            if name == "YAML":
                if len(arguments) != 1:
                    raise YAMLFault(token.place, "YAML directives must have exactly one argument")
                if seenVersion:
                    raise YAMLFault(token.place, "repeated YAML directive")
                found = _VERSION.match(arguments[0])
                if found is None:
                    raise YAMLFault(token.place, f"bad YAML version: {arguments[0]}")
                if int(found[1]) > 1:
                    raise YAMLFault(token.place, "YAML major version too large")
                seenVersion = True
            elif name == "TAG":
                if len(arguments) != 2:
                    raise YAMLFault(token.place, "TAG directives must have exactly two arguments")
                if arguments[0] in self._handles:
                    raise YAMLFault(token.place, "repeated TAG directive")
                self._handles[arguments[0]] = arguments[1]
            self._scanner.pop()

    def _node(self) -> Step:
        """Parse a node, which may be missing."""
        self._depth += 1
        if self._depth >= MAX_DEPTH:
            raise YAMLFault(self._scanner.cursor.place, "bad file")
        try:
            return (yield self._anyNode())
        finally:
            self._depth -= 1

    def _anyNode(self) -> Step:
        scanner = self._scanner
        token = scanner.peek()
        if token is None:
            return self._null(scanner.cursor.place)
        place = token.place
        if token.kind == "value":
            return (yield self._compactMap(mappingNode("?", place), place))
        if token.kind == "alias":
            node = self._anchors.get(token.value)
            if node is None:
                raise YAMLFault(place, f"the referenced anchor is not defined: {token.value}")
            scanner.pop()
            return node
        tag, anchor = self._properties()
        token = scanner.peek()
        node = self._start(token, tag, place)
        if anchor:
            self._anchors[anchor] = node
        if token is None:
            return node
        kind = token.kind
        if node.__class__ is ScalarNode:
            if kind in ("scalar", "quoted"):
                scanner.pop()
        elif kind in ("[", "seq"):
            yield self._flowSequence(node) if kind == "[" else self._blockSequence(node)
        elif kind == "key":
            yield self._compactMap(node, place)
        else:
            yield self._flowMap(node) if kind == "{" else self._blockMap(node)
        return node

    def _start(self, token: Token | None, tag: str, place: Place) -> Node:
        """Make the node that a token begins, still empty if it is a collection."""
        kind = token.kind if token is not None else ""
        if token is not None and kind in ("scalar", "quoted"):
            own = STRING if kind == "quoted" else PLAIN
            value = token.value.encode("latin-1").decode("utf-8", "replace")
            return scalarNode(tag or own, value, place)
        if kind in ("[", "seq"):
            return sequenceNode(tag or "?", place)
        if kind in ("{", "map") or (
            kind == "key" and self._collections and self._collections[-1] == "["
        ):
            return mappingNode(tag or "?", place)
        return scalarNode(tag or PLAIN, "", place)

    def _null(self, place: Place) -> Node:
        return scalarNode(PLAIN, "", place)

    def _properties(self) -> tuple[str, str]:
        """Parse the tag and the anchor before a node."""
        tag = anchor = ""
        while (token := self._scanner.peek()) is not None:
            if token.kind == "tag":
                if tag:
                    raise YAMLFault(token.place, "cannot assign multiple tags to the same node")
                tag = self._translate(token.value)
            elif token.kind == "anchor":
                if anchor:
                    raise YAMLFault(token.place, "cannot assign multiple anchors to the same node")
                anchor = token.value
            else:
                break
            self._scanner.pop()
        return tag, anchor

    def _translate(self, tag: str) -> str:
        """Return a tag with its handle replaced."""
        if tag == "!" or not tag.startswith("!"):
            return tag
        handle, mark, suffix = tag[1:].rpartition("!")
        name = f"!{handle}{mark}"
        known = {"!": "!", "!!": "tag:yaml.org,2002:"}
        return self._handles.get(name, known.get(name, name)) + suffix

    def _expect(self, problem: str) -> Token:
        token = self._scanner.peek()
        if token is None:
            raise YAMLFault(self._scanner.cursor.place, problem)
        return token

    def _blockSequence(self, node: Untyped) -> Step:
        problem = "end of sequence not found"
        self._scanner.pop()
        self._collections.append("seq")
        while True:
            token = self._expect(problem)
            if token.kind not in ("-", "end seq"):
                raise YAMLFault(token.place, problem)
            self._scanner.pop()
            if token.kind == "end seq":
                break
            following = self._scanner.peek()
            if following is not None and following.kind in ("-", "end seq"):
                node.value.append(self._null(following.place))
            else:
                node.value.append((yield self._node()))
        self._collections.pop()

    def _flowSequence(self, node: Untyped) -> Step:
        problem = "end of sequence flow not found"
        self._scanner.pop()
        self._collections.append("[")
        while True:
            token = self._expect(problem)
            if token.kind == "]":
                self._scanner.pop()
                break
            node.value.append((yield self._node()))
            token = self._expect(problem)
            if token.kind == ",":
                self._scanner.pop()
            elif token.kind != "]":
                raise YAMLFault(token.place, problem)
        self._collections.pop()

    def _pair(self, token: Token, node: Untyped) -> Step:
        """Parse a key and its value; either may be missing."""
        if token.kind == "key":
            self._scanner.pop()
            key = yield self._node()
        else:
            key = self._null(token.place)
        following = self._scanner.peek()
        if following is not None and following.kind == "value":
            self._scanner.pop()
            value = yield self._node()
        else:
            value = self._null(token.place)
        node.value.append((key, value))

    def _blockMap(self, node: Untyped) -> Step:
        problem = "end of map not found"
        self._scanner.pop()
        self._collections.append("map")
        while True:
            token = self._expect(problem)
            if token.kind not in ("key", "value", "end map"):
                raise YAMLFault(token.place, problem)
            if token.kind == "end map":
                self._scanner.pop()
                break
            yield self._pair(token, node)
        self._collections.pop()

    def _flowMap(self, node: Untyped) -> Step:
        problem = "end of map flow not found"
        self._scanner.pop()
        self._collections.append("{")
        while True:
            token = self._expect(problem)
            if token.kind == "}":
                self._scanner.pop()
                break
            yield self._pair(token, node)
            token = self._expect(problem)
            if token.kind == ",":
                self._scanner.pop()
            elif token.kind != "}":
                raise YAMLFault(token.place, problem)
        self._collections.pop()

    def _compactMap(self, node: Untyped, place: Place) -> Step:
        """Parse one `key: value`, or `: value`, inside a flow sequence."""
        self._collections.append("compact")
        yield self._pair(Token(self._expect("").kind, place), node)
        self._collections.pop()
        return node
