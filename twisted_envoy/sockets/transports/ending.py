"""
The last moments of a transport whose protocol has been told its end.

    it shall                          then
    be reset, and bytes are unsent    it is looked at until the peer's kernel has them; reset
    be reset                          reset
    be closed, and the peer may send  our end of stream; what the peer sends is dropped until its
                                      own, or until patience ends; closed (see `lingering`)
    be closed                         closed
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.events import SocketContext, failureOf
from twisted_envoy.sockets.lingering import FIRST_LOOK, PATIENCE, unsentBytes

_DONE = failureOf(ConnectionDone())


def resetTransport(wire: Any, context: SocketContext) -> None:
    """Reset, behind all that the kernel has taken from us."""
    if unsentBytes(wire.getHandle()):
        _Last(wire, context).reset()
    else:
        wire.abortConnection()


def lingerTransport(wire: Any, context: SocketContext) -> None:
    """Send our end of stream, if that is not done, and close in good order for the peer."""
    _Last(wire, context).linger()


@implementer(IHalfCloseableProtocol)
class _Last:
    """The protocol of a transport that ends."""

    __slots__ = ("_context", "_resetting", "_timer", "_waited", "_wire", "factory", "transport")

    def __init__(self, wire: Any, context: SocketContext) -> None:
        self._wire = wire
        self._context = context
        self._timer: IDelayedCall | None = None
        self._waited = FIRST_LOOK
        self._resetting = False
        self.factory: Any = None
        self.transport: Any = None
        wire.protocol = self
        context.lingering.add(self)

    def linger(self) -> None:
        """Wait for the peer's end."""
        self._timer = self._context.reactor.callLater(PATIENCE, self.close)
        self._wire.loseWriteConnection()
        self._wire.resumeProducing()

    def reset(self) -> None:
        """Look again and again, less and less often."""
        self._resetting = True
        self._timer = self._context.reactor.callLater(self._waited, self._look)

    def _look(self) -> None:
        if self._waited >= PATIENCE or not unsentBytes(self._wire.getHandle()):
            self.close()
        else:
            self._timer = self._context.reactor.callLater(self._waited, self._look)
            self._waited *= 2

    def close(self) -> None:
        """Stop waiting."""
        if self._forget():
            if self._resetting:
                self._wire.abortConnection()
            else:
                self._wire.loseConnection()

    def _forget(self) -> bool:
        if self not in self._context.lingering:
            return False
        self._context.lingering.discard(self)
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return True

    # What the transport calls.

    def makeConnection(self, transport: Any) -> None:
        """It is connected already."""

    def dataReceived(self, data: bytes) -> None:
        """Nobody wants it."""

    def readConnectionLost(self) -> None:
        """The peer has ended."""
        self.close()

    def writeConnectionLost(self) -> None:
        """We have ended."""

    def connectionLost(self, reason: Failure = _DONE) -> None:
        """It is over."""
        self._forget()
