"""
A connected stream socket: sends at once, hands on what it reads, keeps its own write buffer.

Where Twisted's own transports buffer every write until the next turn of the reactor, this one
calls send() first and only watches for writability when the kernel takes no more. To the reactor
it is a plain IReadDescriptor and IWriteDescriptor, to protocols an IHalfCloseTransport; its rules
for end of stream and closing are those of `twisted.internet.tcp`, with two differences that save
bytes: a failed send does not hide what the peer sent before, and a close after which the peer
still sends waits for the peer in the background (`lingering`), so that the kernel does not reset
what is under way.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections import deque
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
from twisted_envoy.sockets.events import NOBODY, Events, SocketContext
from twisted_envoy.sockets.lingering import linger

_log = Logger("connection")

_AGAIN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOBUFS})
_FIRST_READ = 16 * 1024
_LARGEST_READ = 256 * 1024
_MOST_PIECES = min(64, os.sysconf("SC_IOV_MAX"))
_DEFAULT_LIMIT = 1024 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


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
        bufferedBytes: written and not yet taken by the kernel.
    """

    __slots__ = (
        "__weakref__",
        "_aborting",
        "_broken",
        "_closing",
        "_context",
        "_ended",
        "_halfClosing",
        "_high",
        "_local",
        "_low",
        "_peer",
        "_pieces",
        "_producer",
        "_producerPaused",
        "_pull",
        "_readSize",
        "_reading",
        "_shut",
        "_sock",
        "_turn",
        "_writeEnded",
        "_writing",
        "_wrote",
        "bufferedBytes",
        "disconnected",
        "protocol",
    )

    def __init__(
        self, sock: socket.socket, context: SocketContext, local: IAddress | None, peer: IAddress
    ) -> None:
        self._sock = sock
        self._context = context
        self._turn = context.turn
        self._local = local
        self._peer = peer
        self._pieces: deque[bytes | memoryview] = deque()
        self.bufferedBytes = 0
        self._high = _DEFAULT_LIMIT
        self._low = _DEFAULT_LIMIT // 2
        self._readSize = _FIRST_READ
        self._reading = False
        self._writing = False
        self._producer: Any = None
        self._pull = False
        self._producerPaused = False
        self._shut = False
        self._closing = False
        self._halfClosing = False
        self._writeEnded = False
        self._ended = False
        self._aborting = False
        self._wrote = False
        self._broken: Failure | None = None
        self.disconnected = False
        self.protocol: Events = NOBODY

    def begin(self, protocol: Events) -> None:
        """Give the connection to a protocol and start reading."""
        self.protocol = protocol
        self._reading = True
        try:
            protocol.makeConnection(self)
        except Exception:
            self._fault("makeConnection")
        if self._reading:
            self._context.reactor.addReader(self)

    # What the reactor calls.

    def fileno(self) -> int:
        return -1 if self.disconnected else self._sock.fileno()

    def logPrefix(self) -> str:
        return "connection"

    def doRead(self) -> None:
        """Take what there is, once, and hand it on."""
        if not self._reading:
            return
        turn = self._turn
        turn.enter()
        try:
            size = self._readSize
            try:
                data = self._sock.recv(size)
            except OSError as problem:
                if problem.errno not in _AGAIN:
                    self._lose(self._broken or _lost(problem))
                return
            if data:
                if len(data) == size and size < _LARGEST_READ:
                    self._readSize = min(size * 4, _LARGEST_READ)
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
            self._flush()
        except Exception:
            self._fault("producer")
        finally:
            turn.leave()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor says that the descriptor is gone, or that it stops."""
        self._turn.enter()
        try:
            self._lose(self._broken or reason)
        finally:
            self._turn.leave()

    # Reading.

    def _endRead(self) -> None:
        self._ended = True
        self._stopReading()
        if self._broken is not None:
            self._lose(self._broken)
        elif IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
        else:
            self.loseConnection()

    def pauseProducing(self) -> None:
        self._stopReading()

    def resumeProducing(self) -> None:
        if not (self._reading or self._ended or self._closing or self.disconnected):
            self._reading = True
            self._context.reactor.addReader(self)

    def stopProducing(self) -> None:
        self.loseConnection()

    def _stopReading(self) -> None:
        if self._reading:
            self._reading = False
            self._context.reactor.removeReader(self)

    # Writing.

    def write(self, data: bytes) -> None:
        """Send now and keep what the kernel does not take; dropped after our own end of stream."""
        if self._shut:
            return
        if type(data) is not bytes:
            data = _checked(data)
        if self._pieces:
            sent = 0
        else:
            self._wrote = True
            try:
                sent = self._sock.send(data)
            except OSError as problem:
                if problem.errno not in _AGAIN:
                    self._breakWrite(problem)
                    return
                sent = 0
            if sent == len(data):
                if self._pull:
                    self._watchWrites()
                return
            self._watchWrites()
        self._pieces.append(memoryview(data)[sent:] if sent else data)
        self.bufferedBytes += len(data) - sent
        if self.bufferedBytes > self._high and self._producer is not None:
            self._pauseProducer()

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def _flush(self) -> None:
        pieces = self._pieces
        while pieces:
            try:
                if len(pieces) == 1:
                    sent = self._sock.send(pieces[0])
                else:
                    count = min(len(pieces), _MOST_PIECES)
                    sent = self._sock.sendmsg([pieces[i] for i in range(count)])
            except OSError as problem:
                if problem.errno not in _AGAIN:
                    self._breakWrite(problem)
                    return
                break
            self.bufferedBytes -= sent
            if not self._drop(sent):
                break
        if not pieces:
            self._stopWriting()
        producer = self._producer
        if producer is None:
            if not pieces:
                self._allWritten()
        elif (self._producerPaused and self.bufferedBytes <= self._low) or (
            self._pull and not pieces
        ):
            self._producerPaused = False
            producer.resumeProducing()

    def _drop(self, sent: int) -> bool:
        """Forget `sent` bytes; False when the kernel stopped inside a piece."""
        pieces = self._pieces
        while sent:
            first = pieces[0]
            size = len(first)
            if sent < size:
                pieces[0] = memoryview(first)[sent:]
                return False
            pieces.popleft()
            sent -= size
        return True

    def _watchWrites(self) -> None:
        if not self._writing:
            self._writing = True
            self._context.reactor.addWriter(self)

    def _stopWriting(self) -> None:
        if self._writing:
            self._writing = False
            self._context.reactor.removeWriter(self)

    def _breakWrite(self, problem: OSError) -> None:
        """
        The peer takes no more bytes. What it sent before is still there to be read, and reading is
        what ends the connection: with the error of the send, once there is no more.
        """
        self._shut = True
        self._broken = _lost(problem)
        self._dropWrites()
        if self._ended or self._closing:
            self._turn.post(self._finishBroken)

    def _finishBroken(self) -> None:
        if self._broken is not None:
            self._lose(self._broken)

    def _dropWrites(self) -> None:
        self._pieces.clear()
        self.bufferedBytes = 0
        self._stopWriting()
        if self._producerPaused:
            self._turn.post(self._wakeProducer)

    # Producers that write to us.

    def setWriteBufferLimit(self, limit: int) -> None:
        """Bytes buffered above which a producer is paused; it resumes at half of that."""
        self._high = limit
        self._low = limit // 2

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self._producer is not None:
            raise RuntimeError(
                f"cannot register {producer!r}: {self._producer!r} was never unregistered"
            )
        if self._closing or self.disconnected:
            producer.stopProducing()
            return
        self._producer = producer
        self._pull = not streaming
        self._producerPaused = False
        if self._pull:
            producer.resumeProducing()
        elif self.bufferedBytes > self._high:
            self._pauseProducer()

    def unregisterProducer(self) -> None:
        self._producer = None
        self._pull = self._producerPaused = False
        if self._closing or self._halfClosing:
            self._shut = True
            self._settleEnd()

    def _pauseProducer(self) -> None:
        if not self._producerPaused and not self._pull:
            self._producerPaused = True
            self._producer.pauseProducing()

    def _wakeProducer(self) -> None:
        if self._producerPaused and self._producer is not None:
            self._producerPaused = False
            self._producer.resumeProducing()

    # Ending.

    def loseWriteConnection(self) -> None:
        """Send our end of stream once all that was written is out (and a producer has gone)."""
        if not (self._halfClosing or self._closing or self.disconnected):
            self._halfClosing = True
            self._shut = self._producer is None
            self._settleEnd()

    def loseConnection(self) -> None:
        """Close once all that was written is out (and a registered producer has gone)."""
        if not (self._closing or self.disconnected):
            self._closing = True
            self._shut = self._shut or self._producer is None
            self._stopReading()
            self._settleEnd()

    def abortConnection(self) -> None:
        """Drop what is buffered and reset the connection."""
        if not (self._aborting or self.disconnected):
            self._aborting = self._closing = self._shut = True
            self._stopReading()
            self._dropWrites()
            self._turn.post(self._finishAbort)

    def _finishAbort(self) -> None:
        self._lose(Failure(error.ConnectionAborted()))

    def _settleEnd(self) -> None:
        if self._broken is not None:
            self._turn.post(self._finishBroken)
        elif not self._pieces and self._producer is None:
            self._turn.post(self._finishEnd)

    def _finishEnd(self) -> None:
        if not (self.disconnected or self._pieces or self._producer is not None):
            self._allWritten()

    def _allWritten(self) -> None:
        """Nothing is buffered and nobody produces: do what waited for that."""
        if self._halfClosing and not self._writeEnded and not self._closing:
            self._endWrite()
        elif self._closing and not self._aborting:
            self._lose(Failure(error.ConnectionDone()))

    def _endWrite(self) -> None:
        self._writeEnded = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as problem:
            self._breakWrite(problem)
            return
        if IHalfCloseableProtocol.providedBy(self.protocol):
            try:
                self.protocol.writeConnectionLost()
            except Exception:
                self._fault("writeConnectionLost")

    def _fault(self, where: str) -> None:
        """A callback raised: this connection ends, no other notices."""
        reason = Failure()
        _log.failure("{where} raised; the connection is closed", reason, where=where)
        self._aborting = True
        self._lose(reason)

    def _lose(self, reason: Failure) -> None:
        if self.disconnected:
            return
        self._stopReading()
        self._stopWriting()
        self._pieces.clear()
        self.bufferedBytes = 0
        self.disconnected = self._closing = self._shut = True
        if self._aborting:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._sock.close()
        elif self._wrote and not self._ended and self._broken is None and self._closed(reason):
            linger(self._sock, self._context)
        else:
            self._sock.close()
        producer, self._producer = self._producer, None
        protocol, self.protocol = self.protocol, NOBODY
        try:
            if producer is not None:
                producer.stopProducing()
            protocol.connectionLost(reason)
        except Exception:
            _log.failure("connectionLost raised")

    @staticmethod
    def _closed(reason: Failure) -> bool:
        return isinstance(reason.value, error.ConnectionDone)

    # Addresses.

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        if self._local is None:
            self._local = fromSocketName(self._sock)
        return self._local


def _lost(problem: OSError) -> Failure:
    return Failure(error.ConnectionLost(problem.strerror or str(problem)))


def _checked(data: object) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"data must be bytes, not {type(data).__name__}")
