"""Any plain Twisted protocol as the terminal filter of a chain."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from twisted_envoy.network.link import Link

_NOBODY = Protocol()


class ProtocolLink(Link):
    """
    Stands for a protocol in a chain and is that protocol's transport.

    The transport has `streamInfo`, so a protocol may look at addresses, filter state and
    metadata. A protocol that is not IHalfCloseableProtocol gets what Twisted's TCP gives it: the
    connection is closed when the peer ends its stream, once what was written is out; a producer
    of the protocol's is stopped then.
    """

    __slots__ = ("_producer", "protocol")

    def __init__(self, protocol: IProtocol) -> None:
        self.protocol: Any = protocol
        self._producer: Any = None

    def connectionMade(self) -> None:
        self.protocol.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def readConnectionLost(self) -> None:
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
            return
        producer = self._producer
        if producer is not None:
            self.unregisterProducer()
            producer.stopProducing()
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        self._producer = None
        protocol, self.protocol = self.protocol, _NOBODY
        protocol.connectionLost(reason)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.transport.registerProducer(producer, streaming)
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None
        self.transport.unregisterProducer()
