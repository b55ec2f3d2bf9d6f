"""
hits_addend: for how many hits a request counts.

Envoy: config.route.v3.RateLimit.HitsAddend
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import compileCommand
from twisted_envoy.formatter.parser import FormatError, parse
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext

Hits = Callable[[RequestInfo], "int | None"]
"""None where a request has no such number, and so no descriptor."""

_MOST = 1_000_000_000
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?\Z", re.IGNORECASE)
_HEX = re.compile(r"[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?\Z", re.IGNORECASE)
_NO_NUMBER = re.compile(r"[+-]?nan(?:\([0-9a-z_]*\))?\Z", re.IGNORECASE)
_BLANKS = " \t\r\n\f\v"
_UNCLEAR = "hits_addend must contain either a format or a number"


def buildHits(view: Any, context: Any) -> tuple[Hits, bool]:
    """
    Read a HitsAddend.

    Returns:
        the hits, and whether they are given back instead of taken.
    Raises:
        ConfigError: in Envoy's words.
    """
    givesBack: bool = view.is_negative_hits
    number: int | None = view.number
    if bool(view.format) is (number is not None):
        raise view.error(_UNCLEAR)
    if number is not None:
        fixed = number
        return lambda info: fixed, givesBack
    return _formatted(view, context), givesBack


def _formatted(view: Any, context: Any) -> Hits:
    try:
        found = parse(view.format)
        if len(found) != 1:
            raise view.error("hits_addend format must contain exactly one substitution", "format")
        part = found[0]
        if isinstance(part, str):
            literal = hitsOf(part)
            return lambda info: literal
        value = compileCommand(part, BUILT_IN).value
    except FormatError as problem:
        raise view.error(str(problem), "format") from None
    seconds = context.reactor.seconds
    return lambda info: hitsOf(value(FormatContext(info, now=seconds())))


def hitsOf(value: object) -> int | None:
    """
    The whole number in a value, a text as C's strtod reads it.

    Returns:
        None for what is no number, and for what is negative or too much.
    """
    if isinstance(value, str):
        return _parsed(value.strip(_BLANKS))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return _bounded(value)


def _parsed(text: str) -> int | None:
    if _NO_NUMBER.match(text):
        return 0  # as Envoy takes it
    try:
        if _DECIMAL.match(text):
            return _bounded(float(text))
        return _bounded(float.fromhex(text)) if _HEX.match(text) else None
    except OverflowError:
        return None


def _bounded(value: float) -> int | None:
    return int(value) if 0 <= value <= _MOST else None
