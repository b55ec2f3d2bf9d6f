"""Python values as compact JSON text, as Envoy's logs print them: keys sorted, no blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from math import isfinite

_encode = encode_basestring
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


def jsonText(value: object) -> str:
    """
    JSON of a str, bool, int, float, None, and of mappings and sequences of these.

    A whole float prints as a whole number; what JSON has no form for prints as text.
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


def _floatText(number: float) -> str:
    if not isfinite(number):
        return _encode("NaN" if number != number else "Infinity" if number > 0 else "-Infinity")
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return repr(number)
