"""
Header blocks out.

No field enters the peer's table: what a field is written as then depends on nothing else, and is
kept once for all connections. A block is a join of such pieces.

RFC 7541, section 6
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.codec.h2 import huffman
from twisted_envoy.codec.h2.hpack import STATIC, Field, number

_MOST_KEPT = 2048
_LONGEST_KEPT = 256

_SECRET = frozenset((b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"))
"""Nobody on the way may put them into a table."""
_NEVER_KEPT = _SECRET | {b"x-request-id"}
"""They would only push out what comes again; not worth their Huffman code either."""

_indexOf = {field: index for index, field in reversed(tuple(enumerate(STATIC)))}
_nameIndexOf = {name: index for index, (name, _) in reversed(tuple(enumerate(STATIC)))}


class _Pieces(dict[Field, bytes]):
    """Field -> what it is written as."""

    __slots__ = ("_names", "_text")

    def __init__(self, text: Callable[[bytes], bytes]) -> None:
        self._text = text
        self._names: dict[bytes, bytes] = {}

    def __missing__(self, field: Field) -> bytes:
        name, value = field
        if name in _NEVER_KEPT:
            return self._name(name) + _plain(value)
        if field in _indexOf and value:
            piece = number(_indexOf[field], 0x7F, 0x80)
        else:
            piece = self._name(name) + self._text(value)
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
                kept += self._text(name)
            if len(self._names) >= _MOST_KEPT:
                self._names.clear()
            self._names[name] = kept
        return kept


def _plain(text: bytes) -> bytes:
    """A text as it is."""
    return number(len(text), 0x7F, 0) + text


def _short(text: bytes) -> bytes:
    """A text in Huffman's code, if that is shorter."""
    coded = huffman.encode(text)
    if len(coded) >= len(text):
        return _plain(text)
    return number(len(coded), 0x7F, 0x80) + coded


_coded = _Pieces(_short)
_uncoded = _Pieces(_plain)


def fieldWriter(coded: bool) -> Callable[[Field], bytes]:
    """
    What writes one field.

    Args:
        coded: with Huffman's code.
    """
    return (_coded if coded else _uncoded).__getitem__
