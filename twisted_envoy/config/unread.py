"""Which fields of a config nobody has read."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_envoy.config.installed import bare
from twisted_envoy.config.nodes import MappingNode, Node, SequenceNode, positionOf
from twisted_envoy.config.read_dict import ReadDict
from twisted_envoy.config.record import AnyRecord, Below, Record, Sealed
from twisted_envoy.config.view import TYPED_STRUCTS, View
from twisted_envoy.errors import Position, UnsupportedField
from twisted_envoy.values import dataclass

_SEALED = Sealed()
_KNOWN = ("envoy.", "twisted_envoy.", "google.", "xds.", "udpa.", "opencensus.", "cel.")


@dataclass(frozen=True, slots=True)
class Unread:
    """
    A field that the text sets and nobody has read.

    Args:
        path: where, up to and with the field.
        fieldName: as Envoy spells it.
        kind: its type, as Envoy's errors name it.
        owner: the extension whose factory should have read it; empty when it is none of a third
            party's.
    """

    position: Position | None
    path: str
    fieldName: str
    kind: str
    owner: str = ""


def unread(root: View) -> list[Unread]:
    """
    Return what is set and was not read, in the order of the text.

    Below a message that was not read, only the message itself is listed.
    """
    files: dict[str, int] = {}
    found = list(_below(root._record))

    def order(one: Unread) -> tuple[int, int, int]:
        if one.position is None:
            return (0, 0, 0)
        number = files.setdefault(one.position.file, len(files))
        return (number, one.position.line, one.position.column)

    return sorted(found, key=order)


def _below(record: Record) -> Iterator[Unread]:
    if isinstance(record, AnyRecord):
        if record.content is not None and record.opened:
            yield from _below(record.content)
            if record.struct is not None:
                yield from _unreadKeys(record.content, record.struct)
        elif record.content is not None:
            kind = f"message {record.content.plan.fullName}"
            yield Unread(record.position(), record.path, record.name, kind, _named(record.content))
        return
    read = record.read or ()
    for name, (_, _, below) in record.entries.items():
        if name not in read:
            if _isEmpty(record, name):
                continue
            field = record.plan.fields[name]
            owner = _foreign(record.plan.fullName)
            yield Unread(record.position(name), record.pathOf(name), name, field.typeText, owner)
        else:
            for child in children(below):
                yield from _below(child)


def _unreadKeys(content: Record, struct: ReadDict) -> Iterator[Unread]:
    """What the factory of a TypedStruct has left of its `value`."""
    owner = _named(content)
    _, node, _ = content.entries.get("value", (0, None, None))
    for way in struct.unread():
        path, place = f"{content.pathOf('value')}", content.position("value")
        below = node
        for step in way:
            path += f"[{step}]" if isinstance(step, int) else f".{step}"
            below, key = _stepInto(below, step)
            if key is not None:
                place = positionOf(key, content.source.file)
        yield Unread(place, path, str(way[-1]), "of a TypedStruct", owner)


def _stepInto(node: Node | None, step: str | int) -> tuple[Node | None, Node | None]:
    """The node below, and the one that names it."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key
    elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None, None


def _named(content: Record) -> str:
    """The third party's type that an Any names, by itself or by a TypedStruct; '' if it is none."""
    if content.plan.fullName in TYPED_STRUCTS:
        return _foreign(bare(content.message.type_url))  # type: ignore[attr-defined]
    return _foreign(content.plan.fullName)


def _foreign(typeName: str) -> str:
    return "" if typeName.startswith(_KNOWN) else typeName


def _isEmpty(record: Record, name: str) -> bool:
    """Whether the text sets a list or a map that has nothing in it: that asks for nothing."""
    value = getattr(record.message, name)
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes)) and not len(value)


def children(below: Below) -> list[Record]:
    """Return the messages directly below a field."""
    if isinstance(below, list):
        return below
    if isinstance(below, dict):
        return list(below.values())
    return [] if below is None else [below]


def reportUnread(root: View) -> list[UnsupportedField]:
    """Return one error per field that is set and was not read, in the order of the text."""
    return [
        UnsupportedField(
            one.path,
            f"'{one.fieldName}' ({one.kind}) is set, and {_who(one)}",
            one.position,
        )
        for one in unread(root)
    ]


def _who(one: Unread) -> str:
    """Whose fault it is."""
    if one.owner:
        return f"the factory of {one.owner} never read it"
    return "twisted_envoy does not obey it here"


def seal(root: View) -> list[Unread]:
    """
    Return what was not read, and let go of the text: the views of this tree can be read no more.

    `build` copies what it needs; what is read later would not be seen.
    """
    left = unread(root)
    waiting = [root._record]
    while waiting:
        record = waiting.pop()
        for _, _, below in record.entries.values():
            waiting += children(below)
        if isinstance(record, AnyRecord) and record.content is not None:
            waiting.append(record.content)
        record.entries = _SEALED
        record.read = _SEALED  # type: ignore[assignment]
    return left
