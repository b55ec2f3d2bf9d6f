"""
The routes of one virtual host: the first that matches wins.

Paths and prefixes are found in an index; regular expressions, templates and connect_matcher are
asked one after the other, each in its place.
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.conditions import allOf
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.path_index import PathIndex, inOrder
from twisted_envoy.http.routes.path_match import EXACT, PREFIX, SEPARATED, PathMatch
from twisted_envoy.http.routes.paths import withoutParameters, withoutQuery
from twisted_envoy.state.request_info import RequestInfo

_UNASKED: Any = None
"""What certain conditions do not ask."""


class Routes:
    """
    Use: `add` all in their order, `finish`, then `match`.

    Args:
        ignoresPathParameters: what follows a semicolon in a segment of a path does not count.

    Attributes:
        only: the route of every path that begins with a slash; None where it depends.
    """

    __slots__ = (
        *("_connect", "_first", "_folded", "_ignoresPathParameters", "_index", "_others"),
        *("_plain", "only"),
    )

    def __init__(self, ignoresPathParameters: bool) -> None:
        self._ignoresPathParameters = ignoresPathParameters
        self._index = PathIndex()
        self._folded = PathIndex()
        self._others: list[RouteEntry] = []
        self._connect: tuple[RouteEntry, ...] = ()
        self._plain = True
        self._first: tuple[RouteEntry, PathMatch] | None = None
        self.only: RouteEntry | None = None

    def add(self, entry: RouteEntry, path: PathMatch) -> None:
        """One more route."""
        if self._first is None:
            self._first = (entry, path)
        index = self._folded if path.ignoreCase else self._index
        if path.kind == EXACT:
            index.addExact(path.text, entry)
        elif path.kind == PREFIX:
            index.addPrefix(path.text, entry)
        elif path.kind == SEPARATED:
            index.addExact(path.text, entry)
            index.addPrefix(path.text + b"/", entry)
        else:
            assert path.condition is not None
            more = [] if entry.matches is None else [entry.matches]
            entry.matches = allOf([path.condition, *more])
            self._others.append(entry)

    def finish(self) -> None:
        """All have been added."""
        if self._first is not None:
            entry, path = self._first
            if path.kind == PREFIX and path.text == b"/" and not path.ignoreCase:
                if entry.matches is None and entry.weighted is None:
                    self.only = entry  # and those behind it are for CONNECT at most
        self._index.finish()
        self._folded.finish()
        self._connect = tuple(entry for entry in self._others if entry.isConnectMatch)
        self._plain = not self._others and self._folded.isEmpty

    def match(self, headers: HeaderMap, info: RequestInfo, randomValue: int) -> RouteEntry | None:
        """The entry for a request (of weighted clusters: the picked one's), or None."""
        path = headers.get(b":path")
        if path is None:
            candidates = self._connect
        elif self.only is not None and path[:1] == b"/":
            return self.only
        else:
            path = self._bare(path)
            candidates = self._index.find(path)
            if not self._plain:
                candidates = self._all(path, candidates)
        for entry in candidates:
            matches = entry.matches
            if matches is None or matches(headers, info, randomValue):
                if entry.weighted is None:
                    return entry
                picked = entry.weighted.pick(headers, info, randomValue)
                if picked is not None:
                    return picked
        return None

    def certain(self, headers: HeaderMap) -> RouteEntry | None:
        """The entry of all requests with these headers, x-request-id apart; None: it depends."""
        path = headers.get(b":path", b"")
        if self.only is not None and path[:1] == b"/":
            return self.only
        path = self._bare(path)
        candidates = self._index.find(path)
        if not self._plain:
            candidates = self._all(path, candidates)
        for entry in candidates:
            if not entry.isCertain:
                return None
            matches = entry.matches
            if matches is None or matches(headers, _UNASKED, 0):
                return None if entry.weighted else entry
        return None

    def _bare(self, path: bytes) -> bytes:
        """What of a path counts."""
        if b"?" in path or b"#" in path:
            path = withoutQuery(path)
        return withoutParameters(path) if self._ignoresPathParameters else path

    def _all(self, path: bytes, found: tuple[RouteEntry, ...]) -> tuple[RouteEntry, ...]:
        folded = () if self._folded.isEmpty else self._folded.find(path.lower())
        if not found and not folded:
            return tuple(self._others)
        return inOrder([*found, *folded, *self._others])
