"""
An index of paths: which routes may match one, in their order.

Exact paths are in a dict. Prefixes are sorted, so that every prefix of a path is the one just
before the path's own place, or one of those that are a prefix of that one in turn.
"""

from __future__ import annotations

from bisect import bisect_right

from twisted_envoy.http.routes.entry import RouteEntry

NONE: tuple[RouteEntry, ...] = ()


def inOrder(entries: list[RouteEntry]) -> tuple[RouteEntry, ...]:
    """Sort by the order of the config; what comes after an unconditional route is never asked."""
    entries.sort(key=_order)
    for at, entry in enumerate(entries):
        if entry.matches is None and (entry.weighted is None or entry.weighted.isSure):
            return tuple(entries[: at + 1])
    return tuple(entries)


def _order(entry: RouteEntry) -> int:
    return entry.order


class PathIndex:
    """
    Routes by exact paths and by prefixes.

    Use: add everything, `finish`, then `find`.
    """

    __slots__ = ("_exact", "_found", "_foundBelow", "_parents", "_prefixes", "_sorted")

    def __init__(self) -> None:
        self._exact: dict[bytes, list[RouteEntry]] = {}
        self._prefixes: dict[bytes, list[RouteEntry]] = {}
        self._sorted: list[bytes] = []
        self._parents: dict[bytes, bytes | None] = {}
        self._found: dict[bytes, tuple[RouteEntry, ...]] = {}
        self._foundBelow: dict[bytes, tuple[RouteEntry, ...]] = {}

    @property
    def isEmpty(self) -> bool:
        """Was nothing added?"""
        return not self._exact and not self._prefixes

    def addExact(self, path: bytes, entry: RouteEntry) -> None:
        """A route of one path."""
        self._exact.setdefault(path, []).append(entry)

    def addPrefix(self, prefix: bytes, entry: RouteEntry) -> None:
        """A route of all paths that begin so."""
        self._prefixes.setdefault(prefix, []).append(entry)

    def finish(self) -> None:
        """Sort what was added."""
        self._sorted = sorted(self._prefixes)
        above: list[bytes] = []
        for prefix in self._sorted:
            while above and not prefix.startswith(above[-1]):
                above.pop()
            self._parents[prefix] = above[-1] if above else None
            above.append(prefix)

    def find(self, path: bytes) -> tuple[RouteEntry, ...]:
        """Routes that may match a path without its query, in order."""
        if path in self._exact:
            found = self._found.get(path)
            if found is None:
                found = self._found[path] = inOrder(
                    [*self._exact[path], *self._chain(self._longest(path))]
                )
            return found
        prefix = self._longest(path)
        if prefix is None:
            return NONE
        found = self._foundBelow.get(prefix)
        if found is None:
            found = self._foundBelow[prefix] = inOrder(self._chain(prefix))
        return found

    def _longest(self, path: bytes) -> bytes | None:
        """The longest prefix of path."""
        at = bisect_right(self._sorted, path)
        if not at:
            return None
        prefix: bytes | None = self._sorted[at - 1]
        while prefix is not None and not path.startswith(prefix):
            prefix = self._parents[prefix]
        return prefix

    def _chain(self, prefix: bytes | None) -> list[RouteEntry]:
        """The routes of a prefix and of all prefixes of it."""
        found = []
        while prefix is not None:
            found += self._prefixes[prefix]
            prefix = self._parents[prefix]
        return found
