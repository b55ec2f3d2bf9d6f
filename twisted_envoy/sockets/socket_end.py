"""
One connected socket as a machine: what it keeps, and how it ends.

What the kernel's news do to it is told in `socket_reader`; the rules, and what protocols may ask
for, in `stream`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, cast

from twisted.internet import error
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.sockets.addresses import fromSocketName, ipv4
from twisted_envoy.sockets.events import NOBODY, Events, SocketContext, failureOf, lost, tell
from twisted_envoy.sockets.lingering import closeWithReset, linger, resetWhenSent
from twisted_envoy.sockets.splicing import (
    Splice,
)
from twisted_envoy.sockets.write_buffer import WriteBuffer

_log = Logger("connection")

_IPV4 = int(socket.AF_INET)

FIRST_READ = 16 * 1024
LOOKS = 16
"""
After so many small reads a shortcut is looked for; who is asked may have to make much of itself.
"""
_DONE = failureOf(error.ConnectionDone())


class SocketEnd:
    """
    What StreamSocket's verbs act on.

    Args:
        sock: non-blocking and connected.
        context: the reactor, and the turn that is drained after each event, so that what an event
            caused inside the process is delivered at once.
        local: None is asked of the kernel when somebody wants it.
        peer: the other end, or its name, of IPv4.
    """

    __slots__ = (
        "__weakref__",
        "_aborting",
        "_broken",
        "_context",
        "_edges",
        "_ended",
        "_lasting",
        "_local",
        "_out",
        "_peer",
        "_queued",
        "_readSize",
        "_resetting",
        "_sock",
        "_splice",
        "_streak",
        "_turn",
        "_writeEnd",
        "disconnected",
        "disconnecting",
        "isReadable",
        "isReading",
        "isWatched",
        "protocol",
        "write",
    )

    def __init__(
        self,
        sock: socket.SocketType,
        context: SocketContext,
        local: IAddress | None,
        peer: Any,
    ) -> None:
        self._sock = sock
        self._context = context
        self._turn = context.turn
        self._local: Any = local  # or its name, of IPv4
        self._peer: Any = peer  # or its name, of IPv4
        edges = self._edges = context.edges
        owner: Any = self
        out = self._out = WriteBuffer(
            sock, owner, context.reactor if edges is None else None, context.outbox
        )
        self.write: Callable[[bytes], None] = out.write
        self._readSize = FIRST_READ
        self.isReading = False
        self.isReadable = False  # as far as is known without asking: of edges only
        self.isWatched = False  # by edges, of the kernel
        self._lasting = False  # and will be until the end has been read
        self._queued = False  # for another turn
        self._streak = LOOKS  # small reads until a shortcut is looked for; below 0: large ones
        self._splice: Splice | None = None
        self._ended = False
        self._writeEnd = 0  # 1: asked for, 2: sent
        self._aborting = False
        self._resetting = False
        self._broken: Failure | None = None
        self.disconnecting = False
        self.disconnected = False
        self.protocol: Events = NOBODY

    # Reading.

    def _hasUnread(self) -> bool:
        """Whether reading is paused while there is something to read."""
        if self.isReading or self._ended or self.disconnecting:
            return False
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _stopSplicing(self) -> None:
        splice, self._splice = self._splice, None
        if splice is not None:
            splice.end()

    def _stopReading(self) -> None:
        if self.isReading:
            self.isReading = False
            if self._edges is None:
                self._context.reactor.removeReader(self)

    # Writing.

    @property
    def bufferedBytes(self) -> int:
        """Bytes written and not yet taken by the kernel."""
        return self._out.kept()

    def writeFailed(self, problem: OSError) -> None:
        """
        The peer takes no more bytes. What it sent before is still there to be read, and reading is
        what ends the connection: with the error of the send, once there is no more.
        """
        self._break(lost(problem))

    def _break(self, reason: Failure) -> None:
        self._broken = reason
        self._turn.post(self._finish)

    # Ending.

    def loseConnection(self) -> None:
        """Close once all that was written is out (and a registered producer has gone)."""
        if not self.disconnecting:
            self.disconnecting = True
            if self._edges is None:
                self._stopReading()
            else:
                self.isReading = False
            if self._out.producer is None:
                self._out.shut = True
                self._turn.post(self._finish)

    def _finish(self) -> None:
        """At the event boundary: do what was asked for, if it can be done by now."""
        if self.disconnected:
            return
        if self._aborting:
            self._lose(failureOf(error.ConnectionAborted()))
        elif self._broken is not None:
            if self.isReading or self._hasUnread():
                self._wakeProducer()
            else:
                self._lose(self._broken)
        else:
            out = self._out
            if out.producer is None:
                if out.soon:
                    out.goOut()
                if not out.size:
                    if self.disconnecting and not self._resetting:
                        self._lose(_DONE)
                    else:
                        self.written()

    def _wakeProducer(self) -> None:
        try:
            self._out.wake()
        except Exception:
            self._fault("producer")

    def written(self) -> None:
        """Nothing is buffered and nobody produces: do what waited for that."""
        if self.disconnecting:
            self._lose(failureOf(error.ConnectionAborted()) if self._resetting else _DONE)
        elif self._writeEnd == 1:
            self._endWrite()

    def _endWrite(self) -> None:
        self._writeEnd = 2
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as problem:
            self.writeFailed(problem)
            return
        if self._context.halfClosing.includes(self.protocol):
            try:
                self.protocol.writeConnectionLost()
            except Exception:
                self._fault("writeConnectionLost")

    def raised(self, who: str = "producer") -> None:
        """See WriteOwner."""
        self._fault(who)

    def _fault(self, where: str) -> Failure:
        """A callback raised: this connection ends, no other notices."""
        reason = Failure()  # type: ignore[no-untyped-call]
        _log.failure("{where} raised; the connection is closed", reason, where=where)
        self._aborting = True
        self._lose(reason)
        return reason

    def _lose(self, reason: Failure) -> None:
        if self.disconnected:
            return
        if self.isReading:
            self._stopReading()
        self.disconnected = self.disconnecting = True
        sock = self._sock
        if self._local is None:  # the kernel will not know it any more
            self._local = sock.getsockname() if sock.family == _IPV4 else fromSocketName(sock)
        if self._splice is not None:
            self._stopSplicing()
        producer = self._out.close()
        if reason is _DONE and self._out.wrote and not (self._ended or self._resetting):
            if self._edges is not None and not self.isWatched:
                self._edges.watch(sock.fileno(), cast(Any, self))
            linger(sock, self._context, self.isReadable)
        else:
            if self._edges is not None:
                self._edges.forget(sock.fileno())
            if self._aborting:
                closeWithReset(sock)
            elif self._resetting:
                resetWhenSent(sock, self._context)
            else:
                sock.close()
        protocol, self.protocol = self.protocol, NOBODY
        if producer is not None:
            tell(producer.stopProducing)
        try:
            protocol.connectionLost(reason)
        except Exception:
            _log.failure("connectionLost raised")

    def getHost(self) -> IAddress:
        """This end; also when the connection is gone."""
        local = self._local
        if local is None:
            local = self._local = fromSocketName(self._sock)
        elif local.__class__ is tuple:
            local = self._local = ipv4(local)
        found: IAddress = local
        return found
