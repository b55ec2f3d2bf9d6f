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
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IProtocolFactory
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.pipe import Pipe
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


class End:
    """
    What InternalTransport's verbs act on.

    Its attributes are set by `makePair`, for both ends at a time: a call to an `__init__` would
    cost as much again as all of them.
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
        "_inbound",
        "_outbound",
        "_scheduled",
        "_reading",
        "control",
        "_endAsked",
        "_endTaken",
        "_endTold",
        "_broken",
        "_resetting",
        "_lossReason",
        "_halfCloseable",
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
    _inbound: Pipe
    _outbound: Pipe
    _scheduled: bool  # its turn is posted; until start() it is asleep and looks so
    _reading: bool
    control: bool  # some end or loss waits to be looked at; without it nothing is refused
    _endAsked: bool  # our end of stream: asked for
    _endTaken: bool  # ... and taken by the peer
    _endTold: bool  # the peer's end of stream
    _broken: bool  # something was written to a peer that is gone
    _resetting: bool  # closing, to end as an abort
    _lossReason: Failure | None
    _halfCloseable: IHalfCloseableProtocol | None  # what protocol is, if it is _asked
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
        self._reading = True
        try:
            protocol.makeConnection(self)  # type: ignore[arg-type]  # a subclass is a transport
        except BaseException:
            self._abort(failureOf())
            raise
        finally:
            self._scheduled = False
            if self._inbound or self.control:
                self._schedule()

    def isStarted(self) -> bool:
        """Whether `start` was called."""
        return self.protocol is not NOBODY or not self.connected

    def isRefused(self) -> bool:
        """Whether the peer is gone, or about to go, and there is nothing to read from it."""
        if not self.control or self._inbound:
            return False
        peer = self._peer
        return peer is None or self._lossReason is not None or peer._isClosing()

    def discard(self) -> None:
        """Give up an end that was never started: no event here, the peer loses its connection."""
        peer = self._peer
        self.connected = False
        self._inbound.open = self._outbound.open = False
        self._inbound.drop()
        self._peer = None
        if peer is not None:
            peer._peer = None
            peer._reset(_DONE if peer._isClosing() else _lost("connection given up by peer"))
        factory = self.factory
        if factory is not None:
            self.factory = None
            factory.doStop()

    def _isClosing(self) -> bool:
        return self.disconnecting and self._outbound.ended

    # -- the turn ------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._turn.post(self._run)

    def _run(self) -> None:
        pipe = self._inbound
        if self._reading and pipe:
            try:
                if len(pipe) == 1:
                    pipe.size = 0
                    self.protocol.dataReceived(pipe.pop())
                else:
                    self._deliver(pipe)
            except BaseException:
                self._failed()
            if pipe.size <= pipe.wakeBelow and self._peer is not None:
                self._peer._wakeProducer()
        self._scheduled = False
        if self.control:
            outbound = self._outbound
            if (
                self.disconnecting
                and outbound.ended
                and not outbound.size
                and self._lossReason is None
                and not self._resetting
            ):
                self._lose(_DONE)  # the plain close
            else:
                self._runControl()
        if pipe and self._reading:
            self._schedule()

    def _deliver(self, pipe: Pipe) -> None:
        budget = len(pipe)  # what comes in meanwhile waits for its own turn
        while budget and self._reading and pipe:
            data, taken = pipe.take(budget)
            budget -= taken
            self.protocol.dataReceived(data)

    def _runControl(self) -> None:
        if self._lossReason is not None:
            self._lose(self._lossReason)
        elif not self.disconnecting:
            if self._broken and self._peer is None:
                self._lose(_lost("written to after the peer had closed"))
            else:
                self._tellEnds()
        elif self._peer is None:
            self._lose(_DONE)
        elif not self._outbound.ended or self._outbound.size:
            self._tellEnds()
        else:
            self._abort(failureOf(ConnectionAborted()))  # by resetConnection

    def _tellEnds(self) -> None:
        outbound = self._outbound
        if outbound.ended and not outbound.size and not self._endTaken:
            self._endTaken = True
            self._tellWriteEnd()
        inbound = self._inbound
        peer = self._peer
        if inbound or not inbound.ended:
            return
        if peer is not None:
            if not peer._endTaken:
                peer._schedule()
            if peer._resetting:
                return
        if self._reading and not self._endTold:
            self._endTold = True
            halfCloseable = self._askHalfCloseable()
            if halfCloseable is None:
                self._lose(_DONE)
            else:
                self._tellReadEnd(halfCloseable)

    def _tellReadEnd(self, halfCloseable: IHalfCloseableProtocol) -> None:
        try:
            halfCloseable.readConnectionLost()
        except BaseException:
            self._failed()

    def _tellWriteEnd(self) -> None:
        halfCloseable = self._askHalfCloseable()
        if halfCloseable is not None:
            try:
                halfCloseable.writeConnectionLost()
            except BaseException:
                self._failed()

    def _askHalfCloseable(self) -> IHalfCloseableProtocol | None:
        protocol = self.protocol
        if self._asked is not protocol:
            self._asked = protocol
            if _isHalfCloseable(protocol):
                self._halfCloseable = cast(IHalfCloseableProtocol, protocol)
            else:
                self._halfCloseable = None
        return self._halfCloseable

    def _wakeProducer(self) -> None:
        try:
            self._outbound.wake()
        except BaseException:
            self._failed()

    # -- ends ----------------------------------------------------------------------------------

    def _sendEnd(self) -> None:
        pipe = self._outbound
        if not pipe.ended:
            pipe.ended = True
            pipe.open = False
            peer = self._peer
            if peer is not None:
                peer.control = True
                if not peer._scheduled:
                    peer._scheduled = True
                    self._turn.post(peer._run)
        self.control = True
        if not self._scheduled:
            self._schedule()

    def _stopReading(self) -> None:
        self._reading = False
        pipe = self._inbound
        pipe.open = False  # what nobody will read is not kept
        if pipe:
            pipe.drop()
        peer = self._peer
        if peer is not None:
            if pipe.wakeBelow >= 0:
                self._turn.post(peer._wakeProducer)
            if pipe.ended:
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
        if self._lossReason is None:
            self._lossReason = reason
        self.control = True
        self._outbound.open = False
        if self.protocol is not NOBODY:  # not started: what has arrived comes first
            self._stopReading()
        self._schedule()

    def _lose(self, reason: Failure) -> None:
        self.connected = self._reading = self.control = False
        inbound = self._inbound
        outbound = self._outbound
        inbound.open = outbound.open = False
        if inbound:
            inbound.drop()
        peer = self._peer
        if peer is not None:
            self._peer = peer._peer = None
            peer.control = outbound.ended = True
            if inbound.wakeBelow >= 0:
                self._turn.post(peer._wakeProducer)
            if not peer._scheduled:
                peer._schedule()
        protocol = self.protocol
        self.protocol = self._asked = NOBODY
        self._halfCloseable = self._lossReason = None
        producer = outbound.producer
        if producer is not None:
            outbound.unregister()
            try:
                producer.stopProducing()
            except BaseException:
                _log.failure("unhandled error in {producer!r}", producer=producer)
        try:
            protocol.connectionLost(reason)
        except BaseException:
            _log.failure("unhandled error in {protocol!r}", protocol=protocol)
        factory = self.factory
        if factory is not None:
            self.factory = None
            factory.doStop()


def _lost(text: str) -> Failure:
    return failureOf(ConnectionLost(text))
