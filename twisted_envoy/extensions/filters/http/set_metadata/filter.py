"""
Set metadata: put JSON-like values into the request's dynamic metadata.

Envoy: extensions.filters.http.set_metadata.v3.Config
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """What goes into a namespace; overwrite: also where something is already (it is merged)."""

    namespace: str
    value: dict[str, Any]
    overwrite: bool


@dataclass(frozen=True, slots=True)
class TypedValue:
    """The google.protobuf.Any of a namespace; overwrite: also where one is already."""

    namespace: str
    value: object
    overwrite: bool


@dataclass(frozen=True, slots=True)
class Values:
    """What one level sets; denied: counts what was not set because the namespace was there."""

    values: tuple[Value, ...]
    typed: tuple[TypedValue, ...]
    denied: Counter


class SetMetadata(HTTPFilter):
    """Sets values when a request comes: the filter's, then the route's."""

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        self._values = values

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._set(self._values)
        ofRoute = self.stream.routeConfig(self.stream.nameOf(self))
        if ofRoute is not None:
            self._set(ofRoute)

    def _set(self, values: Values) -> None:
        info = self.stream.streamInfo
        metadata = info.dynamicMetadata
        for one in values.values:
            old = metadata.get(one.namespace)
            if old is None:
                metadata[one.namespace] = dict(one.value)
            elif one.overwrite:
                metadata[one.namespace] = merged(old, one.value)
            else:
                values.denied.value += 1
        for typed in values.typed:
            if info.dynamicTypedMetadata is None:
                info.dynamicTypedMetadata = {}
            if typed.overwrite or typed.namespace not in info.dynamicTypedMetadata:
                info.dynamicTypedMetadata[typed.namespace] = typed.value
            else:
                values.denied.value += 1


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
