"""
Header to metadata: put what headers say into a request's dynamic metadata.

Envoy: extensions.filters.http.header_to_metadata.v3.Config
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.header_to_metadata.rules import Direction
from twisted_envoy.http.filter import NOTHING, HTTPFilter
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """One config."""

    request: Direction
    response: Direction


class HeaderToMetadata(HTTPFilter):
    """Reads the headers of one request and its response; a route's config stands alone."""

    __slots__ = ("_chosen", "_settings")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chosen: Settings | None = None

    def watches(self, route: Any, name: str) -> frozenset[bytes] | None:
        settings: Settings = (route.routeConfigs.get(name) or (self._settings,))[-1]
        return None if settings.request.rules or settings.response.rules else NOTHING

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._choose().request.applyTo(headers, self.stream.streamInfo.dynamicMetadata)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._choose().response.applyTo(headers, self.stream.streamInfo.dynamicMetadata)

    def _choose(self) -> Settings:
        """By the route that there is when it is first asked for."""
        chosen = self._chosen
        if chosen is None:
            stream = self.stream
            chosen = stream.routeConfig(stream.nameOf(self)) or self._settings
            self._chosen = chosen
        return chosen
