"""
Which encoding of a response a client gets, by its accept-encoding.

Envoy: CompressorFilter::chooseEncoding
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

_IDENTITY = b"identity"
_ANY = b"*"
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\Z", re.IGNORECASE)


class Verdict(Enum):
    """Why an encoding was chosen."""

    NOT_VALID = 0
    IDENTITY = 1
    WILDCARD = 2
    VALID = 3


class Choice(NamedTuple):
    """What was chosen; b"identity" for no compression."""

    encoding: bytes
    verdict: Verdict


_NOT_VALID = Choice(_IDENTITY, Verdict.NOT_VALID)


def chooseEncoding(accepted: bytes, offers: Iterable[tuple[bytes, bool]]) -> Choice:
    """
    Choose.

    Args:
        accepted: the value of accept-encoding.
        offers: encodings in their order, and whether that one goes before what a client likes as
            much; of two for one encoding the first counts.
    """
    offered: dict[bytes, bool] = {}
    for encoding, isFirst in offers:
        offered.setdefault(encoding, isFirst)
    wanted = list(_wanted(accepted))
    for name, quality in wanted:
        if not quality:
            offered.pop(name, None)
    if not wanted or not offered:
        return _NOT_VALID
    best, bestQuality = _IDENTITY, 0.0
    for name, quality in wanted:
        if name in offered or name in (_IDENTITY, _ANY):
            if quality > bestQuality or (quality == bestQuality and offered.get(name, False)):
                best, bestQuality = name, quality
    if not bestQuality:
        return _NOT_VALID
    if best == _IDENTITY:
        return Choice(best, Verdict.IDENTITY)
    if best == _ANY:
        return Choice(next(iter(offered)), Verdict.WILDCARD)
    return Choice(best, Verdict.VALID)


def _wanted(accepted: bytes) -> Iterator[tuple[bytes, float]]:
    """Names with their q; those whose q is no number are left out, as in Envoy."""
    for item in accepted.split(b","):
        if not item:
            continue
        name, _, parameter = item.partition(b";")
        key, equals, value = parameter.partition(b"=")
        quality = 1.0
        if equals and key.strip().lower() == b"q":
            if not _NUMBER.match(value.strip()):
                continue
            quality = float(value)
        yield name.strip(), quality
