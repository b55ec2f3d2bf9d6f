"""
Counters, gauges and text readouts.

Hot code writes `counter.value += n`: a plain attribute, nothing else happens.  Whether a metric was
ever written (Envoy's `usedonly`) is known without a flag: it starts as the one object `UNWRITTEN`,
which is equal to 0 but is no longer there after the first write, even of 0.
"""

from __future__ import annotations

from collections.abc import Callable


class _Unwritten(int):
    """An int like any other, told apart by identity only."""

    __slots__ = ()


UNWRITTEN: int = _Unwritten(0)


class Counter:
    """
    A number that only grows until it is reset.

    Args:
        name: the full name, `tcp.ingress.downstream_cx_total`.
    """

    __slots__ = ("name", "value")

    def __init__(self, name: str) -> None:
        self.name = name
        self.value = UNWRITTEN

    @property
    def used(self) -> bool:
        """Whether it was ever written."""
        return self.value is not UNWRITTEN

    def reset(self) -> None:
        """Back to 0; a used counter stays used, as in Envoy."""
        if self.value is not UNWRITTEN:
            self.value = 0


class Gauge:
    """
    A number that goes up and down; 0 counts as written too.

    Args:
        name: the full name, `tcp.ingress.upstream_flush_active`.
    """

    __slots__ = ("name", "value")

    def __init__(self, name: str) -> None:
        self.name = name
        self.value = UNWRITTEN

    @property
    def used(self) -> bool:
        """Whether it was ever written."""
        return self.value is not UNWRITTEN


class ComputedGauge:
    """
    A gauge that nobody writes: each reading adds up what its functions say.

    For sums over live objects (bytes buffered over open connections) that would cost too much to
    keep exact at each chunk.

    Args:
        name: the full name.
    """

    __slots__ = ("_used", "functions", "name", "uses")

    def __init__(self, name: str) -> None:
        self.name = name
        self.functions: list[Callable[[], int]] = []
        self.uses: list[Callable[[], bool]] = []
        self._used = False

    @property
    def used(self) -> bool:
        """Whether one of `uses` said so, or it was once read and not 0; always when it has none."""
        if not self._used:
            uses = self.uses
            self._used = not uses or self.value != 0 or any(each() for each in uses)
        return self._used

    @property
    def value(self) -> int:
        """The sum of all functions now."""
        return sum(function() for function in self.functions)

    def drop(self, function: Callable[[], int]) -> None:
        """Leave one function out from now on (its owner is gone)."""
        self.functions.remove(function)


class TextReadout:
    """
    A short text, such as a version.

    Args:
        name: the full name.
    """

    __slots__ = ("_written", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._written: str | None = None

    @property
    def value(self) -> str:
        """The text; "" until one is written."""
        return self._written or ""

    @value.setter
    def value(self, text: str) -> None:
        self._written = text

    @property
    def used(self) -> bool:
        """Whether it was ever written."""
        return self._written is not None
