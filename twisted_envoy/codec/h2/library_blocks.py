"""
Of the library's core: header blocks and what they mean, kept so that the same is not worked out
again. Our own core has nothing to do with it; see `lean` and `hpack_decoder`.

    a block that                       means the same             is kept
    has indexes only                   until the table changes    until then
    does not refer to what the peer    for ever; what it puts     for good
    has put into the table             there itself is put again

Fields that are never twice the same do not enter our own table.

RFC 7541, sections 2.3 and 6
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted_envoy.codec.h2.hpack import FIRST_DYNAMIC, number, readNumber

Pairs = Sequence[tuple[bytes, bytes]]

_MOST_KEPT = 64
_LONGEST_KEPT = 256
_INDEXES = bytes(range(0x81, 0xFF))

VOLATILE = frozenset((b"x-request-id", b"x-envoy-upstream-service-time"))
"""In the table they would only push out what comes again."""


class Blocks:
    """
    Of one connection of the library's, both ways.

    Args:
        decoder, encoder: the library's.

    Attributes:
        decoded: block -> fields, of indexes alone; encoded: fields -> block, the same. Whoever
            changes a table otherwise clears them.
    """

    __slots__ = ("_decoder", "_encoder", "_free", "decoded", "encoded")

    def __init__(self, decoder: Any, encoder: Any) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self.decoded: dict[bytes, Pairs] = {}
        self.encoded: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}
        self._free: dict[bytes, tuple[Pairs, Pairs]] = {}

    def decode(self, block: bytes) -> Pairs:
        """
        What a block means; it is not in `decoded`.

        Raises:
            HPACKError, ValueError, IndexError, TypeError, ConnectionFailure: nothing.
        """
        free = self._free.get(block)
        if free is None:
            return self._decodeNew(block)
        fields, entered = free
        if entered:
            self.decoded.clear()
            add = self._decoder.header_table.add
            for name, value in entered:
                add(name, value)
        return fields

    def _decodeNew(self, block: bytes) -> Pairs:
        fields: Pairs = list(self._decoder.decode(block, raw=True))
        decoded = self.decoded
        if block.translate(None, _INDEXES) or len(decoded) >= _MOST_KEPT:
            decoded.clear()
            self._keepFree(block, fields)
        elif len(block) <= _LONGEST_KEPT:
            decoded[block] = fields
        return fields

    def _keepFree(self, block: bytes, fields: Pairs) -> None:
        flags = entering(block) if len(block) <= _LONGEST_KEPT else None
        if flags is not None:
            free = self._free
            if len(free) >= _MOST_KEPT:
                free.clear()
            entered = [field for field, enters in zip(fields, flags, strict=True) if enters]
            free[block] = (fields, entered)

    def encode(self, fields: tuple[tuple[bytes, bytes], ...]) -> bytes:
        """The block of fields that are not in `encoded`."""
        for index, (name, value) in enumerate(fields):
            if name in VOLATILE:
                before = self._encodeStable(fields[:index])
                return before + literal(name, value) + self.encode(fields[index + 1 :])
        return self._encodeStable(fields)

    def _encodeStable(self, fields: tuple[tuple[bytes, bytes], ...]) -> bytes:
        encoded = self.encoded
        kept = encoded.get(fields)
        if kept is not None:
            return kept
        block = bytes(self._encoder.encode(fields))
        if block.translate(None, _INDEXES) or len(encoded) >= _MOST_KEPT:
            encoded.clear()
        else:
            encoded[fields] = block
        return block


def literal(name: bytes, value: bytes) -> bytes:
    """A field that does not enter the table."""
    return b"\0%b%b%b%b" % (number(len(name), 0x7F, 0), name, number(len(value), 0x7F, 0), value)


def entering(block: bytes) -> list[bool] | None:
    """
    Which fields of a block enter the table.

    Args:
        block: one that could be decoded.
    Raises:
        ConnectionFailure: a number is too large.
    Returns:
        One flag a field; None for a block that refers to the dynamic table, or resizes it.
    """
    flags = []
    position = 0
    end = len(block)
    while position < end:
        first = block[position]
        if first & 0x80:
            index, position = readNumber(block, position, 0x7F)
            literals = 0
        elif first & 0x20 and not first & 0x40:
            return None
        else:
            index, position = readNumber(block, position, 0x3F if first & 0x40 else 0x0F)
            literals = 1 if index else 2
        if index >= FIRST_DYNAMIC:
            return None
        for _ in range(literals):
            size, position = readNumber(block, position, 0x7F)
            position += size
        flags.append(literals > 0 and first & 0x40 > 0)
    return flags
