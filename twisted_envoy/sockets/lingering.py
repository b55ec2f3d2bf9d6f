"""
Closing without a reset.

A socket that is closed while the peer still sends makes the kernel reset the connection, and the
reset can destroy bytes that are still on their way to the peer. So the write side is closed
first, and what the peer sends is read and dropped until its end comes or a second has passed (the
default of Envoy's `delayed_close_timeout`).
"""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.events import SocketContext

PATIENCE = 1.0
"""Seconds that a peer has for its end of stream."""

_READ = 64 * 1024


def linger(sock: socket.socket, context: SocketContext) -> None:
    """Close a socket whose peer has not ended: at once for us, in good order for the peer."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        sock.close()
        return
    _Lingering(sock, context)


@implementer(IReadDescriptor)
class _Lingering:
    __slots__ = ("__weakref__", "_context", "_sock", "_timer")

    def __init__(self, sock: socket.socket, context: SocketContext) -> None:
        self._sock = sock
        self._context = context
        self._timer = context.reactor.callLater(PATIENCE, self.close)
        context.lingering.add(self)
        context.reactor.addReader(self)

    def fileno(self) -> int:
        return self._sock.fileno()

    def logPrefix(self) -> str:
        return "closing connection"

    def doRead(self) -> None:
        try:
            if self._sock.recv(_READ):
                return
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self.close()

    def connectionLost(self, reason: Failure) -> None:
        self.close()

    def close(self) -> None:
        """Stop waiting."""
        if self not in self._context.lingering:
            return
        self._context.lingering.discard(self)
        self._context.reactor.removeReader(self)
        self._sock.close()
        if self._timer.active():
            self._timer.cancel()
