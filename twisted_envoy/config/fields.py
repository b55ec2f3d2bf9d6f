"""
How one field is decoded.

Envoy: the JSON reader of protobuf in its legacy mode, which takes one element for a list, flattens
lists of lists, knows both spellings of a name, and treats null as "not set".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any as Untyped

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from twisted_envoy.config import scalars
from twisted_envoy.config.nodes import Node, SequenceNode, isNull, keyText, pack
from twisted_envoy.config.problem import Problem
from twisted_envoy.config.record import AnyRecord, Record

if TYPE_CHECKING:
    from twisted_envoy.config.decode import Decoder
    from twisted_envoy.config.plan import MessagePlan, Plans

MAP, LIST, SINGLE = "map", "list", "single"

_KINDS = {
    "google.protobuf.Any": "any",
    "google.protobuf.Struct": "struct",
    "google.protobuf.Value": "value",
    "google.protobuf.ListValue": "list",
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.FieldMask": "mask",
}
_WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)


def kindOf(fullName: str) -> str:
    """Return what JSON form a message type has: `message`, or one of the well-known ones."""
    return "wrapper" if fullName in _WRAPPERS else _KINDS.get(fullName, "message")


def isRepeated(field: FieldDescriptor) -> bool:
    """Is a field a list or a map?  (protobuf 7 has dropped `label`.)"""
    repeated = getattr(field, "is_repeated", None)
    if repeated is None:
        return bool(getattr(field, "label", None) == field.LABEL_REPEATED)
    return bool(repeated)


class Field:
    """
    One field: decodes a value node into a message.

    Attributes:
        typeText: as Envoy's errors name the type: `string`, `message envoy...`.
        oneof: its oneof, if that has other members too.
        form: MAP, LIST or SINGLE.
    """

    __slots__ = (
        "deprecated",
        "descriptor",
        "disallowed",
        "form",
        "name",
        "oneof",
        "plans",
        "typeText",
    )

    def __init__(self, descriptor: FieldDescriptor, plans: Plans, form: str) -> None:
        self.descriptor = descriptor
        self.plans = plans
        self.form = form
        self.name = descriptor.name
        options = plans.schema.fieldOptions(descriptor)
        self.deprecated = bool(options.deprecated)
        self.disallowed = bool(options.disallowed)
        oneof = descriptor.containing_oneof
        self.oneof = oneof.name if oneof is not None and len(oneof.fields) > 1 else None
        self.typeText = scalars.TYPE_NAMES[descriptor.type]
        if descriptor.message_type is not None:
            self.typeText += f" {descriptor.message_type.full_name}"
        elif descriptor.enum_type is not None:
            self.typeText += f" {descriptor.enum_type.full_name}"

    def decode(self, decoder: Decoder, record: Record, key: Node, node: Node, depth: int) -> None:
        """
        Decode one value; a null leaves the field as it is.

        Raises:
            Problem: with this field as its first step.
        """
        raise NotImplementedError

    def _claim(self, record: Record, key: Node) -> None:
        """Refuse a second member of a oneof."""
        if self.oneof is not None and record.message.WhichOneof(self.oneof) is not None:
            raise Problem(
                f"'{keyText(key)}' has already been set (either directly or as part of a oneof)",
                key,
            )


class ScalarField(Field):
    """A string, number, bool, bytes or enum, or a list of them."""

    __slots__ = ("empty", "readEnum", "readOne")

    def __init__(self, descriptor: FieldDescriptor, plans: Plans, form: str) -> None:
        super().__init__(descriptor, plans, form)
        self.readOne = scalars.READERS.get(descriptor.type)
        enum = descriptor.enum_type
        self.readEnum = scalars.enumReader(enum) if enum is not None else None
        self.empty: object = 0
        if descriptor.type in (9, 12):
            self.empty = "" if descriptor.type == 9 else b""

    def read(self, decoder: Decoder, node: Node) -> object:
        """Read one element; SKIPPED for an unknown enum name while unknown names are ignored."""
        if self.readOne is not None:
            return self.readOne(node)
        assert self.readEnum is not None
        return self.readEnum(node, decoder.strict)

    def decode(self, decoder: Decoder, record: Record, key: Node, node: Node, depth: int) -> None:
        if isNull(node):
            return
        name = self.name
        try:
            if self.oneof is not None:
                self._claim(record, key)
            if self.form is SINGLE:
                value = self.read(decoder, node)
                if value is not scalars.SKIPPED:
                    setattr(record.message, name, value)
                    record.entries[name] = (pack(key), None, None)
                return
        except Problem as problem:
            problem.within(keyText(key) or name, None, self.typeText)
            raise
        values: list[object] = []
        index: int | None = None
        try:
            if node.__class__ is not SequenceNode:
                self._append(decoder, node, values)
            else:
                for element in decoder.elements(node, depth, True):
                    index = 0 if index is None else index + 1
                    self._append(decoder, element, values)
        except Problem as problem:
            problem.within(keyText(key) or name, index, self.typeText)
            raise
        getattr(record.message, name).extend(values)
        record.entries[name] = (pack(key), None, None)

    def _append(self, decoder: Decoder, node: Node, values: list[object]) -> None:
        value = self.empty if isNull(node) else self.read(decoder, node)
        if value is not scalars.SKIPPED:
            values.append(value)


class MessageField(Field):
    """A message, or a list of messages."""

    __slots__ = ("_element", "kind")

    def __init__(self, descriptor: FieldDescriptor, plans: Plans, form: str) -> None:
        super().__init__(descriptor, plans, form)
        assert descriptor.message_type is not None
        self.kind = kindOf(descriptor.message_type.full_name)
        self._element: MessagePlan | None = None

    @property
    def element(self) -> MessagePlan:
        """The plan of the messages; made late, for types that contain themselves."""
        if self._element is None:
            assert self.descriptor.message_type is not None
            self._element = self.plans.plan(self.descriptor.message_type)
        return self._element

    def fill(
        self,
        decoder: Decoder,
        record: Record,
        message: Message,
        index: object,
        node: Node,
        depth: int,
    ) -> Record | None:
        """Decode one message of this field; return its Record, or None when it is a leaf."""
        kind = self.kind
        if kind == "message":
            plan = self._element or self.element
            child = Record(plan, message, node, record, self.name, index, record.source)
            decoder.fields(child, node, depth)
            return child
        if kind == "any":
            holder = AnyRecord(self.element, message, node, record, self.name, index, record.source)
            decoder.any(holder, node, depth)
            return holder
        decoder.leaf(self.element, message, node, depth, record, self.name)
        return None

    def decode(self, decoder: Decoder, record: Record, key: Node, node: Node, depth: int) -> None:
        name = self.name
        if isNull(node) and not (self.kind == "value" and self.form is SINGLE):
            return
        if self.form is LIST:
            self._decodeList(decoder, record, key, node, depth)
            return
        try:
            if self.oneof is not None:
                self._claim(record, key)
            message = getattr(record.message, name)
            message.SetInParent()
            child = self.fill(decoder, record, message, None, node, depth)
        except Problem as problem:
            problem.within(keyText(key) or name, None, self.typeText)
            raise
        kept = node if self.kind == "struct" else None
        record.entries[name] = (pack(key), kept, child)

    def _decodeList(
        self, decoder: Decoder, record: Record, key: Node, node: Node, depth: int
    ) -> None:
        name, index = self.name, None
        entry = record.entries.get(name)
        children: list[Record] = (entry[2] if entry is not None else None) or []  # type: ignore[assignment]
        container = getattr(record.message, name)
        elements = [node]
        try:
            if node.__class__ is SequenceNode:
                elements = decoder.elements(node, depth, self.kind not in ("value", "list"))
                depth, index = depth + 1, 0
            for element in elements:
                message = container.add()
                child = self._decodeElement(
                    decoder, record, message, len(container) - 1, element, depth
                )
                if child is not None:
                    children.append(child)
                if index is not None:
                    index += 1
        except Problem as problem:
            problem.within(keyText(key) or name, index, self.typeText)
            raise
        record.entries[name] = (pack(key), None, children or None)

    def _decodeElement(
        self, decoder: Decoder, record: Record, message: Message, index: int, node: Node, depth: int
    ) -> Record | None:
        """Decode one element of a list; null is an empty message."""
        if not isNull(node) or self.kind == "value":
            return self.fill(decoder, record, message, index, node, depth)
        if self.kind == "message":
            return Record(self.element, message, node, record, self.name, index, record.source)
        if self.kind == "any":
            return AnyRecord(self.element, message, node, record, self.name, index, record.source)
        return None


class MapField(Field):
    """A map."""

    __slots__ = ("key", "readKey", "value")

    def __init__(self, descriptor: FieldDescriptor, plans: Plans, form: str) -> None:
        super().__init__(descriptor, plans, form)
        assert descriptor.message_type is not None
        entry = descriptor.message_type.fields_by_name
        self.readKey = scalars.keyReader(entry["key"].type)
        self.value = makeField(entry["value"], plans)

    def decode(self, decoder: Decoder, record: Record, key: Node, node: Node, depth: int) -> None:
        if isNull(node):
            return
        name, index = self.name, None
        known = record.entries.get(name)
        children: dict[object, Record] = known[2] if known and known[2] else {}  # type: ignore[assignment]
        container = getattr(record.message, name)
        try:
            seen: set[str] = set()
            for keyNode, valueNode in decoder.pairs(node, depth):
                index = 0 if index is None else index + 1
                text = decoder.key(keyNode)
                if text in seen:
                    raise Problem(f"got unexpectedly-repeated repeated map key: '{text}'", keyNode)
                seen.add(text)
                self._decodeEntry(
                    decoder,
                    record,
                    container,
                    self.readKey(text, keyNode),
                    valueNode,
                    depth,
                    children,
                )
        except Problem as problem:
            problem.within(keyText(key) or name, index, self.typeText)
            raise
        kind = getattr(self.value, "kind", "")
        record.entries[name] = (pack(key), node if kind == "struct" else None, children or None)

    def _decodeEntry(
        self,
        decoder: Decoder,
        record: Record,
        container: Untyped,
        key: object,
        node: Node,
        depth: int,
        children: dict[object, Record],
    ) -> None:
        value = self.value
        if isinstance(value, ScalarField):
            one = value.empty if isNull(node) else value.read(decoder, node)
            if one is not scalars.SKIPPED:
                container[key] = one
            return
        assert isinstance(value, MessageField)
        message = container[key]
        if isNull(node) and value.kind != "value":
            return
        child = value.fill(decoder, record, message, key, node, depth + 1)
        if child is not None:
            child.name = self.name
            children[key] = child


def makeField(descriptor: FieldDescriptor, plans: Plans) -> Field:
    """Return what decodes a field."""
    form = LIST if isRepeated(descriptor) else SINGLE
    if descriptor.message_type is None:
        return ScalarField(descriptor, plans, form)
    if descriptor.message_type.GetOptions().map_entry:
        return MapField(descriptor, plans, MAP)
    return MessageField(descriptor, plans, form)
