"""
A transport of Twisted's with the verbs of ours.

To the transport this is the protocol; to the protocol it is an IHalfCloseTransport. Rules are those
of `sockets.stream`, with what Twisted's transports cannot do taken away: they write at the
reactor's next poll, not at once, and of a connection that the peer has reset they drop what was not
read yet.

    the transport says        the protocol hears
    bytes                     dataReceived
    end of stream             readConnectionLost, or a close if it does not know that word
    lost                      connectionLost, with the transport's reason

What the protocol asks for is done when all it wrote has left (`outgoing`): its own end is told
then, and the transport goes on to its end alone.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, ILoggingContext
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.interfaces import IPromptTransport
from twisted_envoy.sockets.addresses import unmapped
from twisted_envoy.sockets.events import NOBODY, Events, SocketContext, failureOf, tell
from twisted_envoy.sockets.transports.ending import lingerTransport, resetTransport
from twisted_envoy.sockets.transports.outgoing import Outgoing

_log = Logger("connection")

_DONE = failureOf(error.ConnectionDone())


@implementer(IPromptTransport, IHalfCloseableProtocol, ILoggingContext)
class TransportStream:
    """
    One connection.

    Args:
        protocol: gets the events from `makeConnection` on.
        began: called when makeConnection has returned, with what it raised or None.

    Attributes:
        protocol: receives the events; may be replaced at any moment.
        write: hands bytes on, or keeps what the transport is not to have yet.
        disconnecting: a close was asked for; disconnected: it is done.
    """

    __slots__ = (
        *("__weakref__", "_aborting", "_began", "_context", "_ended", "_halfClosing", "_local"),
        *("_out", "_peer", "_reading", "_resetting", "_turn", "_wire", "_writeEnded"),
        *("disconnected", "disconnecting", "factory", "protocol", "transport", "write"),
    )

    def __init__(
        self,
        protocol: Events,
        context: SocketContext,
        began: Callable[[Failure | None], object] | None = None,
    ) -> None:
        self.protocol: Events = protocol
        self._context = context
        self._turn = context.turn
        self._began = began
        self._wire: Any = None
        self._local: IAddress | None = None
        self._peer: IAddress | None = None
        self._out = Outgoing(self, context.turn)
        self.write: Callable[[bytes], None] = self._out.write
        self._reading = True
        self._ended = False
        self._halfClosing = False
        self._writeEnded = False
        self._aborting = False
        self._resetting = False
        self.disconnecting = False
        self.disconnected = False
        self.factory: Any = None
        self.transport: Any = None

    # What the transport calls.

    def makeConnection(self, transport: Any) -> None:
        """The transport is connected."""
        turn = self._turn
        turn.enter()
        try:
            self._wire = transport
            self._peer = unmapped(transport.getPeer())
            self._local = unmapped(transport.getHost())
            if getattr(self._peer, "port", None) is not None:
                transport.setTcpNoDelay(True)
            self._out.start(transport)
            problem = None
            try:
                self.protocol.makeConnection(self)
            except Exception:
                problem = self._fault("makeConnection")
            began, self._began = self._began, None
            if began is not None:
                began(problem)
        finally:
            turn.leave()

    def dataReceived(self, data: bytes) -> None:
        """Bytes."""
        if self.disconnecting:
            return
        turn = self._turn
        turn.enter()
        try:
            self.protocol.dataReceived(data)
        except Exception:
            self._fault("protocol")
        finally:
            turn.leave()

    def readConnectionLost(self) -> None:
        """The peer's end of stream."""
        if self.disconnected:
            return
        turn = self._turn
        turn.enter()
        try:
            self._ended = True
            self._reading = False
            if self.disconnecting:
                return
            if IHalfCloseableProtocol.providedBy(self.protocol):
                self.protocol.readConnectionLost()
            else:
                producer = self._out.unregisterProducer()
                if producer is not None:
                    producer.stopProducing()
                self.loseConnection()
        except Exception:
            self._fault("protocol")
        finally:
            turn.leave()

    def writeConnectionLost(self) -> None:
        """Our end of stream is out."""
        if self.disconnected or not IHalfCloseableProtocol.providedBy(self.protocol):
            return
        turn = self._turn
        turn.enter()
        try:
            self.protocol.writeConnectionLost()
        except Exception:
            self._fault("writeConnectionLost")
        finally:
            turn.leave()

    def connectionLost(self, reason: Failure = _DONE) -> None:
        """There is no connection any more, for whatever reason."""
        self._wire = None
        if self.disconnected:
            return
        turn = self._turn
        turn.enter()
        try:
            self._lose(reason)
        finally:
            turn.leave()

    def logPrefix(self) -> str:
        """What Twisted's log calls it."""
        return "connection"

    # Reading.

    def pauseProducing(self) -> None:
        """Hand on nothing more, the end of stream included."""
        if self._reading:
            self._reading = False
            if self._wire is not None:
                self._wire.pauseProducing()

    def resumeProducing(self) -> None:
        """Hand on what comes, from the reactor's next poll on."""
        if not (self._reading or self._ended or self.disconnecting) and self._wire is not None:
            self._reading = True
            self._wire.resumeProducing()

    def stopProducing(self) -> None:
        """Close, as in twisted.internet.tcp."""
        self.loseConnection()

    # Writing.

    @property
    def bufferedBytes(self) -> int:
        """Bytes written and not known to have left."""
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
        out = self._out
        if out.producer is not None:
            out.unregisterProducer()
            if self._halfClosing or self.disconnecting:
                out.shut = True
                self._turn.post(self._finish)

    def producerRaised(self) -> None:
        """See OutgoingOwner."""
        self._fault("producer")

    # Ending.

    def loseWriteConnection(self) -> None:
        """Send our end of stream once all that was written is out (and a producer has gone)."""
        if not (self._halfClosing or self.disconnecting):
            self._halfClosing = True
            if self._out.producer is None:
                self._out.shut = True
                self._turn.post(self._finish)

    def loseConnection(self) -> None:
        """Close once all that was written is out (and a registered producer has gone)."""
        if not self.disconnecting:
            self.pauseProducing()
            self.disconnecting = True
            if self._out.producer is None:
                self._out.shut = True
                self._turn.post(self._finish)

    def endNow(self) -> bool:
        """See IPromptTransport: Twisted's transports end at the next poll."""
        return False

    def closeNow(self) -> bool:
        """The same."""
        return False

    def resetConnection(self) -> None:
        """Reset the connection once all that was written is out (and a producer has gone)."""
        if not self.disconnected:
            self._resetting = True
            self.loseConnection()

    def abortConnection(self) -> None:
        """Drop what is buffered and reset the connection."""
        if not (self._aborting or self.disconnected):
            self._aborting = True
            self.pauseProducing()
            self.disconnecting = True
            self._out.drop()
            self._turn.post(self._finish)

    def _finish(self) -> None:
        """At the event boundary: do what was asked for, if it can be done by now."""
        if self.disconnected:
            return
        if self._aborting:
            self._lose(failureOf(error.ConnectionAborted()))
        elif self._out.producer is None and not self._out.size:
            self.written()

    def written(self) -> None:
        """Nothing is buffered and nobody produces: do what waited for that."""
        if self.disconnecting:
            self._lose(failureOf(error.ConnectionAborted()) if self._resetting else _DONE)
        elif self._halfClosing and not self._writeEnded:
            self._writeEnded = True
            self._out.stop()
            self._wire.loseWriteConnection()

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
        self.disconnected = self.disconnecting = True
        self._reading = False
        producer = self._out.close()
        wire = self._wire
        if wire is not None:
            self._out.stop()
            self._leave(wire, reason)
        protocol, self.protocol = self.protocol, NOBODY
        if producer is not None:
            tell(producer.stopProducing)
        try:
            protocol.connectionLost(reason)
        except Exception:
            _log.failure("connectionLost raised")

    def _leave(self, wire: Any, reason: Failure) -> None:
        """The transport ends without us."""
        if self._aborting:
            wire.abortConnection()
        elif self._resetting:
            resetTransport(wire, self._context)
        elif self._out.wrote and not self._ended and reason is _DONE:
            lingerTransport(wire, self._context)
        else:
            wire.loseConnection()

    # Addresses.

    def getHandle(self) -> socket.socket:
        """
        The socket, to ask for its options.

        Raises:
            AttributeError: the connection is gone.
        """
        handle: socket.socket = self._wire.getHandle()
        return handle

    def getHost(self) -> IAddress:
        """This end; also when the connection is gone."""
        assert self._local is not None
        return self._local

    def getPeer(self) -> IAddress:
        """The other end."""
        assert self._peer is not None
        return self._peer
