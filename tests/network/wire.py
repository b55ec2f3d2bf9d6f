"""What the tests of chains share: a transport that records, and links that record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from twisted_envoy.network.chain import Chain
from twisted_envoy.network.link import Link
from twisted_envoy.state.stream_info import StreamInfo

HOST = IPv4Address("TCP", "127.0.0.1", 1)
PEER = IPv4Address("TCP", "127.0.0.1", 2)


class Wire:
    """
    The transport of a chain.

    Attributes:
        written: bytes. said: the verbs that were used, in order. reading: whether it is read.
    """

    def __init__(self) -> None:
        self.protocol: Any = None
        self.written = b""
        self.said: list[str] = []
        self.reading = True
        self.disconnecting = False
        self.bufferedBytes = 7
        self.limit = 0
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        self.written += data

    def loseWriteConnection(self) -> None:
        self.said.append("loseWriteConnection")

    def loseConnection(self) -> None:
        self.said.append("loseConnection")
        self.disconnecting = True

    def abortConnection(self) -> None:
        self.said.append("abortConnection")
        self.disconnecting = True

    def resetConnection(self) -> None:
        self.said.append("resetConnection")
        self.disconnecting = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def setWriteBufferLimit(self, limit: int) -> None:
        self.limit = limit

    def getHost(self) -> IPv4Address:
        return HOST

    def getPeer(self) -> IPv4Address:
        return PEER


class Idle(Link):
    """Asks for nothing."""

    __slots__ = ()


class Loud(Link):
    """
    Records every event and passes everything on.

    Attributes:
        on: event name -> what to do then, called with the link; before bytes are passed on.
    """

    def __init__(self, on: dict[str, Callable[[Any], object]] | None = None) -> None:
        self.on = on or {}
        self.events: list[object] = []

    def happened(self, event: str) -> None:
        if event in self.on:
            self.on[event](self)

    def connectionMade(self) -> None:
        self.events.append("made")
        self.happened("made")

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)
        self.happened("data")
        self.deliver(data)

    def readConnectionLost(self) -> None:
        self.events.append("end")
        self.happened("end")
        self.deliverEnd()

    def connectionLost(self, reason: Failure) -> None:
        self.events.append("lost")
        self.happened("lost")


class Last(Loud):
    """The terminal one."""

    def readConnectionLost(self) -> None:
        self.events.append("end")
        self.happened("end")


class Shouting(Link):
    """Writes in upper case, and says when it was told to end."""

    def write(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def loseWriteConnection(self) -> None:
        self.transport.write(b"!")
        self.transport.loseWriteConnection()


def chainOf(
    links: Sequence[Any], bufferLimit: int = 100, ended: Callable[[Chain], None] | None = None
) -> tuple[Chain, Wire]:
    """A connected chain of these links (or protocols), and its wire."""
    chain = Chain([lambda link=link: link for link in links], StreamInfo(0.0), bufferLimit, ended)
    wire = Wire()
    wire.protocol = chain
    chain.makeConnection(wire)
    return chain, wire


DONE = Failure(ConnectionDone())
