"""
Filter state: named objects that filters leave for one another.

Follows Envoy's `StreamInfo::FilterState`: a request's state reads through to its connection's, an
object may be read-only, and an object may be shared with the upstream connection once or over
every internal hop.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from enum import IntEnum
from operator import itemgetter
from typing import NamedTuple, Protocol


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


_NONE, _TRANSITIVE = Sharing.NONE, Sharing.TRANSITIVE
_nameOf = itemgetter(0)


class FilterStateObject(Protocol):
    """What can be stored: anything that can be shown in a log."""

    def plainText(self) -> str | None:
        """What `%FILTER_STATE(key:PLAIN)%` prints; None when there is no such form."""

    def typed(self) -> object:
        """What `%FILTER_STATE(key)%` prints as JSON (str, number, bool, dict, list, None)."""

    def field(self, name: str) -> object:
        """What `%FILTER_STATE(key:FIELD:name)%` prints; None when there is no such field."""

    def hashKey(self) -> Hashable | None:
        """
        The part that it takes in an upstream pool's key; None when it takes none.

        It is always the same for one object.
        """


class SilentObject:
    """Of what only filters look at: it has no printed form and takes no part in pool keys."""

    __slots__ = ()

    def plainText(self) -> str | None:
        return None

    def typed(self) -> object:
        return None

    def field(self, name: str) -> object:
        return None

    def hashKey(self) -> Hashable | None:
        return None


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


class Entry(NamedTuple):
    """One object and the rules that it was stored with."""

    value: FilterStateObject
    readOnly: bool = False
    lifeSpan: LifeSpan = LifeSpan.CONNECTION
    sharing: Sharing = Sharing.NONE


class Shared(Collection[tuple[str, Entry]]):
    """
    What an upstream connection is given: (name, entry) of each object, in any order.

    Args:
        entries: by name; never changed.
        allGoOn: it is known that every one is TRANSITIVE.
    """

    __slots__ = ("_allGoOn", "_key", "_onward", "entries")

    def __init__(self, entries: dict[str, Entry], allGoOn: bool = False) -> None:
        self.entries = entries
        self._allGoOn = allGoOn
        self._key: Hashable | None = None
        self._onward: Collection[tuple[str, Entry]] | None = None

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(self.entries.items())

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, pair: object) -> bool:
        return any(pair == one for one in self.entries.items())

    def hashKey(self) -> Hashable:
        """What separates pools: the objects that can be hashed, in the order of names."""
        key = self._key
        if key is None:
            pairs = [(name, entry[0].hashKey()) for name, entry in self.entries.items()]
            pairs = [pair for pair in pairs if pair[1] is not None]
            if len(pairs) > 1:
                pairs.sort(key=_nameOf)
            key = self._key = tuple(pairs)
        return key

    @property
    def onward(self) -> Collection[tuple[str, Entry]]:
        """What the connection that gets this shares in turn; itself where nothing stops."""
        if self._allGoOn:
            return self
        found = self._onward
        if found is None:
            goes = {n: entry for n, entry in self.entries.items() if entry[3] is _TRANSITIVE}
            self._allGoOn = len(goes) == len(self.entries)
            if self._allGoOn:
                return self
            found = self._onward = Shared(goes, True) if goes else ()
        return found


class FilterState:
    """
    Objects by name, reading through to a parent of a longer life.

    Args:
        parent: the connection's state for a request's; None for a connection's.
        lifeSpan: what an object gets that is stored here without a word about it.
        given: what is adopted at once.
    """

    __slots__ = ("_entries", "_given", "_out", "_shared", "_stopping", "lifeSpan", "parent")

    def __init__(
        self,
        parent: FilterState | None = None,
        lifeSpan: LifeSpan = LifeSpan.CONNECTION,
        given: Shared | None = None,
    ) -> None:
        # _given's own while there is one
        self._entries: dict[str, Entry] = {} if given is None else given.entries
        self._given = given  # adopted, and nothing was stored since
        self._out: dict[str, Entry] | None = None  # of _entries what is shared; _shared has it too
        self._shared: Collection[tuple[str, Entry]] | None = None  # made of _out; None: not yet
        self._stopping = False  # not all of _out goes on behind the next hop
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
            False, with nothing changed, when there is already a read-only object of that name, or
            one of another life span: a request cannot replace or hide what its connection has
            (Envoy logs and goes on too).
        """
        span = self.lifeSpan if lifeSpan is None else lifeSpan
        present = self._entries.get(name)
        parent = self.parent
        if parent is not None:
            if span > self.lifeSpan:
                if present is not None:
                    return False
                return parent.set(name, value, readOnly=readOnly, sharing=sharing, lifeSpan=span)
            if parent.entry(name) is not None:
                return False
        if present is not None and present.readOnly:
            return False
        if self._given is not None:
            self._takeOver(self._given)
        entry = self._entries[name] = Entry(value, readOnly, span, sharing)
        if sharing is not _NONE:
            self._changedOut()[name] = entry
            if sharing is not _TRANSITIVE:
                self._stopping = True
        elif self._out and name in self._out:
            del self._changedOut()[name]
        return True

    @property
    def isEmpty(self) -> bool:
        """Nothing is here, nor in a parent."""
        return not self._entries and (self.parent is None or self.parent.isEmpty)

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

    def shared(self) -> Collection[tuple[str, Entry]]:
        """
        What an upstream connection is given.

        Returns:
            (name, entry) of every object shared ONCE or TRANSITIVE, in any order; a ONCE object
            that was adopted is not among them.
        """
        parent = self.parent
        if parent is None:
            return self._ownShared()
        above = parent.shared()
        own = self._entries
        if not own:
            return above
        mine = self._ownShared()
        if not above:
            return mine
        found = {name: entry for name, entry in above if name not in own}
        found.update(mine)
        return Shared(found) if found else ()

    def _ownShared(self) -> Collection[tuple[str, Entry]]:
        if self._given is not None:
            return self._given.onward
        found = self._shared
        if found is None:
            out = self._out
            found = self._shared = Shared(out, not self._stopping) if out else ()
        return found

    def _changedOut(self) -> dict[str, Entry]:
        """What is shared, to be changed: not what was given away."""
        out = self._out
        if out is None:
            out = self._out = {}
        elif self._shared:
            out = self._out = out.copy()
        self._shared = None
        return out

    def _takeOver(self, given: Shared) -> None:
        """Have what was adopted as one's own, to change it."""
        self._given = None
        self._entries = given.entries.copy()
        self._out = dict(given.onward)
        self._shared = None

    def adopt(self, shared: Collection[tuple[str, Entry]]) -> None:
        """
        Take over, by reference, what a downstream hop shared.

        A TRANSITIVE object stays shared and goes on to the next hop; a ONCE object stops here.
        """
        if not isinstance(shared, Shared):
            shared = Shared(dict(shared))
        if not self._entries:
            self._entries = shared.entries
            self._given = shared
            return
        before = dict(self._ownShared())
        self._entries = {**self._entries, **shared.entries}
        self._out = {name: entry for name, entry in before.items() if name not in shared.entries}
        self._out.update(shared.onward)
        self._given = self._shared = None


_CONNECTION = LifeSpan.CONNECTION


def adopted(shared: Collection[tuple[str, Entry]]) -> FilterState:
    """The state of a new connection that adopts what a downstream hop shared."""
    if shared.__class__ is not Shared:
        shared = Shared(dict(shared))
    return FilterState(None, _CONNECTION, shared)
