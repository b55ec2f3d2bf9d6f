"""
Header blocks in: one connection's dynamic table.

RFC 7541, sections 2.3, 3.2, 4 and 6
"""

from __future__ import annotations

from twisted_envoy.codec.h2 import huffman
from twisted_envoy.codec.h2.failures import TOO_MANY_HEADERS, ConnectionFailure
from twisted_envoy.codec.h2.frames import COMPRESSION_ERROR, ENHANCE_YOUR_CALM
from twisted_envoy.codec.h2.hpack import ENTRY_BYTES, FIRST_DYNAMIC, STATIC, Field, readNumber

_FIRST_SIZE = 4096


class Decoder:
    """
    Reads the blocks of one connection, each once and in order.

    Args:
        mostBytes: of the fields of one block, with 32 for each.

    Attributes:
        allowed: bytes that the peer may make the table as large as.
        refers: the last block had a field of the table.
        entered: what the last block has put into the table.
        resized: the last block has changed the size of the table.
        later: what blocks that were not decoded put into the table, in order; a block that is
            decoded sees it. What cannot be in the table any more is let go of.
    """

    __slots__ = (
        *("_entries", "_mostBytes", "_mostLater", "_size", "_used", "allowed", "entered", "later"),
        *("refers", "resized"),
    )

    def __init__(self, allowed: int, mostBytes: int) -> None:
        self.allowed = allowed
        self.refers = False
        self.resized = False
        self.entered: list[Field] = []
        self.later: list[list[Field]] = []
        self._mostLater = 2 * (allowed // ENTRY_BYTES + 1)
        self._mostBytes = mostBytes
        self._entries: list[Field] = []
        self._size = _FIRST_SIZE
        self._used = 0

    @property
    def mustShrink(self) -> bool:
        """The next block has to begin with a smaller size of the table."""
        return self._size > self.allowed

    def enterLater(self, fields: list[Field]) -> None:
        """A block that is not decoded, as it is known, puts these into the table."""
        later = self.later
        later.append(fields)
        if len(later) > self._mostLater:
            del later[: len(later) // 2]

    def decode(self, block: bytes) -> list[Field]:
        """
        The fields of a block.

        Raises:
            ConnectionFailure: it is malformed, or its fields are too long.
        """
        self.refers = self.resized = False
        self.entered = []
        if self.later:
            for entered in self.later:
                for field in entered:
                    self._enter(field)
            self.later.clear()
        try:
            position = self._resize(block)
            fields = self._read(block, position)
        except IndexError as error:
            raise ConnectionFailure(COMPRESSION_ERROR) from error
        if len(block) * 2 + len(fields) * (ENTRY_BYTES + self._size) > self._mostBytes:
            size = sum(len(name) + len(value) for name, value in fields)
            if size + ENTRY_BYTES * len(fields) > self._mostBytes:
                raise ConnectionFailure(ENHANCE_YOUR_CALM, TOO_MANY_HEADERS)
        return fields

    def _resize(self, block: bytes) -> int:
        """Obey the updates of the table's size that a block begins with; where they end."""
        position = 0
        end = len(block)
        while position < end and block[position] & 0xE0 == 0x20:
            size, position = readNumber(block, position, 0x1F)
            if size > self.allowed:
                raise ConnectionFailure(COMPRESSION_ERROR)
            self._size = size
            self.resized = True
            self._evict()
        if self._size > self.allowed:
            raise ConnectionFailure(COMPRESSION_ERROR)  # it knows that it had to shrink it
        return position

    def _read(self, block: bytes, position: int) -> list[Field]:
        fields: list[Field] = []
        entries = self._entries
        end = len(block)
        while position < end:
            first = block[position]
            if first >= 0x80:
                index = first - 0x80
                position += 1
                if index == 0x7F:
                    index, position = readNumber(block, position - 1, 0x7F)
                if index >= FIRST_DYNAMIC:
                    self.refers = True
                    fields.append(entries[FIRST_DYNAMIC - 1 - index])
                elif index:
                    fields.append(STATIC[index])
                else:
                    raise ConnectionFailure(COMPRESSION_ERROR)
                continue
            mask = 0x3F if first >= 0x40 else 0x0F
            index = first & mask
            position += 1
            if index == mask:
                index, position = readNumber(block, position - 1, mask)
            if index >= FIRST_DYNAMIC:
                self.refers = True
                name = entries[FIRST_DYNAMIC - 1 - index][0]
            elif index:
                name = STATIC[index][0]
            else:
                name, position = _text(block, position)
            value, position = _text(block, position)
            field = (name, value)
            fields.append(field)
            if first >= 0x40:
                self.entered.append(field)
                self._enter(field)
            elif first >= 0x20:
                raise ConnectionFailure(COMPRESSION_ERROR)  # an update behind a field
        return fields

    def _enter(self, field: Field) -> None:
        self._entries.append(field)
        self._used += len(field[0]) + len(field[1]) + ENTRY_BYTES
        if self._used > self._size:
            self._evict()

    def _evict(self) -> None:
        """Let the oldest go until the others fit."""
        entries = self._entries
        while self._used > self._size:
            name, value = entries.pop(0)
            self._used -= len(name) + len(value) + ENTRY_BYTES


def _text(block: bytes, position: int) -> tuple[bytes, int]:
    """A string, and where it ends."""
    first = block[position]
    size = first & 0x7F
    position += 1
    if size == 0x7F:
        size, position = readNumber(block, position - 1, 0x7F)
    stop = position + size
    if stop > len(block):
        raise ConnectionFailure(COMPRESSION_ERROR)
    text = block[position:stop]
    return (huffman.decode(text) if first >= 0x80 else text), stop
