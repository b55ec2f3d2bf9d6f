"""Who is told that a stream has ended in one direction."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides, implementer

from twisted_envoy.sockets.half_closing import HalfClosing


@implementer(IHalfCloseableProtocol)
class Told(Protocol):
    """All of its objects."""

    def readConnectionLost(self) -> None:
        """Heard."""

    def writeConnectionLost(self) -> None:
        """Heard."""


class Later(Told):
    """A class below it."""


class HalfClosingTests(SynchronousTestCase):
    """The same answers as the interface's, each time."""

    def test_classes(self) -> None:
        """Objects of a class that implements it are told, those of others are not."""
        known = HalfClosing()
        for _ in range(2):
            self.assertTrue(known.includes(Told()))
            self.assertTrue(known.includes(Later()))
            self.assertFalse(known.includes(Protocol()))

    def test_oneObject(self) -> None:
        """What one object provides says nothing of the others of its class."""
        known = HalfClosing()
        one = Protocol()
        directlyProvides(one, IHalfCloseableProtocol)
        self.assertTrue(known.includes(one))
        self.assertFalse(known.includes(Protocol()))
        self.assertTrue(known.includes(one))
