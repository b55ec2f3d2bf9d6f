"""Any plain Twisted protocol as the terminal filter of a chain."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.python.failure import Failure

from twisted_envoy.network.link import Link


class ProtocolLink(Link):
    """
    Stands for a protocol in a chain and is that protocol's transport.

    The transport has `streamInfo`, so a protocol may look at addresses, filter state and
    metadata. A protocol that is not IHalfCloseableProtocol gets what Twisted's TCP gives it: the
    connection is closed when the peer ends its stream.
    """

    __slots__ = ("protocol",)

    def __init__(self, protocol: IProtocol) -> None:
        self.protocol: Any = protocol

    def connectionMade(self) -> None:
        self.protocol.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def readConnectionLost(self) -> None:
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
        else:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        self.protocol.connectionLost(reason)
