"""
From nodes to messages.

Envoy: MessageUtil::loadFromYaml and the JSON reader behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import Message

from twisted_envoy.config import well_known
from twisted_envoy.config.installed import BrokenExtension, bare
from twisted_envoy.config.nodes import (
    BROKEN,
    IGNORED,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    keyText,
    positionOf,
)
from twisted_envoy.config.plan import MessagePlan, Plans
from twisted_envoy.config.problem import Problem
from twisted_envoy.config.record import AnyRecord, Record, Source, Unit
from twisted_envoy.config.scalars import broken, readString, unexpected
from twisted_envoy.errors import ConfigError

MAX_DEPTH = 100  # lists and objects inside each other, as in Envoy
MAX_NODES = 2_000_000  # pairs and elements visited, aliases counted each time


class Decoder:
    """
    One pass over the nodes of one text.

    Attributes:
        strict: whether an unknown name is an error, or ignored.
        unit: what collects out-of-range durations and deprecated fields.
    """

    def __init__(
        self,
        plans: Plans,
        source: Source,
        strict: bool,
        findMore: Callable[[str], bool],
        isJSON: bool = False,
    ) -> None:
        self.plans = plans
        self.source = source
        self.strict = strict
        self.unit = Unit()
        self._findMore = findMore
        self._isJSON = isJSON
        self._visited = 0

    def pairs(self, node: Node, depth: int) -> list[tuple[Node, Node]]:
        """
        Return the pairs of a mapping; of keys given twice, the last one only.

        Raises:
            Problem: it is no mapping, is too deep, or there is too much.
        """
        if node.__class__ is not MappingNode:
            raise unexpected(node, "{")
        pairs: list[tuple[Node, Node]] = node.value
        self._count(node, len(pairs), depth)
        if len(pairs) > 1 and not self._isJSON:
            try:
                if len({key.value for key, _ in pairs}) != len(pairs):
                    pairs = node.value = self._lastOfEach(pairs)  # an Any is looked at twice
            except TypeError:
                for key, _ in pairs:
                    self.key(key)
        return pairs

    def elements(self, node: Node, depth: int, flat: bool = False) -> list[Node]:
        """
        Return the elements of a list.

        Args:
            flat: whether a list inside the list stands for its elements.
        """
        elements: list[Node] = node.value
        self._count(node, len(elements), depth)
        if not flat or all(element.__class__ is not SequenceNode for element in elements):
            return elements
        flattened: list[Node] = []
        for element in elements:
            if element.__class__ is SequenceNode:
                flattened += self.elements(element, depth + 1, True)
            else:
                flattened.append(element)
        return flattened

    def _count(self, node: Node, more: int, depth: int) -> None:
        self._visited += more
        if self._visited > MAX_NODES:
            raise Problem(
                f"more than {MAX_NODES} values: aliases multiply too far", node, path=False
            )
        if depth >= MAX_DEPTH:
            raise Problem("JSON content was too deeply nested", node)

    def key(self, node: Node) -> str:
        """Return a key's text."""
        text = keyText(node)
        if text is None:
            line, column = node.start_mark.line + 1, node.start_mark.column + 1
            text = f"yaml-cpp: error at line {line}, column {column}: bad conversion"
            raise NotYAMLProblem(text, node)
        if node.tag == BROKEN:
            raise broken(node) or AssertionError
        return text

    def _lastOfEach(self, pairs: Sequence[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
        last: dict[str, tuple[Node, Node]] = {}
        for key, value in pairs:
            if key.tag == IGNORED:
                continue
            text = self.key(key)
            if text in last:
                first = positionOf(last[text][0], self.source.file)
                self.source.warnings.append(
                    ConfigError(
                        "",
                        f"'{text}' is given twice, first in line {first.line}: the last one counts",
                        positionOf(key, self.source.file),
                    )
                )
            last[text] = (key, value)
        return list(last.values())

    def fields(self, record: Record, node: Node, depth: int, inAny: bool = False) -> None:
        """Decode a mapping into the fields of a message."""
        known = record.plan.fields
        if record.plan.oldValues:
            self.unit.suspects.append(record)
        for key, value in self.pairs(node, depth):
            field = known.get(key.value) if key.__class__ is ScalarNode else None
            if field is not None and key.tag != IGNORED:
                field.decode(self, record, key, value, depth + 1)
                if field.deprecated and field.name in record.entries:
                    self.unit.deprecated.append((record, field))
            elif not (inAny and key.value == "@type"):
                self._unknown(record.plan, key, value)

    def _unknown(self, plan: MessagePlan, key: Node, value: Node) -> None:
        if key.tag == IGNORED and key.__class__ is ScalarNode:
            return
        text = self.key(key)
        if self.strict:
            raise Problem(f"no such field: '{text}'", key, soft=True, hint=_hint(plan, text))
        fault = findBroken(value)
        if fault is not None:
            raise fault

    def any(self, holder: AnyRecord, node: Node, depth: int) -> None:
        """Decode an Any: find its type, then decode the rest of it as that."""
        url: str | None = None
        pairs = self.pairs(node, depth)
        fault = findBroken(node) if self._isJSON else None
        if fault is not None:
            raise fault
        for key, value in pairs:
            if key.value == "@type":
                if url is not None:
                    raise Problem("repeated @type in Any", key)
                url = readString(value)
        if url is None:
            if pairs:
                raise Problem(
                    "in legacy mode, missing @type in Any is only allowed for an empty object", node
                )
            return
        plan = self._typeOf(url, node)
        message = plan.make()
        content = Record(plan, message, node, holder, "", None, holder.source)
        outer, self.unit = self.unit, holder.unit
        try:
            if plan.kind == "message":
                self.fields(content, node, depth, inAny=True)
            else:
                self._wellKnownInAny(content, pairs, depth)
        except Problem as problem:
            problem.within("<any>", None, f"message {plan.fullName}")
            raise
        finally:
            self.unit = outer
        holder.content = content
        holder.message.type_url = url  # type: ignore[attr-defined]
        holder.message.value = message.SerializeToString(deterministic=True)  # type: ignore[attr-defined]

    def _typeOf(self, url: str, node: Node) -> MessagePlan:
        if url.rfind("/") <= 0:
            raise Problem(
                f"@type must contain at least one / and a nonempty host; got: {url}",
                node,
                path=False,
            )
        plan = self.plans.find(url)
        why = ""
        try:
            if plan is None and self._findMore(bare(url)):
                plan = self.plans.find(url)
        except BrokenExtension as problem:
            why = f" ({problem})"
        if plan is None:
            near = self.plans.schema.near(url)
            hint = f"did you mean '{near}'?" if near and not why else ""
            raise Problem(f"could not find @type '{url}'{why}", node, path=False, hint=hint)
        return plan

    def _wellKnownInAny(
        self, content: Record, pairs: Sequence[tuple[Node, Node]], depth: int
    ) -> None:
        for key, value in pairs:
            if key.value == "@type":
                continue
            if key.value != "value":
                raise Problem("fields in a well-known-typed Any must be @type or value", key)
            plan = content.plan
            if plan.kind == "any":
                inner = AnyRecord(
                    plan, content.message, value, content.parent, "", None, content.source
                )
                self.any(inner, value, depth + 1)
            else:
                self.leaf(plan, content.message, value, depth + 1, content, "value")

    def leaf(
        self, plan: MessagePlan, message: Message, node: Node, depth: int, record: Record, name: str
    ) -> None:
        """Decode a well-known type that is one leaf for the tree: a Duration, a Struct, ..."""
        kind = plan.kind
        if kind == "struct":
            well_known.fillStruct(self, message, node, depth)
        elif kind == "value":
            well_known.fillValue(self, message, node, depth)
        elif node.__class__ is MappingNode:
            self.fields(Record(plan, message, node, None, "", None, self.source), node, depth)
        elif kind == "wrapper":
            value = plan.fields["value"].read(self, node)  # type: ignore[attr-defined]
            message.value = value  # type: ignore[attr-defined]
        elif kind == "list":
            well_known.fillList(self, message, node, depth)
        else:
            well_known.FROM_STRING[kind](message, node)
        if kind == "duration":
            fault = well_known.durationFault(message)
            if fault:
                self.unit.durations.append((record, name, fault))


class NotYAMLProblem(Problem):
    """What yaml-cpp refuses after it has parsed: Envoy's text is all there is."""


def findBroken(node: Node) -> Problem | None:
    """
    Return the Problem of the place where JSON breaks, if that is in or below a node.

    A node that is there more than once, or that contains itself, is looked at once.
    """
    waiting = [node]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one.__class__ is ScalarNode:
            if one.tag == BROKEN:
                return broken(one, "tfn")
            continue
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.__class__ is MappingNode:
            for key, value in one.value:
                waiting += (key, value)
        else:
            waiting += one.value
    return None


def _hint(plan: MessagePlan, text: str) -> str:
    from difflib import get_close_matches

    names = [field.name for field in plan.uniqueFields()]
    close = get_close_matches(text, names, n=1)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return f"{guess}known: {', '.join(names)}"
