"""
One connected socket as a machine: what the kernel's news and the end of an event do to it.

StreamSocket's verbs act on it, and tell the rules. Where there are Edges, news are told once:

    flag        set by                             cleared by
    readable    news while paused, a full read     a read that finds less than it asked for
    lasting     news of the peer's end, an error   never, save that it was another socket's news
    queued      asking for another turn            that turn
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.internet import error
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.sockets.addresses import fromSocketName
from twisted_envoy.sockets.events import NOBODY, Events, SocketContext, failureOf, lost, tell
from twisted_envoy.sockets.lingering import closeWithReset, linger, resetWhenSent
from twisted_envoy.sockets.stale import isStale
from twisted_envoy.sockets.write_buffer import AGAIN, WriteBuffer

_log = Logger("connection")

_FIRST_READ = 16 * 1024
_LARGEST_READ = 256 * 1024
_DONE = failureOf(error.ConnectionDone())

# Bits of epoll: what makes it worth while to read or write, and what is said only once.
_READABLE = 0x001 | 0x008 | 0x010 | 0x2000
_WRITABLE = 0x004 | 0x008 | 0x010
_LAST = 0x008 | 0x010 | 0x2000


class SocketEnd:
    """
    What StreamSocket's verbs act on.

    Args:
        sock: non-blocking and connected.
        context: the reactor, and the turn that is drained after each event, so that what an event
            caused inside the process is delivered at once.
        local: None is asked of the kernel when somebody wants it.
        peer: the other end.
    """

    __slots__ = (
        "__weakref__",
        "_aborting",
        "_broken",
        "_context",
        "_edges",
        "_ended",
        "_halfClosing",
        "_lasting",
        "_local",
        "_out",
        "_peer",
        "_queued",
        "_readSize",
        "_readable",
        "_reading",
        "_resetting",
        "_sock",
        "_turn",
        "_writeEnded",
        "disconnected",
        "disconnecting",
        "protocol",
        "write",
    )

    def __init__(
        self, sock: socket.socket, context: SocketContext, local: IAddress | None, peer: IAddress
    ) -> None:
        self._sock = sock
        self._context = context
        self._turn = context.turn
        self._local = local
        self._peer = peer
        edges = self._edges = context.edges
        self._out = WriteBuffer(sock, self, context.reactor if edges is None else None)
        self.write: Callable[[bytes], None] = self._out.write
        self._readSize = _FIRST_READ
        self._reading = False
        self._readable = False  # as far as is known without asking: of edges only
        self._lasting = False  # and will be until the end has been read
        self._queued = False  # for another turn
        self._ended = False
        self._halfClosing = False
        self._writeEnded = False
        self._aborting = False
        self._resetting = False
        self._broken: Failure | None = None
        self.disconnecting = False
        self.disconnected = False
        self.protocol: Events = NOBODY

    def begin(self, protocol: Events, watched: bool = False) -> Failure | None:
        """
        Give the connection to a protocol and start reading.

        Args:
            watched: for edges, by somebody else who is done with it.
        Returns:
            What makeConnection raised; the connection is lost with that already.
        """
        self.protocol = protocol
        self._reading = True
        try:
            protocol.makeConnection(self)
        except Exception:
            return self._fault("makeConnection")
        if self.disconnected:
            return None
        if watched and self._edges is not None:
            self._edges.handOver(self._sock.fileno(), self)
        elif self._edges is not None:
            self._edges.watch(self._sock.fileno(), self)
        elif self._reading:
            self._context.reactor.addReader(self)
        return None

    # What the reactor calls.

    def fileno(self) -> int:
        return self._sock.fileno()

    def logPrefix(self) -> str:
        return "connection"

    def doRead(self) -> None:
        """Take what there is, once, and hand it on."""
        if self._reading:
            turn = self._turn
            turn.enter()
            try:
                self._read()
            finally:
                turn.leave()

    def doWrite(self) -> None:
        """Give the kernel what it takes."""
        if not self.disconnected:
            turn = self._turn
            turn.enter()
            try:
                self._flush()
            finally:
                turn.leave()

    # What the Edges call, inside an event of theirs.

    def ready(self, events: int) -> None:
        """Something is new: it is told once, and kept in mind until it has been used."""
        if self._out.waiting and events & _WRITABLE:
            self._flush()
        if events & _READABLE:
            if events & _LAST:
                self._lasting = True
            if self._reading:
                self._read()
            else:
                self._readable = True

    def goOn(self) -> None:
        """Another turn."""
        self._queued = False
        if self._out.waiting:
            self._flush()
        if self._reading and self._readable:
            self._read()

    def _goOnLater(self) -> None:
        if not self._queued and self._edges is not None:
            self._queued = True
            self._edges.again(self)

    def _flush(self) -> None:
        try:
            self._out.flush()
        except Exception:
            self._fault("producer")

    def _read(self) -> None:
        wanted = self._readSize
        try:
            data = self._sock.recv(wanted)
        except OSError as problem:
            if problem.errno not in AGAIN:
                self._lose(self._broken or lost(problem))
            self._readable = self._lasting = False
            return
        try:
            if data:
                size = len(data)
                if size == wanted:
                    if size < _LARGEST_READ:
                        self._readSize = size * 4
                    self._readable = True
                    self._goOnLater()
                elif self._lasting:
                    self._readable = True
                    self._goOnLater()
                else:
                    self._readable = False
                    if size << 3 < wanted:
                        self._readSize = _FIRST_READ
                self.protocol.dataReceived(data)
            else:
                self._endRead()
        except Exception:
            self._fault("protocol")

    def connectionLost(self, reason: Failure) -> None:
        """The reactor, which watches us no more, says that we were reset or that it stops."""
        if self.disconnected:
            return
        if isStale(self._sock, reason):
            if self._reading and self._edges is None:
                self._context.reactor.addReader(self)
            self._out.watchAgain()
            return
        turn = self._turn
        turn.enter()
        try:
            if self._hasUnread():
                self._out.drop()
                self._break(reason)
            else:
                self._lose(self._broken or reason)
        finally:
            turn.leave()

    def _hasUnread(self) -> bool:
        """Whether reading is paused while there is something to read."""
        if self._reading or self._ended or self.disconnecting:
            return False
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    # Reading.

    def _endRead(self) -> None:
        self._ended = True
        self._stopReading()
        if self._broken is not None:
            self._lose(self._broken)
        elif IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
        else:
            producer = self._out.unregisterProducer()
            if producer is not None:
                producer.stopProducing()
            self.loseConnection()

    def _stopReading(self) -> None:
        if self._reading:
            self._reading = False
            if self._edges is None:
                self._context.reactor.removeReader(self)

    # Writing.

    def flushSoon(self) -> None:
        """See WriteOwner."""
        self._goOnLater()

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
            self._stopReading()
            self._out.end()
            self._turn.post(self._finish)

    def _finish(self) -> None:
        """At the event boundary: do what was asked for, if it can be done by now."""
        if self.disconnected:
            return
        if self._aborting:
            self._lose(failureOf(error.ConnectionAborted()))
        elif self._broken is not None:
            if self._reading or self._hasUnread():
                self._wakeProducer()
            else:
                self._lose(self._broken)
        elif self._out.idle:
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
        elif self._halfClosing and not self._writeEnded:
            self._endWrite()

    def _endWrite(self) -> None:
        self._writeEnded = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as problem:
            self.writeFailed(problem)
            return
        if IHalfCloseableProtocol.providedBy(self.protocol):
            try:
                self.protocol.writeConnectionLost()
            except Exception:
                self._fault("writeConnectionLost")

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
        self._stopReading()
        self.disconnected = self.disconnecting = True
        self.getHost()
        producer = self._out.close()
        sock = self._sock
        if self._edges is not None:
            self._edges.forget(sock.fileno())
        if self._aborting:
            closeWithReset(sock)
        elif self._resetting:
            resetWhenSent(sock, self._context)
        elif self._out.wrote and not self._ended and reason is _DONE:
            linger(sock, self._context)
        else:
            sock.close()
        protocol, self.protocol = self.protocol, NOBODY
        if producer is not None:
            tell(producer.stopProducing)
        tell(protocol.connectionLost, reason)

    def getHost(self) -> IAddress:
        """This end; also when the connection is gone."""
        if self._local is None:
            self._local = fromSocketName(self._sock)
        return self._local
