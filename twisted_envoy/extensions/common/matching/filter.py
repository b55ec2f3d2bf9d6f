"""
An HTTP filter that a matcher tree may skip.

The tree is asked when headers or trailers come, until it has an answer; from then on that is it.

Envoy: source/common/http/match_delegate/config.cc
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.network.matching.inputs import NOT_YET
from twisted_envoy.network.matching.tree import Step

SKIP = object()
"""The action."""


class MatchedFilter(HTTPFilter):
    """
    Stands in front of another filter.

    Args:
        make: makes the other. step: of the matcher tree; gives SKIP, or what NOT_YET says.
    """

    __slots__ = ("_decided", "_filter", "_skipped", "_started", "_step")

    def __init__(self, make: Callable[[], HTTPFilter], step: Step) -> None:
        self._filter: Any = make()
        self._step = step
        self._decided = self._skipped = self._started = False

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if self._asks("decodeHeaders"):
            self._filter.decodeHeaders(headers, endStream)

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        if self._passes("decodeData"):
            data = self._filter.decodeData(data, endStream)
        return data

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self._asks("decodeTrailers"):
            self._filter.decodeTrailers(trailers)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if self._asks("encodeHeaders"):
            self._filter.encodeHeaders(headers, endStream)

    def encodeData(self, data: bytes, endStream: bool) -> bytes:
        if self._passes("encodeData"):
            data = self._filter.encodeData(data, endStream)
        return data

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        if self._asks("encodeTrailers"):
            self._filter.encodeTrailers(trailers)

    def streamEnded(self) -> None:
        if self._started and "streamEnded" in self._filter.defines:
            self._filter.streamEnded()

    def _asks(self, method: str) -> bool:
        """Ask the tree if it has no answer yet; then as _passes."""
        if not self._started:
            self._started = True
            self._filter.stream, self._filter.index = self.stream, self.index
        if not self._decided:
            found = self._step(self.stream.streamInfo)
            self._decided = found is not NOT_YET
            self._skipped = found is SKIP
        return self._passes(method)

    def _passes(self, method: str) -> bool:
        """Shall the filter see it, and does it want to?"""
        return not self._skipped and method in self._filter.defines
