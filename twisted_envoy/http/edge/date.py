"""The `date` header's value, made once a second."""

from __future__ import annotations

import time
from collections.abc import Callable

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class DateText:
    """
    The current time as HTTP writes it.

    Args:
        seconds: the reactor's clock, seconds since 1970.
    """

    __slots__ = ("_seconds", "_text", "_until")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._text = b""
        self._until = 0

    def now(self) -> bytes:
        """`Mon, 23 Nov 2026 05:26:30 GMT`."""
        second = int(self._seconds())
        if second != self._until or not self._text:
            self._until = second
            self._text = httpDate(second)
        return self._text


def httpDate(seconds: float) -> bytes:
    """A moment as HTTP writes it; whole seconds."""
    at = time.gmtime(seconds)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04d} "
        f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} GMT"
    ).encode("ascii")
