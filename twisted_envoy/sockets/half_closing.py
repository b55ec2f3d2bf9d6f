"""Who is told that a stream has ended in one direction."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol


class HalfClosing:
    """
    Knows which protocols provide IHalfCloseableProtocol.

    Each connection asks several times, and asking an interface costs as much as some of what is
    done then. A class that implements it does so for all of its objects, and is remembered.

    Attributes:
        classes: those that are; who has no time for a call looks there first.
    """

    __slots__ = ("classes",)

    def __init__(self) -> None:
        self.classes: set[type] = set()

    def includes(self, protocol: object) -> bool:
        """Whether the protocol is to be told."""
        kind = protocol.__class__
        if kind in self.classes:
            return True
        if not IHalfCloseableProtocol.providedBy(protocol):
            return False
        if IHalfCloseableProtocol.implementedBy(kind):
            self.classes.add(kind)
        return True
