"""
One test per kind of validation rule.

A test takes the message that holds the value, and the value; it returns '' or what is wrong, in
the words of Envoy's generated code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any as Untyped
from typing import TypeAlias

from google.protobuf.descriptor import FieldDescriptor

Test: TypeAlias = Callable[[Untyped, Untyped], str]

_HEADER_NAME_STRICT = r"^:?[0-9a-zA-Z!#$%&'*+-.^_|~\x60]+$"
_HEADER_VALUE_STRICT = r"^[^\x00-\x08\x0A-\x1F\x7F]*$"
_HEADER_LOOSE = r"^[^\x00\x0A\x0D]*$"
# The same as Envoy prints them.
_SHOWN = {
    _HEADER_NAME_STRICT: "^:?[0-9a-zA-Z!#$%&'*+-.^_|~`]+$",
    _HEADER_VALUE_STRICT: r"^[^\x00-\b\n-\x1f\x7f]*$",
    _HEADER_LOOSE: r"^[^\x00\n\r]*$",
}
_WRAPPER_RULES = {
    "google.protobuf.DoubleValue": "double",
    "google.protobuf.FloatValue": "float",
    "google.protobuf.Int64Value": "int64",
    "google.protobuf.UInt64Value": "uint64",
    "google.protobuf.Int32Value": "int32",
    "google.protobuf.UInt32Value": "uint32",
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.StringValue": "string",
    "google.protobuf.BytesValue": "bytes",
}


def showDuration(nanos: int) -> str:
    """Write a duration as Go does: `1ms`, `5m0s`, `2500000h0m0s`."""
    if nanos == 0:
        return "0s"
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanos < size * 1_000:
            return f"{sign}{_number(nanos / size)}{unit}"
    seconds = nanos / 1_000_000_000
    hours, rest = divmod(seconds, 3_600)
    minutes, left = divmod(rest, 60)
    shown = f"{_number(left)}s"
    if hours or minutes:
        shown = f"{int(minutes)}m{shown}"
    if hours:
        shown = f"{int(hours)}h{shown}"
    return sign + shown


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def nanosOf(duration: Untyped) -> int:
    """Return a Duration in nanoseconds."""
    return int(duration.seconds) * 1_000_000_000 + int(duration.nanos)


def rangeTest(
    rules: Untyped, get: Callable[[Untyped], Untyped], show: Callable[[Untyped], str]
) -> Test | None:
    """
    Make the test of `lt`, `lte`, `gt` and `gte`.

    Args:
        get: from a rule's or field's value to what is compared.
    """
    high = next((name for name in ("lt", "lte") if rules.HasField(name)), "")
    low = next((name for name in ("gt", "gte") if rules.HasField(name)), "")
    if not high and not low:
        return None
    top: Untyped = get(getattr(rules, high)) if high else None
    bottom: Untyped = get(getattr(rules, low)) if low else None

    # As generated: what is neither less nor greater (NaN) breaks nothing.
    def fits(value: Untyped) -> bool:
        return not (value > top if high == "lte" else value >= top)

    def reaches(value: Untyped) -> bool:
        return not (value < bottom if low == "gte" else value <= bottom)

    if not low:
        word = "less than or equal to" if high == "lte" else "less than"
        text = f"value must be {word} {show(top)}"
        return lambda _message, value: "" if fits(get(value)) else text
    if not high:
        word = "greater than or equal to" if low == "gte" else "greater than"
        text = f"value must be {word} {show(bottom)}"
        return lambda _message, value: "" if reaches(get(value)) else text
    if top > bottom:
        opening, closing = "[" if low == "gte" else "(", "]" if high == "lte" else ")"
        text = f"value must be inside range {opening}{show(bottom)}, {show(top)}{closing}"
        return lambda _message, value: "" if fits(get(value)) and reaches(get(value)) else text
    opening, closing = "(" if high == "lte" else "[", ")" if low == "gte" else "]"
    text = f"value must be outside range {opening}{show(top)}, {show(bottom)}{closing}"
    return lambda _message, value: "" if fits(get(value)) or reaches(get(value)) else text


def _constantTests(rules: Untyped, show: Callable[[Untyped], str]) -> Iterable[Test]:
    """Make the tests of `const`, `in` and `not_in`."""
    names = rules.DESCRIPTOR.fields_by_name
    if "const" in names and rules.HasField("const"):
        wanted = rules.const
        text = f"value must equal {show(wanted)}"
        yield lambda _message, value: "" if value == wanted else text
    allowed = list(getattr(rules, "in")) if "in" in names else []
    if allowed:
        inside = f"value must be in list [{' '.join(map(show, allowed))}]"
        yield lambda _message, value: "" if value in allowed else inside
    refused = list(rules.not_in) if "not_in" in names else []
    if refused:
        outside = f"value must not be in list [{' '.join(map(show, refused))}]"
        yield lambda _message, value: outside if value in refused else ""


def _showScalar(value: Untyped) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    return str(value)


def numberTests(rules: Untyped) -> Iterable[Test]:
    """Make the tests of a number's rules."""
    test = rangeTest(rules, lambda value: value, _showScalar)
    if test is not None:
        yield test
    yield from _constantTests(rules, _showScalar)


def lengthTests(rules: Untyped, measure: Callable[[Untyped], int], unit: str) -> Iterable[Test]:
    """Make the tests of a length: exact, at least, at most, in `unit`s."""
    suffix = "len" if unit == "characters" or "max_bytes" not in _names(rules) else "bytes"
    exact = suffix if suffix == "len" else "len_bytes"
    if rules.HasField(exact):
        wanted = getattr(rules, exact)
        text = f"value length must be {wanted} {unit}"
        yield lambda _message, value: "" if measure(value) == wanted else text
    low, high = f"min_{suffix}", f"max_{suffix}"
    least = getattr(rules, low) if rules.HasField(low) else None
    most = getattr(rules, high) if rules.HasField(high) else None
    if least is not None and most is not None:
        if least == most:
            between = f"value length must be {least} {unit}"
        elif unit == "characters":
            between = f"value must have between {least} and {most} characters inclusive"
        else:
            between = f"value length must be between {least} and {most} {unit}, inclusive"
        yield lambda _message, value: "" if least <= measure(value) <= most else between
    elif least is not None:
        short = f"value length must be at least {least} {unit}"
        yield lambda _message, value: "" if measure(value) >= least else short
    elif most is not None:
        long = f"value length must be at most {most} {unit}"
        yield lambda _message, value: "" if measure(value) <= most else long


def _names(rules: Untyped) -> Untyped:
    return rules.DESCRIPTOR.fields_by_name


def patternTest(pattern: str, encode: bool = False) -> Test:
    """Make the test of an RE2 pattern that Python's `re` reads the same way."""
    ends = pattern.endswith("$") and not pattern.endswith(r"\$")
    compiled = re.compile(pattern[:-1] + r"\Z" if ends and "|" not in pattern else pattern)
    shown = _SHOWN.get(pattern, pattern.replace("\\", "\\\\") if not encode else pattern)
    text = f'value does not match regex pattern "{shown}"'
    return lambda _message, value: "" if compiled.search(value) else text


def stringTests(rules: Untyped) -> Iterable[Test]:
    """Make the tests of a string's rules."""
    yield from _constantTests(rules, str)
    yield from lengthTests(rules, len, "characters")
    yield from lengthTests(rules, lambda value: len(value.encode()), "bytes")
    if rules.HasField("prefix"):
        yield _affixTest(rules.prefix, "prefix", str.startswith)
    if rules.HasField("suffix"):
        yield _affixTest(rules.suffix, "suffix", str.endswith)
    if rules.HasField("contains"):
        part = rules.contains
        text = f'value does not contain substring "{part}"'
        yield lambda _message, value: "" if part in value else text
    if rules.HasField("well_known_regex"):
        name = rules.well_known_regex == 1
        if not rules.strict:
            yield patternTest(_HEADER_LOOSE)
        else:
            yield patternTest(_HEADER_NAME_STRICT if name else _HEADER_VALUE_STRICT)
    if rules.HasField("pattern"):
        yield patternTest(rules.pattern)


def _affixTest(affix: str, what: str, holds: Callable[[str, str], bool]) -> Test:
    text = f'value does not have {what} "{affix}"'
    return lambda _message, value: "" if holds(value, affix) else text


def bytesTests(rules: Untyped) -> Iterable[Test]:
    """Make the tests of a bytes field's rules."""
    yield from lengthTests(rules, len, "bytes")


def enumTests(field: FieldDescriptor, rules: Untyped) -> Iterable[Test]:
    """Make the tests of an enum's rules."""
    assert field.enum_type is not None
    values = field.enum_type.values_by_number
    yield from _constantTests(rules, lambda number: values[number].name)
    if rules.defined_only:
        known = frozenset(values)
        text = "value must be one of the defined enum values"
        yield lambda _message, value: "" if value in known else text


def _requiredTest(name: str, text: str) -> Test:
    return lambda message, _value: "" if message.HasField(name) else text


def _whenSet(name: str, test: Test) -> Test:
    return lambda message, value: test(message, value) if message.HasField(name) else ""


def _whenNotEmpty(test: Test) -> Test:
    return lambda message, value: test(message, value) if value else ""


def _onInner(name: str, test: Test) -> Test:
    """Apply a scalar's test to the wrapper that holds it."""
    return lambda message, value: test(message, value.value) if message.HasField(name) else ""


def scalarTests(field: FieldDescriptor, rules: Untyped, kind: str) -> list[Test]:
    """Make the tests of `rules.<kind>`."""
    own = getattr(rules, kind)
    if kind == "string":
        tests = list(stringTests(own))
    elif kind == "bytes":
        tests = list(bytesTests(own))
    elif kind == "enum":
        return list(enumTests(field, own))
    elif kind == "bool":
        return list(_constantTests(own, _showScalar))
    else:
        tests = list(numberTests(own))
    return [_whenNotEmpty(test) for test in tests] if own.ignore_empty else tests


def testsOf(field: FieldDescriptor, rules: Untyped) -> list[Test]:
    """Make the tests of a single field."""
    name, kind = field.name, rules.WhichOneof("type")
    tests: list[Test] = []
    required = rules.message.required or (
        kind in ("duration", "timestamp", "any") and getattr(rules, kind).required
    )
    message = field.message_type
    wrapped = (
        kind is not None and message is not None and _WRAPPER_RULES.get(message.full_name) == kind
    )
    if required:
        more = " and must not be nil." if wrapped else ""
        tests.append(_requiredTest(name, f"value is required{more}"))
    if kind == "duration":
        tests += [_whenSet(name, test) for test in durationTests(rules.duration)]
    elif kind == "any":
        tests += [_whenSet(name, test) for test in anyTests(rules.any)]
    elif kind not in (None, "timestamp", "repeated", "map"):
        made = scalarTests(field, rules, kind)
        tests += [_onInner(name, test) for test in made] if wrapped else made
    return tests


def durationTests(rules: Untyped) -> Iterable[Test]:
    """Make the tests of a Duration's rules."""
    test = rangeTest(rules, _nanos, showDuration)
    if test is not None:
        yield test
    if rules.HasField("const"):
        wanted = nanosOf(rules.const)
        text = f"value must equal {showDuration(wanted)}"
        yield lambda _message, value: "" if nanosOf(value) == wanted else text


def _nanos(value: Untyped) -> int:
    return nanosOf(value)


def anyTests(rules: Untyped) -> Iterable[Test]:
    """Make the tests of an Any's type URL."""
    allowed, refused = list(getattr(rules, "in")), list(rules.not_in)
    if allowed:
        inside = f"type URL must be in list [{' '.join(allowed)}]"
        yield lambda _message, value: "" if value.type_url in allowed else inside
    if refused:
        outside = f"type URL must not be in list [{' '.join(refused)}]"
        yield lambda _message, value: outside if value.type_url in refused else ""


def _countTests(least: int, most: int | None, what: str) -> Iterable[Test]:
    if most is not None and most == least:
        exactly = f"value must contain exactly {least} {what}"
        yield lambda _message, value: "" if len(value) == least else exactly
    elif most is not None and least:
        between = f"value must contain between {least} and {most} {what}, inclusive"
        yield lambda _message, value: "" if least <= len(value) <= most else between
    elif most is not None:
        many = f"value must contain no more than {most} {what}"
        yield lambda _message, value: "" if len(value) <= most else many
    elif least:
        few = f"value must contain at least {least} {what}"
        yield lambda _message, value: "" if len(value) >= least else few


def _unique(_message: Untyped, values: Untyped) -> str:
    seen: list[object] = []
    for index, value in enumerate(values):
        if value in seen:
            return f"repeated value must contain unique items\0[{index}]"
        seen.append(value)
    return ""


def listTests(field: FieldDescriptor, rules: Untyped) -> tuple[list[Test], list[Test]]:
    """Make the tests of a list: of the whole, and of each element."""
    own = rules.repeated
    most = own.max_items if own.HasField("max_items") else None
    whole = list(_countTests(own.min_items, most, "item(s)"))
    if own.unique:
        whole.append(_unique)
    if own.ignore_empty:
        whole = [_whenNotEmpty(test) for test in whole]
    kind = own.items.WhichOneof("type")
    each: list[Test] = []
    if kind == "duration":
        each = list(durationTests(own.items.duration))
    elif kind == "any":
        each = list(anyTests(own.items.any))
    elif kind not in (None, "message"):
        each = scalarTests(field, own.items, kind)
    return whole, each


def mapTests(field: FieldDescriptor, rules: Untyped) -> tuple[list[Test], list[Test], list[Test]]:
    """Make the tests of a map: of the whole, of each key, of each value."""
    own = rules.map
    most = own.max_pairs if own.HasField("max_pairs") else None
    whole = list(_countTests(own.min_pairs, most, "pair(s)"))
    if own.ignore_empty:
        whole = [_whenNotEmpty(test) for test in whole]
    assert field.message_type is not None
    entry = field.message_type.fields_by_name
    sides = []
    for name, side in (("key", own.keys), ("value", own.values)):
        kind = side.WhichOneof("type")
        made = [] if kind in (None, "message") else scalarTests(entry[name], side, kind)
        sides.append(made)
    return whole, sides[0], sides[1]
