"""
Header fields of one HTTP message, pseudo-headers included.

Names are lower-case bytes, values are bytes. A map keeps the order in which names first came; the
values of one name keep theirs.

Envoy: Http::HeaderMap
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

_empty: Callable[[type[HeaderMap]], HeaderMap] = dict.__new__  # without the call of __init__


class HeaderMap(dict[bytes, bytes]):
    """
    name -> first value; what else a name has is in `more`.

    Reading is a dict's: `headers.get(b":path")`, `b"te" in headers`. Writing goes through `set`,
    `add` and `remove`, which know of further values.

    Attributes:
        more: name -> its second and later values; None while every name has one.
        cases: lower-case name -> the spelling to send, for HTTP/1.1 with preserve_case; else None.
            With forward_reason_phrase `:status` -> the reason phrase.
    """

    __slots__ = ("cases", "more")

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.more: dict[bytes, list[bytes]] | None = None
        self.cases: dict[bytes, bytes] | None = None
        if pairs:
            for name, value in pairs:
                self.add(name, value)

    def set(self, name: bytes, value: bytes) -> None:
        """The name has this value and no other; a new name goes to the end."""
        self[name] = value
        if self.more is not None:
            self.more.pop(name, None)

    def add(self, name: bytes, value: bytes) -> None:
        """One more value of the name."""
        if name in self:
            if self.more is None:
                self.more = {}
            self.more.setdefault(name, []).append(value)
        else:
            self[name] = value

    def remove(self, name: bytes) -> None:
        """The name has no value; nothing happens when it had none."""
        self.pop(name, None)
        if self.more is not None:
            self.more.pop(name, None)

    def every(self, name: bytes) -> list[bytes]:
        """All values of the name, in order."""
        first = self.get(name)
        if first is None:
            return []
        if self.more is None:
            return [first]
        return [first, *self.more.get(name, ())]

    def joined(self, name: bytes, separator: bytes = b",") -> bytes | None:
        """All values of the name in one; None when it has none."""
        if self.more is None or name not in self.more:
            return self.get(name)
        return separator.join(self.every(name))

    def pairs(self) -> Iterator[tuple[bytes, bytes]]:
        """Every (name, value); the values of one name stand together."""
        more = self.more
        if not more:
            yield from self.items()
            return
        for name, value in self.items():
            yield name, value
            for further in more.get(name, ()):
                yield name, further

    def count(self) -> int:
        """How many values there are, pseudo-headers included."""
        if not self.more:
            return len(self)
        return len(self) + sum(map(len, self.more.values()))

    def byteSize(self) -> int:
        """Bytes of all names and values."""
        return sum(len(name) + len(value) for name, value in self.pairs())

    def copy(self) -> HeaderMap:
        """Another map with the same fields."""
        other = _empty(HeaderMap)
        other.update(self)
        more = self.more
        other.more = more and {name: list(values) for name, values in more.items()}
        other.cases = self.cases
        return other
