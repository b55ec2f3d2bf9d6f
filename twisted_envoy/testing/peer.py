"""The far ends of connections: what a test says there, and what it hears."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IHalfCloseableProtocol)
class Peer(Protocol):
    """
    One end of a connection: a client of a listener, or what a cluster connected to.

    Its verbs are those of its transport; what they cause is seen after `MemoryEnvoy.settle`.

    Attributes:
        ended: the other side has sent its end of stream.
        lost: the Failure that the connection ended with, None while it is there.
    """

    transport: Any

    def __init__(self) -> None:
        self.ended = False
        self.lost: Failure | None = None
        self._data = bytearray()

    # What it hears.

    def dataReceived(self, data: bytes) -> None:
        self._data += data

    def readConnectionLost(self) -> None:
        self.ended = True

    def writeConnectionLost(self) -> None:
        """Its own end of stream is out."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.lost = reason

    @property
    def received(self) -> bytes:
        """Every byte that has come so far."""
        return bytes(self._data)

    @property
    def wasReset(self) -> bool:
        """True when the connection was lost by the other side's reset."""
        return self.lost is not None and self.lost.type is ConnectionLost

    # What it says.

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    def loseWriteConnection(self) -> None:
        """Send the end of stream; what comes is still heard."""
        self.transport.loseWriteConnection()

    def loseConnection(self) -> None:
        """Close once everything is sent; hear nothing more."""
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Reset the connection."""
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        """Read no more, as a slow reader."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self.transport.resumeProducing()


class Origin(Factory):
    """
    An upstream that keeps the connections it gets.

    Attributes:
        connections: a Peer for each, in order.
    """

    noisy = False

    def __init__(self) -> None:
        self.connections: list[Peer] = []

    def buildProtocol(self, addr: IAddress | None) -> Peer:
        peer = Peer()
        self.connections.append(peer)
        return peer
