"""
The transport protocols see: a socket's verbs without a socket.

A write puts the chunk, by reference, before the other end; the TurnQueue hands it to that one's
protocol when the current event has ended.  What closing means is told in `end`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IProducer
from zope.interface import implementer

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.end import (
    BROKEN,
    ENDING,
    NOBODY,
    RESETTING,
    TAKEN,
    TOLD,
    End,
    failureOf,
)
from twisted_envoy.internal.interfaces import IInternalTransport, Passage
from twisted_envoy.internal.pipe import NEVER
from twisted_envoy.internal.turn import TurnQueue


@implementer(IInternalTransport)
class InternalTransport(End):
    """
    One end of an internal connection; made by `makePair`.

    Every method may be called from anywhere, also from inside a callback of either end; none calls
    a protocol back before the current event has ended.
    """

    __slots__ = ()

    # -- ITransport ----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """
        Hand data to the peer at the event boundary, by reference.

        Args:
            data: bytes; a bytearray or memoryview is copied; empty is nothing.
        Raises:
            TypeError: data is something else.
        """
        if not isinstance(data, bytes):
            data = _asBytes(data)
        if not data:
            return
        peer = self._sink
        if peer is None:
            self._writeRefused()
            return
        if peer._waiting is None:
            peer._waiting = data
            size = len(data)
        else:
            size = peer._queue(data)
        if not peer._scheduled:
            peer._scheduled = True
            turn = self._turn
            turn._pending.append(peer._run)
            if not turn._depth:
                turn.rouse()
        if size > self._pauseAbove:
            self._pause()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write each in turn; all are checked before the first is written."""
        for data in [_asBytes(data) for data in iovec]:
            self.write(data)

    def loseConnection(self) -> None:
        """
        Read no more, and close when all that was written has been taken by the peer.

        A registered producer is waited for until it unregisters.
        """
        if not self.connected or self.disconnecting:
            return
        self.disconnecting = True
        peer = self._peer
        if (
            peer is None
            or self._waiting is not None
            or self._producer is not None
            or self._ended
            or peer._ended
            or peer._wakeBelow >= 0
        ):
            self._closeLater()
            return
        # The plain close, in which nobody waits for anything.
        self._reading = False
        self._sink = peer._sink = None
        self._ended = self.control = peer.control = True
        if not peer._scheduled:
            peer._scheduled = True
            turn = self._turn
            turn._pending.append(peer._run)
            if not turn._depth:
                turn.rouse()
        if not self._scheduled:
            self._schedule()

    def _closeLater(self) -> None:
        self._stopReading()
        if self._producer is None or self._ended:
            self._sendEnd()

    def getHost(self) -> InternalAddress:
        """The address of this end: on the server side as the client gave it."""
        return self._host

    def getPeer(self) -> InternalAddress:
        """The address of the other end."""
        return self._peerAddress

    def _writeRefused(self) -> None:
        if self.connected and self._peer is None and not self._ended:
            self._marks |= BROKEN
            self.control = True
            self._schedule()

    # -- IHalfCloseTransport -------------------------------------------------------------------

    def loseWriteConnection(self) -> None:
        """See IHalfCloseTransport."""
        if self.connected and not self.disconnecting and not self._marks & ENDING:
            self._marks |= ENDING
            if self._producer is None:
                self._sendEnd()

    def abortConnection(self) -> None:
        """See IHalfCloseTransport."""
        if self.connected:
            self._abort(failureOf(ConnectionAborted()))

    def resetConnection(self) -> None:
        """See IHalfCloseTransport."""
        if self.connected:
            self._marks |= RESETTING
            self.control = True
            self.loseConnection()
            self._schedule()

    def endNow(self) -> bool:
        """See IPromptTransport."""
        return False

    def closeNow(self) -> bool:
        """See IPromptTransport."""
        return False

    def setWriteBufferLimit(self, limit: int) -> None:
        """See IHalfCloseTransport."""
        if limit < 1:
            raise ValueError(f"a write buffer limit must be 1 byte or more, not {limit}")
        self._setHigh(limit)
        if self._isLow():
            self._turn.post(self._wakeProducer)

    def passage(self) -> Passage | None:
        """See IInternalTransport."""
        peer = self._peer
        ask = None if peer is None else getattr(peer.protocol, "passage", None)
        found: Passage | None = None if ask is None else ask()
        return found

    def passes(self, passage: Passage, size: int = 0) -> bool:
        """See IInternalTransport."""
        peer = self._sink
        return (
            peer is not None
            and peer._waiting is None
            and size <= self._pauseAbove
            and peer._reading
            and peer.protocol.dataReceived == passage.reader
        )

    def awaits(self, reader: Callable[[bytes], None], size: int) -> bool:
        """See IInternalTransport."""
        peer = self._peer
        return (
            peer is not None
            and peer._sink is not None
            and self._waiting is None
            and not (self._scheduled or self.control)
            and self._reading
            and peer._wakeBelow < 0
            and size <= peer._pauseAbove
            and self.protocol.dataReceived == reader
        )

    def offerThrough(self, through: Callable[[bytes], bool]) -> None:
        """See IInternalTransport."""
        peer = self._peer
        offer: Any = None if peer is None else getattr(peer.protocol, "writesThrough", None)
        if offer is not None:
            offer(through)

    # -- IPushProducer: our reading side -------------------------------------------------------

    def pauseProducing(self) -> None:
        """Deliver nothing more, from now on, the end of stream included."""
        self._reading = False

    def resumeProducing(self) -> None:
        """Deliver again, from the next event boundary on."""
        if self.connected and not self.disconnecting:
            self._reading = True
            if self._waiting is not None or self.control:
                self._schedule()

    def stopProducing(self) -> None:
        """Close, as tcp does."""
        self.loseConnection()

    # -- IConsumer: our writing side -----------------------------------------------------------

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """
        Let producer fill the peer's receive buffer, between its low and its high watermark.

        Args:
            streaming: True for a push producer, which gets pauseProducing; a pull producer gets
                resumeProducing, at once and again while there is room.
        Raises:
            RuntimeError: another producer is registered.
        """
        if self.disconnecting or not self.connected:
            producer.stopProducing()
        else:
            self._register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it goes on."""
        self._unregister()
        if self.connected and (self.disconnecting or self._marks & ENDING):
            self._sendEnd()


def makePair(
    turn: TurnQueue,
    server: InternalAddress,
    client: InternalAddress,
    bufferSize: int,
    hops: int = 0,
    passthrough: object = None,
) -> tuple[InternalTransport, InternalTransport]:
    """
    Make the two ends of one connection; neither is started.

    Args:
        server, client: the addresses of the two ends.
        bufferSize: the high watermark of each receive buffer, in bytes.
        hops: how many internal connections lead here, this one included.
        passthrough: what both carry.
    Returns:
        The client's end and the server's.
    """
    clientEnd = InternalTransport()
    serverEnd = InternalTransport()
    clientEnd._peer = clientEnd._sink = serverEnd
    serverEnd._peer = serverEnd._sink = clientEnd
    clientEnd._host = serverEnd._peerAddress = client
    clientEnd._peerAddress = serverEnd._host = server
    clientEnd._turn = serverEnd._turn = turn
    clientEnd._high = serverEnd._high = bufferSize
    clientEnd.hops = serverEnd.hops = hops
    clientEnd.passthrough = serverEnd.passthrough = passthrough
    clientEnd.protocol = serverEnd.protocol = NOBODY
    clientEnd.factory = serverEnd.factory = None
    clientEnd._waiting = serverEnd._waiting = None
    clientEnd._producer = serverEnd._producer = None
    clientEnd._pauseAbove = serverEnd._pauseAbove = NEVER
    clientEnd._wakeBelow = serverEnd._wakeBelow = -1
    clientEnd._marks = serverEnd._marks = 0
    clientEnd.connected = serverEnd.connected = True
    clientEnd._scheduled = serverEnd._scheduled = True
    clientEnd.disconnecting = serverEnd.disconnecting = False
    clientEnd._ended = serverEnd._ended = False
    clientEnd._reading = serverEnd._reading = True
    clientEnd.control = serverEnd.control = False
    return clientEnd, serverEnd


def settle(
    pair: tuple[InternalTransport, InternalTransport],
    ended: tuple[bool, bool],
    unread: bytes,
    confirmed: bool,
) -> None:
    """
    Have a new server's end be as if it were started, and nobody had anything to do.

    Args:
        ended: the streams of both that are, and both sides know.
        unread: of the client; the server's end is paused.
        confirmed: the client's end is started, too.
    """
    client, server = pair
    client._scheduled = not confirmed
    server._scheduled = False
    server._waiting = unread or None
    for end, peer, over in ((client, server, ended[0]), (server, client, ended[1])):
        if over:
            end._ended = end.control = peer.control = True
            end._sink = None
            end._marks |= ENDING | TAKEN
            peer._marks |= TOLD


def _asBytes(data: object) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"data must be bytes, not {type(data).__name__}")
