"""
The last moments of a socket whose owner has gone.

A socket that is closed while the peer still sends makes the kernel reset the connection, and the
reset can destroy bytes that are still on their way to the peer. So the write side is closed
first, and what the peer sends is read and dropped until its end comes or a second has passed (the
default of Envoy's `delayed_close_timeout`). In the same way a reset that shall follow written
bytes waits until the peer's kernel has them all.
"""

from __future__ import annotations

import socket
import struct
import sys

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.events import SocketContext

try:
    import fcntl
    import termios
except ImportError:  # not a Unix: nobody can tell what the kernel keeps
    _ASK = 0
else:
    _ASK = termios.TIOCOUTQ

PATIENCE = 1.0
"""Seconds that a peer has for its end of stream, or to take what comes before a reset."""

_READ = 64 * 1024
FIRST_LOOK = 0.002
"""Seconds until what the kernel keeps is looked at again; each wait is twice as long."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def closeWithReset(sock: socket.SocketType) -> None:
    """Close and reset; what the peer's kernel does not have yet is dropped."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    sock.close()


def linger(sock: socket.SocketType, context: SocketContext) -> None:
    """Close a socket whose peer has not ended: at once for us, in good order for the peer."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        sock.close()
        return
    _Lingering(sock, context)


def resetWhenSent(sock: socket.SocketType, context: SocketContext) -> None:
    """Close with a reset that overtakes nothing which the kernel has taken from us."""
    if unsentBytes(sock):
        _Resetting(sock, context)
    else:
        closeWithReset(sock)


def unsentBytes(sock: socket.SocketType) -> int:
    """Bytes in the kernel that the peer's kernel has not confirmed; 0 where nobody can tell."""
    if not _ASK or sock.family == socket.AF_UNIX:
        return 0
    try:
        answer = fcntl.ioctl(sock, _ASK, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


@implementer(IReadDescriptor)
class _Lingering:
    __slots__ = ("__weakref__", "_context", "_sock", "_timer")

    def __init__(self, sock: socket.SocketType, context: SocketContext) -> None:
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
            pass
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


class _Resetting:
    """Looks again and again, less and less often, for as long as patience lasts."""

    __slots__ = ("_context", "_sock", "_timer", "_waited")

    def __init__(self, sock: socket.SocketType, context: SocketContext) -> None:
        self._sock = sock
        self._context = context
        self._waited = FIRST_LOOK
        self._timer = context.reactor.callLater(FIRST_LOOK, self._look)
        context.lingering.add(self)

    def _look(self) -> None:
        if self._waited >= PATIENCE or not unsentBytes(self._sock):
            self.close()
        else:
            self._timer = self._context.reactor.callLater(self._waited, self._look)
            self._waited *= 2

    def close(self) -> None:
        """Stop waiting."""
        self._context.lingering.discard(self)
        closeWithReset(self._sock)
        if self._timer.active():
            self._timer.cancel()
