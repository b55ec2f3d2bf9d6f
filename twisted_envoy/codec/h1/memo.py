"""
Heads that were sent before: most heads of a proxy are like the one before but for a few values.

A memo keeps one head with holes. It fits when the names are the same in the same order and all
values are the same but those of the holes; what goes into these must not end a line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import cast

from twisted_envoy.codec.headers import HeaderMap

Pick = Callable[[Sequence[bytes]], tuple[bytes, ...]]
"""Some of a head's values."""

_AROUND = {b":path": (b" ", b" HTTP/1.1\r\n")}
"""What stands around a value that is not in a line of its own."""

_MOST = 4096
"""Bytes of a head that is kept."""
REQUEST_HOLES = frozenset((b":path", b"x-request-id"))
RESPONSE_HOLES = frozenset((b"content-length", b"date", b"x-envoy-upstream-service-time"))
"""What a HeadMemo is made with."""

_PATIENCE = 16
"""Heads in a row that did not fit before only one in so many is looked at."""


class HeadMemo:
    """
    The newest head that was kept.

    Args:
        holes: names whose values may differ from one head to the next.
    """

    __slots__ = ("_given", "_holes", "_misses", "_names", "_pattern", "_rest", "_same")

    def __init__(self, holes: frozenset[bytes]) -> None:
        self._holes = holes
        self._misses = 0
        self._names: list[bytes] = []
        self._given: Pick = _nothing
        self._rest: Pick = _nothing
        self._same: tuple[bytes, ...] = ()
        self._pattern = b""

    def find(self, headers: HeaderMap) -> bytes | None:
        """The head of these headers, each with one value; None: it has to be made."""
        if list(headers) != self._names:
            return None
        values = list(headers.values())
        if self._rest(values) != self._same:
            return None
        given = self._given(values)
        text = b"".join(given)
        if b"\n" in text or b"\r" in text:
            return None
        self._misses = 0
        return self._pattern % given

    def keep(self, headers: HeaderMap, head: bytes) -> None:
        """
        Remember a head.

        Args:
            headers: as find had them. head: what was sent for them.
        """
        self._misses += 1
        if len(head) > _MOST or (self._misses > _PATIENCE and self._misses % _PATIENCE):
            return
        self._names = list(headers)
        pattern = head.replace(b"%", b"%%")
        places = []
        for place, name in enumerate(self._names):
            if name in self._holes:
                value = headers[name].replace(b"%", b"%%")
                before, after = _AROUND.get(name, (b"\r\n%b: " % name, b"\r\n"))
                line = before + value + after
                if pattern.count(line) == 1:
                    pattern = pattern.replace(line, before + b"%b" + after)
                    places.append(place)
        self._pattern = pattern
        self._given = _pick(places)
        self._rest = _pick([place for place in range(len(headers)) if place not in places])
        self._same = self._rest(list(headers.values()))
        if self._pattern % self._given(list(headers.values())) != head:
            self._names = []  # cleaned, or in another order


def _nothing(values: Sequence[bytes]) -> tuple[bytes, ...]:
    return ()


def _pick(places: list[int]) -> Pick:
    """What takes the values of those places."""
    if len(places) > 1:
        return cast("Pick", itemgetter(*places))
    if places:
        (place,) = places
        return lambda values: (values[place],)
    return _nothing
