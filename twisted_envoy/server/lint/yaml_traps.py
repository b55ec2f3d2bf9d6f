"""YAML's one-letter flags: `y` and `n` are true and false to Envoy, and letters to most readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted_envoy.config.nodes import (
    PLAIN,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    positionOf,
)
from twisted_envoy.config.record import AnyRecord, Record
from twisted_envoy.config.view import View
from twisted_envoy.errors import ConfigError

_TRAPS = {"y": "true", "Y": "true", "n": "false", "N": "false"}


def yamlTraps(bootstrap: View) -> Iterator[ConfigError]:
    """Bare `y` and `n` in structs, where nothing says that a flag is not meant."""
    record: Any = bootstrap._record
    yield from _inRecord(record)


def _inRecord(record: Record) -> Iterator[ConfigError]:
    for name, (_, node, below) in record.entries.items():
        if node is not None:
            for found in _inNode(node):
                problem = (
                    f"'{found.value}' without quotes is the flag {_TRAPS[found.value]} here, as in "
                    f'Envoy; write "{found.value}" for the letter'
                )
                position = positionOf(found, record.source.file)
                yield ConfigError(
                    f"{record.path}.{name}" if record.path else name, problem, position
                )
        children: list[Any] = []
        if isinstance(below, list):
            children = below
        elif isinstance(below, dict):
            children = list(below.values())
        elif below is not None:
            children = [below]
        for child in children:
            yield from _inRecord(child)
    if isinstance(record, AnyRecord) and record.content is not None:
        yield from _inRecord(record.content)


def _inNode(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        if node.tag == PLAIN and node.value in _TRAPS:
            yield node
    elif isinstance(node, MappingNode):
        for _, value in node.value:
            yield from _inNode(value)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _inNode(value)
