"""What a TLS transport and its neighbours know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.python.failure import Failure

from twisted_envoy.codec.tls_record import TLSProblem
from twisted_envoy.network.link import NO_TRANSPORT, dropped

if TYPE_CHECKING:
    from twisted_envoy.extensions.transport_sockets.tls.transport import TLSTransport


class HandshakeObserver(Protocol):
    """Who wants to know what becomes of a handshake."""

    def handshakeDone(self, transport: TLSTransport) -> None:
        """It is open; called before the first plaintext is delivered."""

    def tlsFailed(self, transport: TLSTransport, problem: TLSProblem) -> None:
        """It is over; before or after the handshake. The connection's loss follows."""

    def tlsClosed(self, transport: TLSTransport) -> None:
        """The connection is gone, after its handshake was done."""


class Nobody:
    """The protocol of a connection that has none."""

    dataReceived = staticmethod(dropped)

    def connectionLost(self, reason: Failure) -> None:
        """Nobody to tell."""


class Gone:
    """The transport of what belonged to one that is lost: nothing can be done with it."""

    protocol = Nobody()
    wire: Any = NO_TRANSPORT
    disconnecting = disconnected = True


GONE = Gone()
NOBODY = Nobody()
