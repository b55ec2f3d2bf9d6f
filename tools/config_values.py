"""What expressions of the source may be, for `config_reads`, and what was found about them."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """A View of a message type, or a collection of them."""

    plan: Any

    def __hash__(self) -> int:
        return hash(self.plan.fullName)


@dataclass(frozen=True)
class SomeField:
    """A field whose name is known only at run time: one of a few."""

    plan: Any
    names: frozenset[str]

    def __hash__(self) -> int:
        return hash(self.plan.fullName)


@dataclass(frozen=True)
class Text:
    """A string constant."""

    text: str


@dataclass(frozen=True)
class Code:
    """A function or a class, with the module it is in; `own` is the class of a bound method."""

    module: Module
    node: ast.AST
    own: Code | None = None


@dataclass(frozen=True)
class Instance:
    """An object of a class of ours."""

    code: Code


@dataclass(frozen=True)
class Table:
    """A dict of the module, name -> value."""

    items: tuple[tuple[str, frozenset[Any]], ...]


Values = frozenset[Any]
NOTHING: Values = frozenset()


class Module:
    """A source file of twisted_envoy's."""

    def __init__(self, name: str, text: str) -> None:
        tree = ast.parse(text)
        self.name = name
        self.top: dict[str, ast.AST] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module, alias.name)
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self.top[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.top[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                if node.value is not None:
                    self.top[node.target.id] = node.value


@dataclass
class Reads:
    """
    What was found.

    Attributes:
        fields: (message, field) -> modules that read it.
        moot: (message, field) -> why it needs no obeying.
        whole: messages that are taken as they are, with all that is in them.
    """

    fields: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    moot: dict[tuple[str, str], str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)


def belowOf(known: Any) -> Any:
    """The message type of a field that has Views: its own, or that of a map's values."""
    inner = getattr(known, "value", known)
    return inner.element if getattr(inner, "kind", "") == "message" else None
