"""
One end of an internal connection as a machine: what happens to it at each event boundary.

A turn of an end is: deliver what has arrived, then look at ends of stream and losses.  How one end
ends (us = our protocol, peer = the other end):

    event                    what this end does
    loseWriteConnection, us  end of stream after our data; writeConnectionLost once it is taken
    loseConnection, us       reads no more; end of stream; lost (ConnectionDone) once data is taken
    end of stream, peer      IHalfCloseableProtocol: readConnectionLost; else lost (ConnectionDone)
    peer lost, orderly       unread data, then end of stream; a later write: lost (ConnectionLost)
    resetConnection, us      as loseConnection, but ends as abortConnection
    abortConnection, us      lost (ConnectionAborted) at the boundary, peer lost (ConnectionLost)
    callback raises, us      logged; lost with that failure, peer lost (ConnectionLost)

Envoy: extensions/io_socket/user_space/io_handle_impl.cc
"""

from __future__ import annotations

from typing import cast

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    IProtocolFactory,
)
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.pipe import Chunks, Pipe, chunksOf
from twisted_envoy.internal.turn import TurnQueue

_log = Logger()


def failureOf(error: BaseException | None = None) -> Failure:
    """Make a Failure of error, or of the exception being handled."""
    return Failure(error)  # type: ignore[no-untyped-call]


_DONE = failureOf(ConnectionDone())
_isHalfCloseable = IHalfCloseableProtocol.providedBy


class _Nobody(Protocol):
    """Receives the events of an end that is not connected: none."""


NOBODY = _Nobody()


#: What else is to be known of an end, as bits: in the life of most connections, nothing.
ENDING = 1  # our end of stream is asked for
TAKEN = 2  # ... and taken by the peer
TOLD = 4  # the peer's end of stream, told to our protocol
BROKEN = 8  # something was written to a peer that is gone
RESETTING = 16  # closing, to end as an abort
LOST = 32  # there is a _lossReason
KNOWN = 64  # whether _asked is half-closeable is known:
HALF = 128  # it is


class End(Pipe):
    """
    What InternalTransport's verbs act on; a Pipe to the peer.

    Its attributes are set by `makePair`, for both ends at a time: a call to an `__init__` would
    cost as much again as all of them.  The last two are not set before a mark says that they are.
    """

    __slots__ = (
        "protocol",
        "passthrough",
        "hops",
        "connected",
        "disconnecting",
        "factory",
        "_turn",
        "_host",
        "_peerAddress",
        "_peer",
        "_sink",
        "_ended",
        "_waiting",
        "_scheduled",
        "_reading",
        "control",
        "_marks",
        "_lossReason",
        "_asked",
        "__weakref__",
    )

    protocol: IProtocol
    passthrough: object
    hops: int
    connected: bool
    disconnecting: bool
    factory: IProtocolFactory | None  # stopped when the connection is lost
    _turn: TurnQueue  # where this end's turns are posted
    _host: InternalAddress
    _peerAddress: InternalAddress
    _peer: End | None
    _sink: End | None  # the peer, while we have not ended and it reads: what is written is kept
    _ended: bool  # after what we wrote comes the end of the stream
    _waiting: bytes | Chunks | None  # what the peer wrote
    _scheduled: bool  # its turn is posted; until start() it is asleep and looks so
    _reading: bool
    control: bool  # some end or loss waits to be looked at; without it nothing is refused
    _marks: int
    _lossReason: Failure
    _asked: IProtocol

    def __repr__(self) -> str:
        name = type(self.protocol).__name__
        return f"<InternalTransport {self._host} to {self._peerAddress} of {name}>"

    @property
    def disconnected(self) -> bool:
        """Whether the connection is lost."""
        return not self.connected

    # -- before it is started ------------------------------------------------------------------

    def start(self, protocol: IProtocol) -> None:
        """
        Connect protocol to this end: its `makeConnection`, then what has arrived before.

        Raises:
            BaseException: what makeConnection raised; this connection is then lost with it.
        """
        self.protocol = protocol
        try:
            protocol.makeConnection(self)  # type: ignore[arg-type]  # a subclass is a transport
        except BaseException:
            self._abort(failureOf())
            raise
        finally:
            self._scheduled = False
            if self._waiting is not None or self.control:
                self._schedule()

    def isStarted(self) -> bool:
        """Whether `start` was called."""
        return self.protocol is not NOBODY or not self.connected

    def isRefused(self) -> bool:
        """Whether the peer is gone, or about to go, and there is nothing to read from it."""
        if not self.control or self._waiting is not None:
            return False
        peer = self._peer
        return peer is None or bool(self._marks & LOST) or peer._isClosing()

    def discard(self) -> None:
        """Give up an end that was never started: no event here, the peer loses its connection."""
        peer = self._peer
        self.connected = False
        self._waiting = self._peer = self._sink = None
        if peer is not None:
            peer._peer = None
            peer._reset(_DONE if peer._isClosing() else _lost("connection given up by peer"))
        factory = self.factory
        if factory is not None:
            self.factory = None
            factory.doStop()

    def _isClosing(self) -> bool:
        return self.disconnecting and self._ended

    # -- the turn ------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            turn = self._turn
            turn._pending.append(self._run)
            if not turn._depth:
                turn.rouse()

    def _run(self) -> None:
        waiting = self._waiting
        if waiting is not None and self._reading:
            try:
                if isinstance(waiting, bytes):
                    self._waiting = None
                    self.protocol.dataReceived(waiting)
                else:
                    self._deliver(waiting)
            except BaseException:
                self._failed()
            peer = self._peer
            if peer is not None and peer._wakeBelow >= 0 and peer._isLow():
                peer._wakeProducer()
        self._scheduled = False
        if self.control:
            if self._marks:
                self._runControl()
            elif self.disconnecting:
                peer = self._peer
                if peer is None or self._ended and peer._waiting is None:
                    self._lose(_DONE)  # the plain close
                else:
                    self._tellEnds()
            elif self._peer is None and not self._ended:
                if self._waiting is None and self._reading:  # ... of the peer
                    if getattr(self.protocol, "readConnectionLost", None) is None:
                        self._lose(_DONE)  # it need not be asked whether it is half-closeable
                    else:
                        self._tellEnd()
            else:
                self._tellEnds()
        if self._waiting is not None and self._reading:
            self._schedule()

    def _deliver(self, chunks: Chunks) -> None:
        budget = len(chunks)  # what comes in meanwhile waits for its own turn
        while budget and self._reading and self._waiting is chunks:
            data, taken = chunks.take(budget)
            budget -= taken
            if not chunks:
                self._waiting = None
            self.protocol.dataReceived(data)

    def _queue(self, data: bytes) -> int:
        chunks = self._waiting
        if not isinstance(chunks, Chunks):
            assert chunks is not None  # the first one waits alone
            chunks = self._waiting = chunksOf(chunks)
        return chunks.add(data)

    @property
    def bufferedBytes(self) -> int:
        """Bytes written here that the peer's protocol has not got yet."""
        peer = self._peer
        waiting = None if peer is None else peer._waiting
        if waiting is None:
            return 0
        return len(waiting) if isinstance(waiting, bytes) else waiting.size

    def _runControl(self) -> None:
        marks = self._marks
        if marks & LOST:
            self._lose(self._lossReason)
        elif not self.disconnecting:
            if marks & BROKEN and self._peer is None:
                self._lose(_lost("written to after the peer had closed"))
            else:
                self._tellEnds()
        elif self._peer is None:
            self._lose(_DONE)
        elif not self._ended or self._peer._waiting is not None:
            self._tellEnds()
        elif marks & RESETTING:
            self._abort(failureOf(ConnectionAborted()))
        else:
            self._lose(_DONE)

    def _tellEnds(self) -> None:
        peer = self._peer
        if self._ended and not self._marks & TAKEN and (peer is None or peer._waiting is None):
            self._marks |= TAKEN
            self._tellWriteEnd()
            peer = self._peer
        if self._waiting is not None:
            return
        if peer is not None:
            if not peer._ended:
                return
            if not peer._marks & TAKEN:
                peer._schedule()
            if peer._marks & RESETTING:
                return
        if self._reading and not self._marks & TOLD:
            self._tellEnd()

    def _tellEnd(self) -> None:
        protocol = self.protocol
        if not (self._mayHalfClose() if self._marks else _isHalfCloseable(protocol)):
            self._lose(_DONE)
            return
        self._asked = protocol
        self._marks |= KNOWN | HALF | TOLD
        try:
            cast(IHalfCloseableProtocol, protocol).readConnectionLost()
        except BaseException:
            self._failed()

    def _tellWriteEnd(self) -> None:
        if self._mayHalfClose():
            try:
                cast(IHalfCloseableProtocol, self.protocol).writeConnectionLost()
            except BaseException:
                self._failed()

    def _mayHalfClose(self) -> bool:
        protocol = self.protocol
        if not self._marks & KNOWN or self._asked is not protocol:
            self._asked = protocol
            half = KNOWN | HALF if _isHalfCloseable(protocol) else KNOWN
            self._marks = self._marks & ~HALF | half
        return bool(self._marks & HALF)

    def _wakeProducer(self) -> None:
        try:
            self._wake()
        except BaseException:
            self._failed()

    # -- ends ----------------------------------------------------------------------------------

    def _sendEnd(self) -> None:
        if not self._ended:
            self._ended = True
            self._sink = None
            peer = self._peer
            if peer is not None:
                peer.control = True
                peer._schedule()
        self.control = True
        self._schedule()

    def _stopReading(self) -> None:
        self._reading = False
        self._waiting = None  # what nobody will read is not kept
        peer = self._peer
        if peer is not None:
            peer._sink = None
            if peer._wakeBelow >= 0:
                self._turn.post(peer._wakeProducer)
            if peer._ended:
                peer._schedule()

    def _failed(self) -> None:
        reason = failureOf()
        _log.failure("unhandled error in {protocol!r}", failure=reason, protocol=self.protocol)
        self._abort(reason)

    def _abort(self, reason: Failure) -> None:
        self._stopReading()
        if self._peer is not None:
            self._peer._reset(_lost("connection aborted by peer"))
        self._reset(reason)

    def _reset(self, reason: Failure) -> None:
        if not self._marks & LOST:
            self._marks |= LOST
            self._lossReason = reason
        self.control = True
        self._sink = None
        if self.protocol is not NOBODY:  # not started: what has arrived comes first
            self._stopReading()
        self._schedule()

    def _lose(self, reason: Failure) -> None:
        self.connected = self.control = False
        self._sink = self._waiting = None
        peer = self._peer
        if peer is not None:
            self._peer = peer._peer = peer._sink = None
            peer.control = True
            if peer._wakeBelow >= 0:
                self._turn.post(peer._wakeProducer)
            if not peer._scheduled:
                peer._schedule()
        protocol = self.protocol
        self.protocol = NOBODY
        if self._marks:
            if self._marks & LOST:
                self._lossReason = _DONE
            self._marks = 0
            self._asked = NOBODY
        if self._producer is not None:
            self._stopProducer(self._producer)
        try:
            protocol.connectionLost(reason)
        except BaseException:
            _log.failure("unhandled error in {protocol!r}", protocol=protocol)
        factory = self.factory
        if factory is not None:
            self.factory = None
            factory.doStop()

    def _stopProducer(self, producer: IProducer) -> None:
        self._unregister()
        try:
            producer.stopProducing()
        except BaseException:
            _log.failure("unhandled error in {producer!r}", producer=producer)


def _lost(text: str) -> Failure:
    return failureOf(ConnectionLost(text))
