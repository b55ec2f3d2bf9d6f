"""
What factories read: a message, its place in the text, and a memory of what was read.

A field that nobody reads is a field that nobody obeys.  Reading a property of a View marks the
field; `unread` then lists every field of the text that nobody asked for.

    view.stat_prefix        str, bytes, int, float, bool: the value, or the type's default
    view.codec_type         an enum: its name
    view.idle_timeout       Duration, Timestamp: seconds as float; None when not set
    view.buffer_limit       UInt32Value and its like: the value; None when not set
    view.metadata           Struct: dict; Value: any Python value; None when not set
    view.route_config       a message: its View; None when not set
    view.typed_config       an Any: an AnyView; None when not set
    view.routes             a list: a tuple of any of these
    view.typed_per_filter_config    a map: a dict

A field whose name is one of View's own (`path`, `message`, `error`) or a Python keyword is read
with an underscore behind it: `view.path_`.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from typing import Any as Untyped

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from twisted_envoy.config.fields import LIST, MAP, Field, MapField, MessageField
from twisted_envoy.config.plan import MessagePlan
from twisted_envoy.config.record import AnyRecord, Below, Record
from twisted_envoy.config.rules import validate
from twisted_envoy.errors import ConfigError, Position

TYPED_STRUCTS = ("xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct")


class View:
    """
    One message of a config.

    The properties with Envoy's field names are in a subclass made for each message type.
    """

    __slots__ = ("_record",)

    if TYPE_CHECKING:
        # For type checkers only: the fields are properties of subclasses made at run time.
        def __getattr__(self, field: str) -> Untyped: ...

    def __init__(self, record: Record) -> None:
        self._record = record

    @property
    def message(self) -> Message:
        """The protobuf message; reading it marks nothing."""
        return self._record.message

    @property
    def path(self) -> str:
        """Where this is, as Envoy spells it: `static_resources.listeners[0]`."""
        return self._record.path

    @property
    def typeName(self) -> str:
        """The full name of the message type."""
        return self._record.plan.fullName

    def which(self, oneof: str) -> str | None:
        """Return the name of the oneof's field that is set; marks nothing."""
        chosen: str | None = self._record.message.WhichOneof(oneof)
        return chosen

    def has(self, field: str) -> bool:
        """Does the text set a field, be it to its default?  Marks nothing."""
        return field in self._record.entries

    def moot(self, field: str, why: str) -> None:
        """
        Mark a field and all below it as read because obeying it changes nothing.

        Args:
            why: for who reads code.
        """
        markRead(self._record, field)
        entry = self._record.entries.get(field)
        if entry is not None:
            _markBelow(entry[2])

    def take(self) -> dict[str, Untyped]:
        """Mark all that is in and below this message as read; return it as JSON would have it."""
        markAll(self._record)
        return toJSON(self._record)

    def position(self, field: str | None = None) -> Position | None:
        """Return file, line and column of a field, or of the message."""
        return self._record.position(field)

    def error(self, problem: str, field: str | None = None) -> ConfigError:
        """Make the error of this message or one of its fields; the caller raises it."""
        return self._record.error(problem, field)

    def warn(self, problem: str, field: str | None = None) -> None:
        """Collect a warning about this message or one of its fields."""
        self._record.source.warnings.append(self._record.error(problem, field))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path or '(root)'}>"


class AnyView:
    """A google.protobuf.Any of a config."""

    __slots__ = ("_record",)

    def __init__(self, record: AnyRecord) -> None:
        self._record = record

    @property
    def typeURL(self) -> str:
        """The type URL as the text has it; empty for an empty Any."""
        url: str = self._record.message.type_url  # type: ignore[attr-defined]
        return url

    @property
    def typeName(self) -> str:
        """The full name of the type inside; empty for an empty Any."""
        return self.typeURL.rpartition("/")[2]

    @property
    def message(self) -> Message:
        """The Any itself."""
        return self._record.message

    @property
    def path(self) -> str:
        """Where this is."""
        return self._record.path

    @property
    def record(self) -> AnyRecord:
        """What lies below, for the extension registry."""
        return self._record

    def open(self) -> Untyped:
        """
        Check the content against its rules and return its View.

        Raises:
            ConfigError: `Proto constraint validation failed (...)`, or this Any is empty.
        """
        record = self._record
        if record.content is None:
            raise record.error("an empty Any has no content")
        if not record.opened:
            record.opened = True
            validate(record.content, record.unit, record.source.warnings)
        return viewOf(record.content)

    @property
    def struct(self) -> dict[str, Untyped] | None:
        """The content as a dict, when it is a Struct or a TypedStruct; else None.  Marks all."""
        content = self._record.content
        if content is None:
            return None
        if content.plan.fullName in TYPED_STRUCTS:
            inner: dict[str, Untyped] = structToDict(content.message.value)  # type: ignore[attr-defined]
        elif content.plan.kind == "struct":
            inner = structToDict(content.message)
        else:
            return None
        self._record.opened = True
        markAll(content)
        return inner

    def take(self) -> dict[str, Untyped]:
        """Mark all that is in this Any as read; return it as JSON would have it."""
        self._record.opened = True
        markAll(self._record)
        return toJSON(self._record)

    def position(self, field: str | None = None) -> Position | None:
        """Return file, line and column."""
        return self._record.position(field)

    def error(self, problem: str, field: str | None = None) -> ConfigError:
        """Make an error about this Any; the caller raises it."""
        return self._record.error(problem, field)

    def warn(self, problem: str, field: str | None = None) -> None:
        """Collect a warning about this Any."""
        self._record.source.warnings.append(self._record.error(problem, field))

    def __repr__(self) -> str:
        return f"<AnyView {self.typeName} {self.path}>"


RESERVED = frozenset(name for name in dir(View) if not name.startswith("__"))


def markRead(record: Record, field: str) -> None:
    """Note that a field has been read."""
    if record.read is None:
        record.read = {field}
    else:
        record.read.add(field)


def markAll(record: Record) -> None:
    """Note that every field in and below a message has been read."""
    for name, (_, _, below) in record.entries.items():
        markRead(record, name)
        _markBelow(below)
    if isinstance(record, AnyRecord) and record.content is not None:
        record.opened = True
        markAll(record.content)


def _markBelow(below: Below) -> None:
    if isinstance(below, list):
        for child in below:
            markAll(child)
    elif isinstance(below, dict):
        for child in below.values():
            markAll(child)
    elif below is not None:
        markAll(below)


def toJSON(record: Record) -> dict[str, Untyped]:
    """Return a message as JSON would have it, in Envoy's spelling."""
    pool = record.plan.plans.schema.pool
    taken: dict[str, Untyped] = MessageToDict(
        record.message, preserving_proto_field_name=True, descriptor_pool=pool
    )
    return taken


def viewOf(record: Record) -> Untyped:
    """Return the View of a Record, always the same one."""
    if record.view is None:
        if isinstance(record, AnyRecord):
            record.view = AnyView(record)
        else:
            plan = record.plan
            if plan.viewClass is None:
                plan.viewClass = makeViewClass(plan)
            record.view = plan.viewClass(record)
    return record.view


def valueToPython(value: Untyped) -> Untyped:
    """Return a google.protobuf.Value as None, bool, int or float, str, list or dict."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return structToDict(value.struct_value)
    if kind == "list_value":
        return [valueToPython(one) for one in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        isWhole = abs(number) < 2**53 and number == int(number) and str(number) != "-0.0"
        return int(number) if isWhole else number
    return None if kind in (None, "null_value") else getattr(value, kind)


def structToDict(struct: Untyped) -> dict[str, Untyped]:
    """Return a google.protobuf.Struct as a dict."""
    return {key: valueToPython(value) for key, value in struct.fields.items()}


_LEAVES: dict[str, Callable[[Untyped], Untyped]] = {
    "duration": lambda message: message.seconds + message.nanos / 1e9,
    "timestamp": lambda message: message.seconds + message.nanos / 1e9,
    "mask": lambda message: tuple(message.paths),
    "wrapper": lambda message: message.value,
    "struct": structToDict,
    "value": valueToPython,
    "list": lambda message: [valueToPython(one) for one in message.values],
}


def makeViewClass(plan: MessagePlan) -> type[View]:
    """Make the View subclass of one message type, with a property per field."""
    body: dict[str, object] = {"__slots__": (), "__doc__": f"A {plan.fullName} of a config."}
    for field in plan.uniqueFields():
        name = field.name
        if name in RESERVED or keyword.iskeyword(name):
            name += "_"
        body[name] = property(_reader(field), doc=field.typeText)
    return type(f"{plan.name}View", (View,), body)


def _reader(field: Field) -> Callable[[View], Untyped]:
    if field.form == MAP:
        return _mapReader(field)
    if isinstance(field, MessageField) and field.kind in ("message", "any"):
        return _listOfViews(field.name) if field.form == LIST else _viewReader(field.name)
    name, convert = field.name, _converter(field)
    if field.form == LIST:

        def readList(self: View) -> Untyped:
            markRead(self._record, name)
            return tuple(convert(one) for one in getattr(self._record.message, name))

        return readList
    if isinstance(field, MessageField):

        def readLeaf(self: View) -> Untyped:
            message = self._record.message
            markRead(self._record, name)
            return convert(getattr(message, name)) if message.HasField(name) else None

        return readLeaf

    def readScalar(self: View) -> Untyped:
        markRead(self._record, name)
        return convert(getattr(self._record.message, name))

    return readScalar


def _same(value: Untyped) -> Untyped:
    return value


def _converter(field: Field) -> Callable[[Untyped], Untyped]:
    """Return what makes Python values of the values of a leaf field."""
    if isinstance(field, MessageField):
        return _LEAVES[field.kind]
    enum = field.descriptor.enum_type
    if enum is None:
        return _same
    names: Mapping[int, str] = {value.number: value.name for value in reversed(enum.values)}
    return lambda number: names.get(number, str(number))


def _viewReader(name: str) -> Callable[[View], Untyped]:
    def read(self: View) -> Untyped:
        record = self._record
        markRead(record, name)
        entry = record.entries.get(name)
        return None if entry is None else viewOf(entry[2])  # type: ignore[arg-type]

    return read


def _listOfViews(name: str) -> Callable[[View], Untyped]:
    def read(self: View) -> Untyped:
        record = self._record
        markRead(record, name)
        entry = record.entries.get(name)
        if entry is None or entry[2] is None:
            return ()
        return tuple(viewOf(child) for child in entry[2])  # type: ignore[union-attr,arg-type]

    return read


def _mapReader(field: Field) -> Callable[[View], Untyped]:
    assert isinstance(field, MapField)
    name, value = field.name, field.value
    if isinstance(value, MessageField) and value.kind in ("message", "any"):

        def readViews(self: View) -> Untyped:
            record = self._record
            markRead(record, name)
            entry = record.entries.get(name)
            if entry is None or entry[2] is None:
                return {}
            return {key: viewOf(child) for key, child in entry[2].items()}  # type: ignore[union-attr]

        return readViews
    convert = _converter(value)

    def readValues(self: View) -> Untyped:
        markRead(self._record, name)
        return {key: convert(one) for key, one in getattr(self._record.message, name).items()}

    return readValues
