"""
Filter state: named objects that filters leave for one another.

Follows Envoy's `StreamInfo::FilterState`: a request's state reads through to its connection's, an
object may be read-only, and an object may be shared with the upstream connection once or over
every internal hop.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class LifeSpan(IntEnum):
    """How long an object lives: the shortest first, as in Envoy."""

    FILTER_CHAIN = 0
    REQUEST = 1
    CONNECTION = 2


class Sharing(IntEnum):
    """Whether an object goes along to the upstream connection."""

    NONE = 0
    ONCE = 1
    TRANSITIVE = 2


class FilterStateObject(Protocol):
    """What can be stored: anything that can be shown in a log."""

    def plainText(self) -> str | None:
        """What `%FILTER_STATE(key:PLAIN)%` prints; None when there is no such form."""

    def typed(self) -> object:
        """What `%FILTER_STATE(key)%` prints as JSON (str, number, bool, dict, list, None)."""

    def field(self, name: str) -> object:
        """What `%FILTER_STATE(key:FIELD:name)%` prints; None when there is no such field."""

    def hashKey(self) -> Hashable | None:
        """The part that it takes in an upstream pool's key; None when it takes none."""


class StringObject:
    """`envoy.string`: a text that takes no part in pool keys."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def plainText(self) -> str | None:
        return self.value

    def typed(self) -> object:
        return self.value

    def field(self, name: str) -> object:
        return None

    def hashKey(self) -> Hashable | None:
        return None


class HashableStringObject(StringObject):
    """`envoy.hashable_string`: a text that upstream connections are pooled by."""

    __slots__ = ()

    def hashKey(self) -> Hashable | None:
        return self.value


class BoolObject(StringObject):
    """`envoy.bool`: printed as `true` or `false`."""

    __slots__ = ("flag",)

    def __init__(self, flag: bool) -> None:
        super().__init__("true" if flag else "false")
        self.flag = flag

    def typed(self) -> object:
        return self.flag


class Uint64Object(StringObject):
    """`envoy.uint64`: a number from 0 to 2**64 - 1."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number

    def typed(self) -> object:
        return self.number


@dataclass(frozen=True, slots=True)
class Entry:
    """One object and the rules that it was stored with."""

    value: FilterStateObject
    readOnly: bool = False
    lifeSpan: LifeSpan = LifeSpan.CONNECTION
    sharing: Sharing = Sharing.NONE


class FilterState:
    """
    Objects by name, reading through to a parent of a longer life.

    Args:
        parent: the connection's state for a request's; None for a connection's.
        lifeSpan: what an object gets that is stored here without a word about it.
    """

    __slots__ = ("_entries", "lifeSpan", "parent")

    def __init__(
        self, parent: FilterState | None = None, lifeSpan: LifeSpan = LifeSpan.CONNECTION
    ) -> None:
        self._entries: dict[str, Entry] = {}
        self.parent = parent
        self.lifeSpan = lifeSpan

    def set(
        self,
        name: str,
        value: FilterStateObject,
        *,
        readOnly: bool = False,
        sharing: Sharing = Sharing.NONE,
        lifeSpan: LifeSpan | None = None,
    ) -> bool:
        """
        Store an object.

        Returns:
            False, with nothing changed, when a read-only object of that name is there already
            (Envoy logs and goes on too).
        """
        span = self.lifeSpan if lifeSpan is None else lifeSpan
        if span > self.lifeSpan and self.parent is not None:
            return self.parent.set(name, value, readOnly=readOnly, sharing=sharing, lifeSpan=span)
        present = self.entry(name)
        if present is not None and present.readOnly:
            return False
        self._entries[name] = Entry(value, readOnly, span, sharing)
        return True

    def get(self, name: str) -> FilterStateObject | None:
        """The object of that name here or in a parent; None when there is none."""
        entry = self.entry(name)
        return None if entry is None else entry.value

    def entry(self, name: str) -> Entry | None:
        """The object of that name with its rules."""
        state: FilterState | None = self
        while state is not None:
            entry = state._entries.get(name)
            if entry is not None:
                return entry
            state = state.parent
        return None

    def names(self) -> Iterator[str]:
        """All names, a parent's after one's own, each once."""
        seen: set[str] = set()
        state: FilterState | None = self
        while state is not None:
            for name in state._entries:
                if name not in seen:
                    seen.add(name)
                    yield name
            state = state.parent

    def shared(self) -> tuple[tuple[str, Entry], ...]:
        """
        What an upstream connection is given, sorted by name.

        Returns:
            (name, entry) of every object shared ONCE or TRANSITIVE.
        """
        state: FilterState | None = self
        while state is not None and not state._entries:
            state = state.parent
        if state is None:
            return ()
        found = []
        for name in self.names():
            entry = self.entry(name)
            if entry is not None and entry.sharing is not Sharing.NONE:
                found.append((name, entry))
        return tuple(sorted(found, key=lambda pair: pair[0]))

    def adopt(self, shared: tuple[tuple[str, Entry], ...]) -> None:
        """
        Take over, by reference, what a downstream hop shared.

        A TRANSITIVE object stays shared and goes on to the next hop; a ONCE object stops here.
        """
        for name, entry in shared:
            transitive = entry.sharing is Sharing.TRANSITIVE
            kept = Sharing.TRANSITIVE if transitive else Sharing.NONE
            self._entries[name] = Entry(entry.value, entry.readOnly, LifeSpan.CONNECTION, kept)
