"""
Header blocks out.

    a field                                   is written as
    of the static table                       its number
    that came before on this connection       its number, once it was entered the second time
    that rarely comes again                   a literal
    that is secret                            a literal that nobody on the way may enter

The table is filled once, so that numbers stay what they are: in the long run a block is a join of
pieces that are kept. When too much of what comes again has no room it is filled anew; what was
there before is the first that the peer lets go. Literals are kept once for all connections.

RFC 7541, sections 4.2 and 6
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted_envoy.codec.h2 import huffman
from twisted_envoy.codec.h2.hpack import ENTRY_BYTES, STATIC, Field, number

_MOST_TABLE = 4096
_MOST_KEPT = 2048
_MOST_OWN = 256
_LONGEST_KEPT = 256
_MOST_LACKING = 1000

_SECRET = frozenset((b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"))
"""Nobody on the way may put them into a table."""
_NEVER_KEPT = _SECRET.union(
    b"x-request-id traceparent x-b3-traceid x-b3-spanid x-b3-parentspanid b3 uber-trace-id "
    b"x-amzn-trace-id x-cloud-trace-context x-datadog-trace-id x-datadog-parent-id".split()
)
"""They would only push out what comes again; not worth their Huffman code either."""
_CHANGING = frozenset(
    b":path age content-range etag expires if-modified-since if-none-match last-modified "
    b"location".split()
)
"""Their values are many, and seldom come again soon."""

_indexOf = {field: index for index, field in reversed(tuple(enumerate(STATIC)))}
_nameIndexOf = {name: index for index, (name, _) in reversed(tuple(enumerate(STATIC)))}


class _Literals(dict[Field, bytes]):
    """Field -> what it is written as without a table of ours."""

    __slots__ = ("_names", "text")

    def __init__(self, text: Callable[[bytes], bytes]) -> None:
        self.text = text
        self._names: dict[bytes, bytes] = {}

    def __missing__(self, field: Field) -> bytes:
        name, value = field
        if name in _NEVER_KEPT:
            return self._name(name) + _plain(value)
        if field in _indexOf and value:
            piece = number(_indexOf[field], 0x7F, 0x80)
        else:
            piece = self._name(name) + self.text(value)
        if len(piece) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[field] = piece
        return piece

    def _name(self, name: bytes) -> bytes:
        """The beginning of a literal field."""
        kept = self._names.get(name)
        if kept is None:
            kind = 0x10 if name in _SECRET else 0
            index = _nameIndexOf.get(name, 0)
            kept = number(index, 0x0F, kind)
            if not index:
                kept += self.text(name)
            if len(self._names) >= _MOST_KEPT:
                self._names.clear()
            self._names[name] = kept
        return kept

    def entering(self, field: Field) -> bytes:
        """The field as a literal that enters the table."""
        name, value = field
        index = _nameIndexOf.get(name, 0)
        piece = number(index, 0x3F, 0x40)
        if not index:
            piece += self.text(name)
        return piece + self.text(value)


def _plain(text: bytes) -> bytes:
    """A text as it is."""
    return number(len(text), 0x7F, 0) + text


def _short(text: bytes) -> bytes:
    """A text in Huffman's code, if that is shorter."""
    coded = huffman.encode(text)
    if len(coded) >= len(text):
        return _plain(text)
    return number(len(coded), 0x7F, 0x80) + coded


_coded = _Literals(_short)
_uncoded = _Literals(_plain)


class _Pieces(dict[Field, bytes]):
    """
    Field -> what one connection writes it as now.

    Attributes:
        room: bytes that are left in the table; lacking: how often there were not enough.
        wanted: fields of this block that are to enter it.
    """

    __slots__ = ("_literals", "_seen", "lacking", "room", "wanted")

    def __init__(self, literals: _Literals, room: int) -> None:
        self._literals = literals
        self._seen: set[Field] = set()
        self.room = room
        self.lacking = 0
        self.wanted: set[Field] = set()

    def __missing__(self, field: Field) -> bytes:
        piece = self._literals[field]
        name, value = field
        if name in _NEVER_KEPT:
            return piece
        if name in _CHANGING or len(piece) < 2:
            if len(self) < _MOST_OWN:
                self[field] = piece
        elif field in self._seen:
            if len(name) + len(value) + ENTRY_BYTES <= self.room:
                self.wanted.add(field)
            else:
                self.lacking += 1
        else:
            if len(self._seen) >= _MOST_OWN:
                self._seen.clear()
            self._seen.add(field)
        return piece


class Encoder:
    """
    Of one connection; what it returns must be sent, in this order.

    Args:
        coded: with Huffman's code.
        most: bytes of the table; never more than HPACK begins with.

    Attributes:
        changes: counts how often fields were to be written in another way than before.
    """

    __slots__ = (
        *("_count", "_literals", "_most", "_numbers", "_pieces", "_size", "_smallest"),
        "changes",
    )

    def __init__(self, coded: bool, most: int) -> None:
        self._literals = _coded if coded else _uncoded
        self._most = min(most, _MOST_TABLE)
        self._size = _MOST_TABLE
        self._smallest = -1
        self.changes = 0
        self._begin(self._most)

    def _begin(self, room: int) -> None:
        """With nothing in the table, as far as we know."""
        self._pieces = _Pieces(self._literals, room)
        self._numbers: dict[Field, int] = {}
        self._count = 0
        self.changes += 1

    def encode(self, fields: Iterable[Field]) -> bytes:
        """The block of fields, which may be iterated twice."""
        pieces = self._pieces
        block = b"".join(map(pieces.__getitem__, fields))
        if pieces.wanted:
            block = self._enter(fields)
        elif pieces.lacking > _MOST_LACKING:
            self._begin(min(self._size, self._most))
        if self._smallest >= 0:
            block = self._update() + block
        return block

    def _enter(self, fields: Iterable[Field]) -> bytes:
        """The same block again, with new entries."""
        self.changes += 1
        pieces, numbers = self._pieces, self._numbers
        wanted, pieces.wanted = pieces.wanted, set()
        written = []
        for field in fields:
            size = len(field[0]) + len(field[1]) + ENTRY_BYTES
            if field in numbers:
                written.append(self._numberOf(field))
            elif field in wanted and size <= pieces.room:
                written.append(self._literals.entering(field))
                pieces.room -= size
                numbers[field] = self._count
                self._count += 1
            else:
                written.append(pieces[field])
        pieces.wanted.clear()
        for field in numbers:
            pieces[field] = self._numberOf(field)
        return b"".join(written)

    def _numberOf(self, field: Field) -> bytes:
        """The newest entry is the first one behind the static table."""
        return number(len(STATIC) - 1 + self._count - self._numbers[field], 0x7F, 0x80)

    def resize(self, size: int) -> None:
        """The peer's table may be so large; it hears of a change with the next block."""
        size = min(size, _MOST_TABLE)
        if size != self._size:
            self._smallest = size if self._smallest < 0 else min(size, self._smallest)
            self._size = size
            self._begin(min(size, self._most))

    def _update(self) -> bytes:
        told = number(self._smallest, 0x1F, 0x20)
        if self._size != self._smallest:
            told += number(self._size, 0x1F, 0x20)
        self._smallest = -1
        return told
