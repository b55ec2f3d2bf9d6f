"""Python values as compact JSON text, as Envoy's logs print them: keys sorted, no blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from math import isfinite

_encode = encode_basestring
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


def jsonText(value: object) -> str:
    """
    JSON of a str, bool, int, float, None, and of mappings and sequences of these.

    A float prints as C++'s shortest form, `1e+05` for 100000.0, and what is no number as `null`, or
    as `inf`, which is no JSON; what JSON has no form for prints as text.
    """
    if isinstance(value, str):
        return _encode(value) if value.isascii() else _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _floatText(value)
    if isinstance(value, Mapping):
        members = sorted((str(key), member) for key, member in value.items())
        return "{" + ",".join(f"{_encode(key)}:{jsonText(member)}" for key, member in members) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ",".join(map(jsonText, value)) + "]"
    return _encode(str(value))


def _quoted(text: str) -> str:
    """A string in quotes; of one that is no UTF-8 each odd byte is one character, as in Envoy."""
    try:
        text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogateescape")
        plain = (chr(byte) if byte in _PLAIN else f"\\u{byte:04x}" for byte in data)
        return f'"{"".join(plain)}"'
    return _encode(text)


def plainText(value: object) -> str | None:
    """The same as text: a string without quotes, None as None."""
    if value is None or isinstance(value, str):
        return value
    return jsonText(value)


def doubles(value: object) -> object:
    """The same with every number as a double, which all numbers of a Struct are."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, Mapping):
        return {key: doubles(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [doubles(member) for member in value]
    return value


def _floatText(number: float) -> str:
    """The shorter one of what `%f` and `%e` would print with as few digits as tell the number."""
    if not isfinite(number):
        return "null" if number != number else "inf" if number > 0 else "-inf"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    power = len(text) - 1 + exponent
    tail = f".{text[1:]}" if len(text) > 1 else ""
    scientific = f"{text[0]}{tail}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if exponent >= 0:
        plain = str(abs(int(number)))
    else:
        plain = f"{abs(Decimal(repr(number))).normalize():f}"
    return ("-" if sign else "") + (plain if len(plain) <= len(scientific) else scientific)
