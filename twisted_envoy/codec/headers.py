"""
Header fields of one HTTP message, pseudo-headers included.

Names are lower-case bytes, values are bytes. A map keeps the order in which names first came; the
values of one name keep theirs.

Envoy: Http::HeaderMap
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

_empty: Callable[[type[HeaderMap]], HeaderMap] = dict.__new__  # without the call of __init__


class Further(list[bytes]):
    """
    The second and later values of a name.

    Attributes:
        places: of each: its number among all further values, and the newest name of the map then
            with its index.
    """

    __slots__ = ("places",)

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        super().__init__(values)
        self.places: list[tuple[int, int, bytes]] = []

    def again(self) -> Further:
        """Another one that says the same."""
        other = Further(self)
        other.places = self.places.copy()
        return other


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
        self.more: dict[bytes, Further] | None = None
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
            more = self.more
            if more is None:
                more = self.more = {}
            values = more.get(name)
            if values is None:
                values = more[name] = Further()
            places = values.places
            number = sum(map(len, more.values()))
            if places:
                number = max(number, places[-1][0] + 1)
            places.append((number, len(self) - 1, next(reversed(self))))
            values.append(value)
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
        """Every (name, value), further values where they came as far as that is still known."""
        if not self.more:
            yield from self.items()
            return
        behind = self._behind(self.more)
        for index, pair in enumerate(self.items()):
            yield pair
            if index in behind:
                for _, name, value in sorted(behind[index]):
                    yield name, value

    def _behind(self, more: dict[bytes, Further]) -> dict[int, list[tuple[int, bytes, bytes]]]:
        """Index of a name -> the further values that follow it: (number, name, value)."""
        indexes = {name: index for index, name in enumerate(self)}
        behind: dict[int, list[tuple[int, bytes, bytes]]] = {}
        for name, values in more.items():
            if name not in indexes:
                continue
            at = indexes[name]
            for value, (number, index, before) in zip(values, values.places, strict=True):
                found = indexes.get(before)
                if found is None or found > index:  # that one has gone, or has moved to the end
                    found = min(index, len(self)) - 1
                at = max(at, found)  # the order of one name's values holds
                behind.setdefault(at, []).append((number, name, value))
        return behind

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
        other.more = more and {name: values.again() for name, values in more.items()}
        other.cases = self.cases
        return other
