"""How many connections may be open: in all of the server, and on one listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted_envoy.stats.metrics import Counter


class ConnectionLimit:
    """
    Counts open connections against a limit.

    Args:
        most: connections that may be open at once; None for any number.

    Attributes:
        refusals: counts those that were one too many; None for nobody.
    """

    __slots__ = ("active", "most", "refusals")

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.active = 0
        self.refusals: Counter | None = None

    def change(self, most: int | None) -> None:
        """Another limit from now on; open connections stay."""
        self.most = most

    @property
    def reached(self) -> bool:
        """True when one more would be too many."""
        return self.most is not None and self.active >= self.most
