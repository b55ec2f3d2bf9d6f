"""
A connection that is carried from socket to socket: two objects, and the usual events only.

    state        event                          next
    connecting   connected                      relaying
    relaying     bytes                          passed on
    relaying     one end of stream, the other   ending
    ending       upstream lost, client lost     over
    any          anything else                  ordinary, and then that event

An attribute that is called is taken into a name first: as a method of something it would be looked
up anew each time (CPython 3.11).

What each event means is told in `filter` and `upstream`; the counters are those that a connection
of links has, at the same events (`Leg`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.extensions.filters.network.tcp_proxy.carried_upstream import CarriedUpstream
from twisted_envoy.internal.interfaces import Passage
from twisted_envoy.network.link import NO_TRANSPORT
from twisted_envoy.sockets.write_buffer import DEFAULT_LIMIT

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.leg import Leg
    from twisted_envoy.network.chain import Chain
    from twisted_envoy.network.read_gate import ReadGate
    from twisted_envoy.network.timers import DeadlineQueue
    from twisted_envoy.state.stream_info import StreamInfo

ONE_EVENT = 0.001
"""Seconds: what comes within them counts as one event of a connection."""


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class Carried:
    """
    The downstream side: the protocol of the accepted connection.

    It is the producer of what goes up; what `upstream` produces goes down.

    Args:
        leg: where it goes.

    Attributes:
        chain: what it has become; None while it is carried. gate, producer: then, of the chain
            that the upstream connection belongs to, and what the client's transport is filled by.
        startTime, lastActivity: seconds.
        bytesReceived, bytesSent: so far.
        ended, upstreamEnded: the streams that have.
        receivedBefore: bytes that had come when the upstream's stream ended.
    """

    __slots__ = (
        "bytesReceived",
        "bytesSent",
        "chain",
        "connectionID",
        "ended",
        "gate",
        "lastActivity",
        "leg",
        "producer",
        "receivedBefore",
        "startTime",
        "transport",
        "upstream",
        "upstreamEnded",
        "write",
    )

    earlyBytes = 0
    transport: Any
    upstream: Any
    write: Any
    gate: ReadGate
    producer: IPushProducer

    def __init__(self, leg: Leg) -> None:
        self.leg = leg
        self.chain: Chain | None = None
        self.bytesReceived = self.bytesSent = self.receivedBefore = 0
        self.ended = self.upstreamEnded = False
        self.write = None

    # Events of the downstream connection.

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        leg = self.leg
        now = self.startTime = self.lastActivity = leg.seconds()
        self.connectionID = leg.nextID()
        if leg.bufferLimit != DEFAULT_LIMIT:
            transport.setWriteBufferLimit(leg.bufferLimit)
        transport.pauseProducing()
        leg.began(self)
        leg.live[self] = None
        queue = leg.idleQueue
        if queue is not None:
            queue.waiting[self] = now + queue.delay
            if queue.armed is None:
                queue.arm()
        self.upstream = upstream = CarriedUpstream(self, leg)
        upstream.start(now)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def dataReceived(self, data: bytes) -> None:
        size = len(data)
        leg = self.leg
        leg.received.value += size
        leg.clusterSent.value += size
        self.bytesReceived += size
        seconds, write = leg.seconds, self.write
        self.lastActivity = seconds()
        write(data)

    def readConnectionLost(self) -> None:
        self.ended = True
        if not self.upstreamEnded:
            self.leg.turn.post(self._endUpstream)
            return
        if self.bytesReceived > self.receivedBefore:
            if self.leg.seconds() - self.lastActivity < ONE_EVENT:
                self.flushed()
        self._close()

    def writeConnectionLost(self) -> None:
        """Our own end of stream is out; nobody has to know."""

    def connectionLost(self, reason: Failure) -> None:
        if not self.upstream.isOver or reason.value.__class__ is not ConnectionDone:
            self.become().connectionLost(reason)
        else:
            self.over(self.leg.seconds())

    def over(self, now: float) -> None:
        """It has ended as it should."""
        leg = self.leg
        leg.lost(self, now - self.startTime)
        del leg.live[self]
        self.transport = NO_TRANSPORT
        self.upstream = self.write = None

    def passage(self) -> Passage | None:
        """See Chain."""
        if self.chain is not None or self.write is None:
            return None
        return Passage(self.dataReceived, self.upstream.transport, self.count)

    def count(self, size: int) -> None:
        """So many bytes of the client have passed."""
        leg = self.leg
        leg.received.value += size
        leg.clusterSent.value += size
        self.bytesReceived += size
        seconds = leg.seconds
        self.lastActivity = seconds()

    def _endUpstream(self) -> None:
        """The client has ended."""
        upstream = self.upstream
        transport = upstream.transport
        if self.chain is None and transport.endNow():
            upstream.ended = True
        else:
            transport.unregisterProducer()
            transport.loseWriteConnection()

    def _close(self) -> None:
        """Both have ended."""
        self.leg.turn.post(self._closeBoth)

    def _closeBoth(self) -> None:
        upstream = self.upstream
        if self.chain is None and upstream.transport.closeNow():
            now = self.leg.seconds()
            upstream.over(now)
            if self.transport.closeNow():
                self.over(now)
                return
        else:
            upstream.transport.unregisterProducer()
            upstream.transport.loseConnection()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # What the upstream side tells.

    def connected(self, transport: Any, now: float) -> None:
        """The upstream connection is there: bytes may flow."""
        self.leg.connected(now - self.startTime)
        self.write = transport.write
        self.lastActivity = now
        self.transport.registerProducer(self.upstream, True)
        self.transport.resumeProducing()

    def upstreamEnds(self) -> None:
        """The upstream's end of stream."""
        self.upstreamEnded = True
        if self.ended:
            self._close()
        else:
            self.receivedBefore = self.bytesReceived
            self.transport.unregisterProducer()
            self.transport.loseWriteConnection()

    def flushed(self) -> None:
        """The client has ended last, with bytes."""
        self.leg.flushed()

    def upstreamLost(self, remote: bool, lasted: float, now: float) -> None:
        """The upstream connection has ended as it should."""
        self.leg.upstreamLost(remote, lasted)
        queue = self.leg.idleQueue
        if queue is not None:
            queue.waiting.pop(self, None)
            if not queue.waiting:
                queue.disarm()

    # Anything else.

    @property
    def wire(self) -> Any:
        """See TCPProxy."""
        return self.transport

    @property
    def streamInfo(self) -> StreamInfo:
        """Everything that is known of it; nobody asks for that of most."""
        return self.become().streamInfo

    def idleQueue(self) -> DeadlineQueue | None:
        """Where it waits."""
        return self.leg.idleQueue

    def become(self) -> Chain:
        """What it would have been from the beginning; the same each time."""
        if self.chain is None:
            from twisted_envoy.extensions.filters.network.tcp_proxy.ordinary import ordinary

            ordinary(self)
        assert self.chain is not None
        return self.chain

    def forget(self) -> None:
        """It has become a chain, at an event that is over: the two sides are no cycle any more."""
        self.upstream = None

    def due(self) -> None:
        """Nobody knows yet whether it was idle: that is for its timer to find out."""
        self.become()

    def pauseProducing(self) -> None:
        """The upstream takes no more."""
        self.become()
        self.gate.pauseProducing()

    def resumeProducing(self) -> None:
        """It takes more again."""
        self.become()
        self.gate.resumeProducing()

    def stopProducing(self) -> None:
        """The upstream is gone; that is heard of as a lost connection."""
