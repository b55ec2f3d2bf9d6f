"""
The tree beside the messages: what the text set, where, and what has been read of it.

A protobuf message cannot say where a value came from, nor tell an explicit `false` from nothing.
A Record can: one per message that stands in the text, with one entry per field that was set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypeAlias

from google.protobuf.message import Message

from twisted_envoy.config.nodes import Node, pack, unpack
from twisted_envoy.config.read_dict import ReadDict
from twisted_envoy.errors import ConfigError, Position

if TYPE_CHECKING:
    from twisted_envoy.config.fields import Field
    from twisted_envoy.config.plan import MessagePlan

# What is below a field: a message, the messages of a list or a map, or nothing (one leaf).
Below: TypeAlias = "Record | list[Record] | dict[object, Record] | None"


class Source:
    """One text that was read: its name and the warnings it gave rise to."""

    __slots__ = ("file", "root", "warnings")

    def __init__(self, file: str, warnings: list[ConfigError]) -> None:
        self.file = file
        self.warnings = warnings
        self.root: Record | None = None


class Unit:
    """
    What Envoy checks at one time: the bootstrap without its Anys, or the content of one Any.

    Attributes:
        durations: (record, field, text) of each Duration that is out of range.
        deprecated: (record, field) of each deprecated field that is set.
        suspects: messages with an enum field that has deprecated values.
    """

    __slots__ = ("deprecated", "durations", "suspects")

    def __init__(self) -> None:
        self.durations: list[tuple[Record, str, str]] = []
        self.deprecated: list[tuple[Record, Field]] = []
        self.suspects: list[Record] = []


class Record:
    """
    One message of the text.

    Attributes:
        entries: per field that is set, by Envoy's name: the place of its key (see nodes.pack), its
            value's node if that is a Struct (or a map of them), what is below.
        place: where it begins; -1 when it does not stand in the text.
        read: names of fields that have been read; None until the first.
        name, index: how the parent calls it.
        source: the text it stands in.
    """

    __slots__ = (
        "entries",
        "index",
        "message",
        "name",
        "parent",
        "place",
        "plan",
        "read",
        "source",
        "view",
    )

    def __init__(
        self,
        plan: MessagePlan,
        message: Message,
        node: Node | None,
        parent: Record | None,
        name: str,
        index: object,
        source: Source,
    ) -> None:
        self.plan = plan
        self.message = message
        self.place = -1 if node is None else pack(node)
        self.parent = parent
        self.name = name
        self.index = index
        self.source = source
        self.entries: dict[str, tuple[int, Node | None, Below]] = {}
        self.read: set[str] | None = None
        self.view: object = None

    @property
    def path(self) -> str:
        """The path as Envoy spells it: `static_resources.listeners[0]`."""
        parts: list[str] = []
        record: Record | None = self
        while record is not None:
            if record.name:
                parts.append(
                    record.name if record.index is None else f"{record.name}[{record.index}]"
                )
            record = record.parent
        return ".".join(reversed(parts))

    def pathOf(self, field: str | None) -> str:
        """Return the path of a field of this message, set or not."""
        path = self.path
        if not field:
            return path
        return f"{path}.{field}" if path else field

    def position(self, field: str | None = None) -> Position | None:
        """Return where a field is set, or where the message begins."""
        if field is not None and field in self.entries:
            return unpack(self.entries[field][0], self.source.file)
        record: Record | None = self
        while record is not None:
            if record.place >= 0:
                return unpack(record.place, record.source.file)
            record = record.parent
        return None

    def error(self, problem: str, field: str | None = None) -> ConfigError:
        """Make the error of a field of this message."""
        return ConfigError(self.pathOf(field), problem, self.position(field))


class AnyRecord(Record):
    """
    A google.protobuf.Any of the text.

    Attributes:
        content: the message inside; None for an empty Any.
        unit: what Envoy checks when it unpacks the content.
        struct: of a TypedStruct whose type has no message, what its factory reads.
    """

    __slots__ = ("content", "opened", "struct", "unit")

    def __init__(
        self,
        plan: MessagePlan,
        message: Message,
        node: Node | None,
        parent: Record | None,
        name: str,
        index: object,
        source: Source,
    ) -> None:
        super().__init__(plan, message, node, parent, name, index, source)
        self.content: Record | None = None
        self.struct: ReadDict | None = None
        self.opened = False
        self.unit = Unit()


class Sealed(dict):  # type: ignore[type-arg]
    """Stands for what a sealed view has let go: any use says so."""

    def _refuse(self, *_arguments: object) -> NoReturn:
        raise RuntimeError("the view is sealed: build() must copy what it needs")

    __contains__ = get = add = __getitem__ = _refuse
