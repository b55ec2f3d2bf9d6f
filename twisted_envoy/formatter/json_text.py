"""Python values as compact JSON text, as Envoy's logs print them: keys sorted, no blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from math import isfinite

_encode = encode_basestring


def jsonText(value: object) -> str:
    """
    JSON of a str, bool, int, float, None, and of mappings and sequences of these.

    A whole float prints as a whole number; what JSON has no form for prints as text.
    """
    if isinstance(value, str):
        return _encode(value)
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
