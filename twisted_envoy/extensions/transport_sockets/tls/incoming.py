"""
What a TLS connection hands on: plaintext, and the end of it.

    state      event                      next
    flowing    plaintext                  dataReceived
    flowing    the peer's end             readConnectionLost, or a close as TCP does: ended
    flowing    pause                      paused
    paused     plaintext, the peer's end  kept
    paused     resume                     what was kept follows when the event has ended: flowing
    any        the transport is closing   nothing is handed on any more
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.logger import Logger

from twisted_envoy.extensions.transport_sockets.tls.handshake import GONE

if TYPE_CHECKING:
    from twisted_envoy.extensions.transport_sockets.tls.transport import TLSTransport

_log = Logger("connection")


class Incoming:
    """
    Of one connection.

    Args:
        transport: whose protocol gets it.
        post: runs a call when the current event has ended.

    Attributes:
        isPaused: nothing is to be handed on.
    """

    __slots__ = ("_ended", "_endWaits", "_held", "_post", "_transport", "isPaused")

    def __init__(self, transport: TLSTransport, post: Callable[[Any], None]) -> None:
        self._transport: Any = transport
        self._post = post
        self._held: list[bytes] = []
        self._endWaits = False
        self._ended = False
        self.isPaused = False

    def deliver(self, plain: bytes) -> None:
        """Hand on some plaintext, now or later."""
        transport = self._transport
        if self._ended or transport.disconnecting:
            return
        if self.isPaused or self._held:
            self._held.append(plain)
        else:
            transport.protocol.dataReceived(plain)

    def end(self) -> None:
        """The peer sends no more; told once, behind all plaintext."""
        transport = self._transport
        if self._ended or transport.disconnecting:
            return
        if self.isPaused or self._held:
            self._endWaits = True
            return
        self._ended = True
        if IHalfCloseableProtocol.providedBy(transport.protocol):
            transport.protocol.readConnectionLost()
        else:
            transport.closeAsTCP()

    def resume(self) -> None:
        """Hand on what was kept, and what comes."""
        self.isPaused = False
        if self._held or self._endWaits:
            self._post(self._deliverHeld)

    def drop(self) -> None:
        """Forget what was kept, and the transport: it is lost."""
        self._transport = GONE
        self._held.clear()
        self._endWaits = False

    def _deliverHeld(self) -> None:
        held = self._held
        transport = self._transport
        try:
            while held and not (self.isPaused or transport.disconnecting):
                transport.protocol.dataReceived(held.pop(0))
            if self._endWaits and not (held or self.isPaused):
                self._endWaits = False
                self.end()
        except Exception:
            _log.failure("a protocol raised; the connection is closed")
            transport.abortConnection()
