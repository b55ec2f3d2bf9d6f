"""
A connected stream socket: reads what comes, sends at once (`write_buffer`), and ends in good order.

Twisted's own transports buffer every write until the reactor's next turn; this one calls send() and
only watches for writability when the kernel takes no more. To the reactor it is a plain reader and
writer, to protocols an IHalfCloseTransport; its rules are those of `twisted.internet.tcp`, with
three differences that save bytes: a failed send does not hide what the peer sent before, a protocol
that knows no half-close is closed only once what it wrote is out, and a close after which the peer
still sends waits for the peer (`lingering`).

    event                     sent by      what happens
    bytes                     the peer     dataReceived
    end of stream             the peer     readConnectionLost, or a close if nobody knows that word
    reset                     the peer     lost (ConnectionLost) when all that came before was read
    a send fails              the kernel   the same; writes are dropped until then
    loseWriteConnection       protocol     our end of stream when all is out; writeConnectionLost
    loseConnection            protocol     lost (ConnectionDone) when all is out
    resetConnection           protocol     reset when all is out; lost (ConnectionAborted) then
    abortConnection           protocol     reset; lost (ConnectionAborted) at the event boundary
    a callback raises         protocol     logged; reset; lost with that failure

`protocol` sends by method call, from anywhere; no callback is run from inside such a call.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.interfaces import IHalfCloseTransport
from twisted_envoy.sockets.addresses import fromSocketName
from twisted_envoy.sockets.events import NOBODY, Events, SocketContext, failureOf, lost, tell
from twisted_envoy.sockets.lingering import closeWithReset, linger, resetWhenSent
from twisted_envoy.sockets.stale import isStale
from twisted_envoy.sockets.write_buffer import AGAIN, WriteBuffer

_log = Logger("connection")

_FIRST_READ = 16 * 1024
_LARGEST_READ = 256 * 1024
_DONE = failureOf(error.ConnectionDone())


@implementer(IHalfCloseTransport, IReadDescriptor, IWriteDescriptor)
class StreamSocket:
    """
    One connected socket.

    Args:
        sock: non-blocking and connected.
        context: the reactor, and the turn that is drained after each event, so that what an event
            caused inside the process is delivered at once.
        local: None is asked of the kernel when somebody wants it.
        peer: the other end.

    Attributes:
        protocol: receives the events; may be replaced at any moment.
        write: sends bytes now and keeps what the kernel does not take.
        disconnecting: a close was asked for; disconnected: it is done.
    """

    __slots__ = (
        "__weakref__",
        "_aborting",
        "_broken",
        "_context",
        "_ended",
        "_halfClosing",
        "_local",
        "_out",
        "_peer",
        "_readSize",
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
        self._out = WriteBuffer(sock, self, context.reactor)
        self.write: Callable[[bytes], None] = self._out.write
        self._readSize = _FIRST_READ
        self._reading = False
        self._ended = False
        self._halfClosing = False
        self._writeEnded = False
        self._aborting = False
        self._resetting = False
        self._broken: Failure | None = None
        self.disconnecting = False
        self.disconnected = False
        self.protocol: Events = NOBODY

    def begin(self, protocol: Events) -> Failure | None:
        """
        Give the connection to a protocol and start reading.

        Returns:
            What makeConnection raised; the connection is lost with that already.
        """
        self.protocol = protocol
        self._reading = True
        try:
            protocol.makeConnection(self)
        except Exception:
            return self._fault("makeConnection")
        if self._reading:
            self._context.reactor.addReader(self)
        return None

    # What the reactor calls.

    def fileno(self) -> int:
        return self._sock.fileno()

    def logPrefix(self) -> str:
        return "connection"

    def doRead(self) -> None:
        """Take what there is, once, and hand it on."""
        if not self._reading:
            return
        turn = self._turn
        turn.enter()
        try:
            wanted = self._readSize
            try:
                data = self._sock.recv(wanted)
            except OSError as problem:
                if problem.errno not in AGAIN:
                    self._lose(self._broken or lost(problem))
                return
            if data:
                size = len(data)
                if size == wanted:
                    if size < _LARGEST_READ:
                        self._readSize = size * 4
                elif size << 3 < wanted:
                    self._readSize = _FIRST_READ
                self.protocol.dataReceived(data)
            else:
                self._endRead()
        except Exception:
            self._fault("protocol")
        finally:
            turn.leave()

    def doWrite(self) -> None:
        """Give the kernel what it takes."""
        if self.disconnected:
            return
        turn = self._turn
        turn.enter()
        try:
            self._out.flush()
        except Exception:
            self._fault("producer")
        finally:
            turn.leave()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor, which watches us no more, says that we were reset or that it stops."""
        if self.disconnected:
            return
        if isStale(self._sock, reason):
            if self._reading:
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

    def pauseProducing(self) -> None:
        """Hand on nothing more, the end of stream included."""
        self._stopReading()

    def resumeProducing(self) -> None:
        """Hand on what comes, from the reactor's next poll on."""
        if not (self._reading or self._ended or self.disconnecting):
            self._reading = True
            self._context.reactor.addReader(self)

    def stopProducing(self) -> None:
        """Close, as in twisted.internet.tcp."""
        self.loseConnection()

    def _stopReading(self) -> None:
        if self._reading:
            self._reading = False
            self._context.reactor.removeReader(self)

    # Writing.

    @property
    def bufferedBytes(self) -> int:
        """Bytes written and not yet taken by the kernel."""
        return self._out.size

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write all of them as one."""
        self.write(b"".join(iovec))

    def setWriteBufferLimit(self, limit: int) -> None:
        """See IHalfCloseTransport."""
        self._out.setLimit(limit)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See IConsumer; a closing connection stops the producer at once."""
        if self.disconnecting:
            producer.stopProducing()
        else:
            self._out.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer; an end that waited for it goes on."""
        self._out.unregisterProducer()
        if self._halfClosing or self.disconnecting:
            self._out.end()
            self._turn.post(self._finish)

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

    def loseWriteConnection(self) -> None:
        """Send our end of stream once all that was written is out (and a producer has gone)."""
        if not (self._halfClosing or self.disconnecting):
            self._halfClosing = True
            self._out.end()
            self._turn.post(self._finish)

    def loseConnection(self) -> None:
        """Close once all that was written is out (and a registered producer has gone)."""
        if not self.disconnecting:
            self.disconnecting = True
            self._stopReading()
            self._out.end()
            self._turn.post(self._finish)

    def resetConnection(self) -> None:
        """Reset the connection once all that was written is out (and a producer has gone)."""
        if not self.disconnected:
            self._resetting = True
            self.loseConnection()

    def abortConnection(self) -> None:
        """Drop what is buffered and reset the connection."""
        if not (self._aborting or self.disconnected):
            self._aborting = self.disconnecting = True
            self._stopReading()
            self._out.drop()
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

    # Addresses.

    def getHandle(self) -> socket.socket:
        """The socket, to ask for its options."""
        return self._sock

    def getPeer(self) -> IAddress:
        """The other end."""
        return self._peer

    def getHost(self) -> IAddress:
        """This end; also when the connection is gone."""
        if self._local is None:
            self._local = fromSocketName(self._sock)
        return self._local
