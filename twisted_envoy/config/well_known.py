"""
The JSON forms of protobuf's well-known types: Struct, Value, Duration, Timestamp, FieldMask.

Envoy: the JSON reader of protobuf in its legacy mode.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from typing import Any as Untyped

from twisted_envoy.config.nodes import (
    AFTER,
    KIND_BOOL,
    KIND_NULL,
    KIND_NUMBER,
    KIND_STRING,
    Node,
    SequenceNode,
    scalarOf,
    styleOf,
)
from twisted_envoy.config.problem import Problem
from twisted_envoy.config.scalars import broken, readString, unexpected

if TYPE_CHECKING:
    from twisted_envoy.config.decode import Decoder

_ENTRY = "message google.protobuf.Struct.FieldsEntry"
_VALUE = "message google.protobuf.Value"
_STRUCT = "message google.protobuf.Struct"
_LIST = "message google.protobuf.ListValue"

MAX_SECONDS = 3_652_500 * 86_400
MAX_TIMER_SECONDS = 9_223_372_035  # what Envoy can count in nanoseconds

# Where in a Value something is wrong that begins with such a character.
_BROKEN_VALUES = {
    '"': ("string_value", "string"),
    "'": ("string_value", "string"),
    "t": ("bool_value", "bool"),
    "f": ("bool_value", "bool"),
    "n": ("null_value", "enum google.protobuf.NullValue"),
}

_INTEGER_PART = re.compile(r"[0-9-]*")
_SECONDS = re.compile(r"-?[0-9]+\Z")
_NANOS = re.compile(r"\.([0-9]{1,9})(?![0-9])")


def fillStruct(decoder: Decoder, struct: Untyped, node: Node, depth: int) -> None:
    """Decode an object into a Struct."""
    index: int | None = None
    try:
        fields = struct.fields
        seen: set[str] = set()
        for key, value in decoder.pairs(node, depth):
            index = 0 if index is None else index + 1
            text = decoder.key(key)
            if text in seen:
                raise Problem(f"got unexpectedly-repeated repeated map key: '{text}'", key)
            seen.add(text)
            fillValue(decoder, fields[text], value, depth + 1)
    except Problem as problem:
        problem.within("<struct>", index, _ENTRY)
        raise


def fillList(decoder: Decoder, values: Untyped, node: Node, depth: int) -> None:
    """Decode a list into a ListValue."""
    index: int | None = None
    try:
        if node.__class__ is not SequenceNode:
            raise unexpected(node, "[")
        for element in decoder.elements(node, depth):
            index = 0 if index is None else index + 1
            fillValue(decoder, values.values.add(), element, depth + 1)
    except Problem as problem:
        problem.within("<list>", index, _VALUE)
        raise


def fillValue(decoder: Decoder, value: Untyped, node: Node, depth: int) -> None:
    """Decode anything into a Value."""
    kind, text = scalarOf(node)
    if kind == KIND_STRING:
        value.string_value = text
    elif kind == KIND_NUMBER:
        value.number_value = float(text)
    elif kind == KIND_BOOL:
        value.bool_value = text == "true"
    elif kind == KIND_NULL:
        value.null_value = 0
    elif text == "{":
        value.struct_value.SetInParent()
        try:
            fillStruct(decoder, value.struct_value, node, depth)
        except Problem as problem:
            problem.within("struct_value", None, _STRUCT)
            raise
    elif text == "[":
        value.list_value.SetInParent()
        try:
            fillList(decoder, value.list_value, node, depth)
        except Problem as problem:
            problem.within("list_value", None, _LIST)
            raise
    else:
        fault = broken(node, "tfn")
        assert fault is not None
        style = styleOf(node)
        if style and style != AFTER:
            name, typeText = _BROKEN_VALUES.get(style, ("number_value", "double"))
            fault.within(name, None, typeText)
        raise fault


def _takeNanos(text: str) -> tuple[int, str] | None:
    """Cut a fraction off the front; return nanoseconds and what is left, None for a bad one."""
    if not text.startswith("."):
        return 0, text
    found = _NANOS.match(text)
    if found is None:
        return None
    return int(found[1].ljust(9, "0")), text[found.end() :]


def fillDuration(duration: Untyped, node: Node) -> None:
    """Decode `1.5s`; nothing else than seconds with an `s` will do."""
    text = readString(node)
    digits = _INTEGER_PART.match(text)[0]  # type: ignore[index]
    if not digits:
        raise Problem("duration must start with an integer", node)
    if not _SECONDS.match(digits) or not -(2**63) <= int(digits) < 2**63:
        raise Problem("duration had bad seconds", node)
    seconds = int(digits)
    if abs(seconds) > MAX_SECONDS:
        raise Problem("duration out of range", node)
    fraction = _takeNanos(text[len(digits) :])
    if fraction is None:
        raise Problem("duration had bad nanoseconds", node)
    nanos, rest = fraction
    if rest != "s":
        raise Problem("duration must end with a single 's'", node)
    duration.seconds = seconds
    duration.nanos = -nanos if digits.startswith("-") else nanos


def durationFault(duration: Untyped) -> str:
    """Return what Envoy finds wrong with a Duration before it looks at any rule; else ''."""
    seconds, nanos = duration.seconds, duration.nanos
    parts = [f"seconds: {seconds}"] if seconds else []
    shown = " ".join([*parts, f"nanos: {nanos}"] if nanos else parts)
    if seconds < 0 or nanos < 0:
        return f"Invalid duration: Expected positive duration: {shown}"
    if nanos > 999_999_999 or seconds > MAX_SECONDS:
        return f"Invalid duration: Duration out-of-range according to Protobuf: {shown}"
    if seconds > MAX_TIMER_SECONDS:
        return f"Invalid duration: Duration out-of-range: {shown}"
    return ""


_TIME_PARTS = (
    ("year", re.compile(r"([0-9]{1,4})-"), 1),
    ("month", re.compile(r"([0-9]{1,2})-"), 1),
    ("day", re.compile(r"([0-9]{1,2})T"), 1),
    ("hours", re.compile(r"([0-9]{1,2}):"), 0),
    ("minutes", re.compile(r"([0-9]{1,2}):"), 0),
    ("seconds", re.compile(r"([0-9]{1,2})"), 0),
)
_OFFSET = re.compile(r"([0-9]{2}):([0-9]{2})\Z")


def fillTimestamp(timestamp: Untyped, node: Node) -> None:
    """Decode an RFC 3339 time."""
    text = readString(node)
    if len(text) < 20:
        raise Problem("timestamp string too short", node)
    numbers: list[int] = []
    for what, pattern, least in _TIME_PARTS:
        found = pattern.match(text)
        if found is None or int(found[1]) < least:
            raise Problem(f"bad {what} in timestamp", node)
        numbers.append(int(found[1]))
        text = text[found.end() :]
    fraction = _takeNanos(text)
    if fraction is None:
        raise Problem("timestamp had bad nanoseconds", node)
    nanos, zone = fraction
    year, month, day, hours, minutes, seconds = numbers
    try:
        start = datetime(year, month, 1, tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise Problem("bad month in timestamp", node) from None
    passed = (day - 1) * 86_400 + hours * 3_600 + minutes * 60 + seconds
    timestamp.seconds = int(start) + passed + _zoneOffset(zone, node)
    timestamp.nanos = nanos


def _zoneOffset(zone: str, node: Node) -> int:
    """Return the seconds to add to a local time."""
    if not zone:
        raise Problem("timestamp missing timezone offset", node)
    if zone == "Z":
        return 0
    if zone[0] not in "+-":
        raise Problem("bad timezone offset", node)
    if len(zone) != 6:
        raise Problem("timestamp offset of wrong size.", node)
    found = _OFFSET.match(zone[1:])
    if found is None:
        raise Problem("timestamp offset has bad hours and minutes", node)
    seconds = int(found[1]) * 3_600 + int(found[2]) * 60
    return seconds if zone[0] == "-" else -seconds


def fillMask(mask: Untyped, node: Node) -> None:
    """Decode `a.bC,d` into the paths `a.b_c` and `d`."""
    text = readString(node)
    if text:
        mask.paths.extend(
            re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", path) for path in text.split(",")
        )


FROM_STRING: dict[str, Callable[[Untyped, Node], None]] = {
    "duration": fillDuration,
    "timestamp": fillTimestamp,
    "mask": fillMask,
}
