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
from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import IAddress, IReadDescriptor, IWriteDescriptor
from zope.interface import implementer

from twisted_envoy.internal.interfaces import IPromptTransport
from twisted_envoy.sockets.addresses import ipv4
from twisted_envoy.sockets.events import NOBODY
from twisted_envoy.sockets.socket_reader import SocketReader


@implementer(IPromptTransport, IReadDescriptor, IWriteDescriptor)
class StreamSocket(SocketReader):
    """
    One connected socket.

    Attributes:
        protocol: receives the events; may be replaced at any moment.
        write: sends bytes now and keeps what the kernel does not take.
        disconnecting: a close was asked for; disconnected: it is done.
    """

    __slots__ = ()

    # Reading.

    def pauseProducing(self) -> None:
        """Hand on nothing more, the end of stream included."""
        if self._edges is None:
            self._stopReading()
        else:
            self.isReading = False

    def resumeProducing(self) -> None:
        """Hand on what comes, from the reactor's next poll on."""
        if not (self.isReading or self._ended or self.disconnecting):
            self.isReading = True
            if self._edges is None:
                self._context.reactor.addReader(self)
            elif not self.isWatched:
                self.watch()
            elif self.isReadable:
                self._goOnLater()

    def stopProducing(self) -> None:
        """Close, as in twisted.internet.tcp."""
        self.loseConnection()

    # Writing.

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write all of them as one."""
        self._out.writeAll(iovec)

    def setWriteBufferLimit(self, limit: int) -> None:
        """See IHalfCloseTransport."""
        out = self._out
        if limit != out.limit:
            out.setLimit(limit)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See IConsumer; a closing connection stops the producer at once."""
        out = self._out
        if self.disconnecting:
            producer.stopProducing()
        elif streaming and out.producer is None and not (out.soon or out.size):
            out.producer = producer
        else:
            out.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer; an end that waited for it goes on."""
        out = self._out
        if out.producer is not None:
            out.unregisterProducer()
            if self._writeEnd or self.disconnecting:
                out.shut = True
                self._turn.post(self._finish)

    # Ending.

    def loseWriteConnection(self) -> None:
        """Send our end of stream once all that was written is out (and a producer has gone)."""
        if not (self._writeEnd or self.disconnecting):
            self._writeEnd = 1
            if self._out.producer is None:
                self._out.shut = True
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

    def endNow(self) -> bool:
        """See IPromptTransport."""
        out = self._out
        if self._writeEnd or self.disconnecting or out.size or out.soon:
            return False
        self._writeEnd = 2
        out.shut = True
        if out.producer is not None:
            out.unregisterProducer()
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as problem:
            self.writeFailed(problem)
        return True

    def closeNow(self) -> bool:
        """See IPromptTransport."""
        out = self._out
        if (
            not self._ended
            or self.disconnecting
            or out.size
            or out.soon
            or self._broken is not None
            or self._splice is not None
        ):
            return False
        self.disconnected = self.disconnecting = True
        out.shut = True
        out.owner = out.told = out.producer = None
        sock = self._sock
        if self._edges is not None:
            self._edges.forget(sock.fileno())
        sock.close()
        self.protocol = NOBODY
        return True

    # Addresses.

    def getHandle(self) -> socket.SocketType:
        """The socket, to ask for its options."""
        return self._sock

    def getPeer(self) -> IAddress:
        """The other end."""
        peer = self._peer
        if peer.__class__ is tuple:
            peer = self._peer = ipv4(peer)
        found: IAddress = peer
        return found
