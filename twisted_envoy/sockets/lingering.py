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
from collections import deque
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.events import Edges, SocketContext

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
_LAST = 0x008 | 0x010 | 0x2000
"""Bits of epoll: what is said only once."""
FIRST_LOOK = 0.002
"""Seconds until what the kernel keeps is looked at again; each wait is twice as long."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def closeWithReset(sock: socket.SocketType) -> None:
    """Close and reset; what the peer's kernel does not have yet is dropped."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    sock.close()


def linger(sock: socket.SocketType, context: SocketContext, readable: bool = False) -> None:
    """
    Close a socket whose peer has not ended: at once for us, in good order for the peer.

    Args:
        readable: of edges: they have told of something that was not read.
    """
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        if context.edges is not None:
            context.edges.forget(sock.fileno())
        sock.close()
        return
    if context.edges is None:
        _Lingering(sock, context)
    else:
        _LingeringEdge(sock, context, context.edges, readable)


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


class _LingeringEdge:
    """
    The same where edges tell of the socket, which they watch already.

    Args:
        readable: they have told of something that was not read.

    Attributes:
        isOver: it is closed.
    """

    __slots__ = ("_context", "_edges", "_lasting", "_sock", "isOver")

    def __init__(
        self, sock: socket.SocketType, context: SocketContext, edges: Edges, readable: bool
    ) -> None:
        self._sock = sock
        self._context = context
        self._edges = edges
        self._lasting = readable  # and what it was is not known: read until nothing is left
        self.isOver = False
        edges.handOver(sock.fileno(), self)
        edges.patience.add(self)
        context.lingering.add(self)
        if readable:
            edges.again(self)

    def ready(self, events: int) -> None:
        if events & _LAST:
            self._lasting = True
        self.goOn()

    def goOn(self) -> None:
        if self.isOver:
            return
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            self._lasting = False
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        elif self._lasting or len(data) == _READ:
            self._edges.again(self)

    def connectionLost(self, reason: Failure) -> None:
        self.close()

    def close(self) -> None:
        """Stop waiting."""
        if not self.isOver:
            self.isOver = True
            self._context.lingering.discard(self)
            self._edges.forget(self._sock.fileno())
            self._sock.close()


class Patience:
    """
    Closes who has waited for long enough: one timer for all of them.

    Args:
        reactor: provides IReactorTime.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: deque[tuple[float, _LingeringEdge]] = deque()
        self._timer: IDelayedCall | None = None

    def add(self, one: _LingeringEdge) -> None:
        """Close it when patience ends, if it is not closed by then."""
        waiting = self._waiting
        while waiting and waiting[0][1].isOver:
            waiting.popleft()
        waiting.append((self._reactor.seconds() + PATIENCE, one))
        if self._timer is None:
            self._timer = self._reactor.callLater(PATIENCE, self._look)

    def stop(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        self._timer = None
        waiting = self._waiting
        now = self._reactor.seconds()
        while waiting and waiting[0][0] <= now:
            waiting.popleft()[1].close()
        if waiting and self._timer is None:
            self._timer = self._reactor.callLater(waiting[0][0] - now, self._look)


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
