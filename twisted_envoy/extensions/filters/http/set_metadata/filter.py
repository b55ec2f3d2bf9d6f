"""
Set metadata: put JSON-like values into the request's dynamic metadata.

Envoy: extensions.filters.http.set_metadata.v3.Config
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.stats.metrics import Counter


@dataclass(frozen=True, slots=True)
class Value:
    """What goes into a namespace; overwrite: also where something is already (it is merged)."""

    namespace: str
    value: dict[str, Any]
    overwrite: bool


class SetMetadata(HTTPFilter):
    """
    Sets values when a request comes: the filter's, then the route's.

    Args:
        denied: counts what was not set because the namespace was there.
    """

    __slots__ = ("_denied", "_values")

    def __init__(self, values: tuple[Value, ...], denied: Counter) -> None:
        self._values = values
        self._denied = denied

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._set(self._values)
        ofRoute = self.stream.routeConfig(self.stream.nameOf(self))
        if ofRoute:
            self._set(ofRoute)

    def _set(self, values: Iterable[Value]) -> None:
        metadata = self.stream.streamInfo.dynamicMetadata
        for one in values:
            old = metadata.get(one.namespace)
            if old is None:
                metadata[one.namespace] = dict(one.value)
            elif one.overwrite:
                metadata[one.namespace] = merged(old, one.value)
            else:
                self._denied.value += 1


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """
    Both in one: lists are joined, dicts are merged, anything else is what it is in `new`.

    Neither argument changes.
    """
    result = dict(old)
    for key, value in new.items():
        before = result.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            result[key] = merged(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            result[key] = [*before, *value]
        else:
            result[key] = value
    return result
