"""XXH64: the hash that Envoy's hash policies and rings are made with."""

from __future__ import annotations

import struct

_MASK = (1 << 64) - 1
_P1 = 0x9E3779B185EBCA87
_P2 = 0xC2B2AE3D27D4EB4F
_P3 = 0x165667B19E3779F9
_P4 = 0x85EBCA77C2B2AE63
_P5 = 0x27D4EB2F165667C5


def xxHash64(data: bytes, seed: int = 0) -> int:
    """The hash of data, 0 to 2**64 - 1."""
    length = len(data)
    at = 0
    if length >= 32:
        at = length & ~31
        value = _stripes(data, at, seed)
    else:
        value = _P5 + seed
    value = (value + length) & _MASK
    while at + 8 <= length:
        value ^= _round(0, int.from_bytes(data[at : at + 8], "little"))
        value = (_rotated(value, 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= length:
        value ^= int.from_bytes(data[at : at + 4], "little") * _P1 & _MASK
        value = (_rotated(value, 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        value ^= byte * _P5 & _MASK
        value = _rotated(value, 11) * _P1 & _MASK
    value = (value ^ value >> 33) * _P2 & _MASK
    value = (value ^ value >> 29) * _P3 & _MASK
    return value ^ value >> 32


def _stripes(data: bytes, end: int, seed: int) -> int:
    one, two = (seed + _P1 + _P2) & _MASK, (seed + _P2) & _MASK
    three, four = seed, (seed - _P1) & _MASK
    for first, second, third, fourth in struct.iter_unpack("<4Q", data[:end]):
        one, two = _round(one, first), _round(two, second)
        three, four = _round(three, third), _round(four, fourth)
    value = _rotated(one, 1) + _rotated(two, 7) + _rotated(three, 12) + _rotated(four, 18)
    for lane in (one, two, three, four):
        value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK
    return value


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & _MASK
