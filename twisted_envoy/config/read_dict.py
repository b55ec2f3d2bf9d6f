"""Dicts that know which of their keys somebody has read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class ReadDict(dict[str, Any]):
    """
    A dict that notes what is read of it, and of the dicts below.

    Asking for a key reads that key; whatever goes over all keys (a copy, a comparison, `**`) reads
    all of them. Its length reads nothing.
    """

    __slots__ = ("_read",)

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__({key: _tracking(value) for key, value in values.items()})
        self._read: set[str] = set()

    def unread(self) -> Iterator[tuple[str | int, ...]]:
        """The ways to all that was not read: keys, and places in lists."""
        for key, value in super().items():
            if key not in self._read:
                yield (key,)
            else:
                for way in _unreadBelow(value):
                    yield (key, *way)

    def _readAll(self) -> None:
        self._read.update(super().keys())
        for value in super().values():
            _readBelow(value)

    def __getitem__(self, key: str) -> Any:
        self._read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As dict's."""
        self._read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """As dict's."""
        self._read.add(key)
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As dict's."""
        self._read.add(key)
        return super().setdefault(key, default)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            self._read.add(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._readAll()
        return super().__iter__()

    def keys(self) -> Any:
        """As dict's."""
        self._readAll()
        return super().keys()

    def values(self) -> Any:
        """As dict's."""
        self._readAll()
        return super().values()

    def items(self) -> Any:
        """As dict's."""
        self._readAll()
        return super().items()

    def copy(self) -> dict[str, Any]:
        """As dict's: a plain one."""
        return dict(self.items())

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        self._readAll()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _tracking(value: Any) -> Any:
    if isinstance(value, dict):
        return ReadDict(value)
    return [_tracking(one) for one in value] if isinstance(value, list) else value


def _readBelow(value: Any) -> None:
    if isinstance(value, ReadDict):
        value._readAll()
    elif isinstance(value, list):
        for one in value:
            _readBelow(one)


def _unreadBelow(value: Any) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, ReadDict):
        yield from value.unread()
    elif isinstance(value, list):
        for place, one in enumerate(value):
            for way in _unreadBelow(one):
                yield (place, *way)
