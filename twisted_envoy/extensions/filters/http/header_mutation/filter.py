"""
Header mutation: the filter's edits, then those of the route's levels.

Envoy: extensions.filters.http.header_mutation.v3.HeaderMutation
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import NOTHING, HTTPFilter
from twisted_envoy.http.routes.header_edits import Edit
from twisted_envoy.values import dataclass

Edits = tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Mutations:
    """What one level edits, in order."""

    request: Edits = ()
    requestTrailers: Edits = ()
    response: Edits = ()
    responseTrailers: Edits = ()


class HeaderMutation(HTTPFilter):
    """
    Edits one request and its response.

    Args:
        specificLast: the route's own edits come last and win, else those of its outermost level.
    """

    __slots__ = ("_levels", "_mutations", "_specificLast")

    def __init__(self, mutations: Mutations, specificLast: bool) -> None:
        self._mutations = mutations
        self._specificLast = specificLast
        self._levels: tuple[Mutations, ...] | None = None

    def watches(self, route: Any, name: str) -> frozenset[bytes] | None:
        levels = (self._mutations, *route.routeConfigs.get(name, ()))
        return NOTHING if all(level == Mutations() for level in levels) else None

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        info = self.stream.streamInfo
        for level in self._all():
            for edit in level.request:
                edit(headers, info)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        info = self.stream.streamInfo
        for level in self._all():
            for edit in level.requestTrailers:
                edit(trailers, info)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        info = self.stream.streamInfo
        for level in self._all():
            for edit in level.response:
                edit(headers, info)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        info = self.stream.streamInfo
        for level in self._all():
            for edit in level.responseTrailers:
                edit(trailers, info)

    def _all(self) -> tuple[Mutations, ...]:
        """Of the filter and of the route that was chosen when it was first asked for."""
        levels = self._levels
        if levels is None:
            ofRoute = self.stream.routeConfigs(self.stream.nameOf(self))
            if not self._specificLast:
                ofRoute = ofRoute[::-1]
            levels = self._levels = (self._mutations, *ofRoute)
        return levels
