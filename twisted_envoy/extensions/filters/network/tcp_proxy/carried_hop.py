"""
A connection that is carried through a hop: there is none, until something unusual happens.

A TCP proxy that goes to an internal listener with nothing but a TCP proxy behind it passes bytes to
that one, and that to a host. So bytes go from socket to socket, and both proxies, both listeners
and both clusters count what they would have seen. What the hop would hold while the host's
connection is being made is held here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.filters.network.tcp_proxy.carried import Carried
from twisted_envoy.extensions.filters.network.tcp_proxy.carried_upstream import CarriedUpstream
from twisted_envoy.internal.registry import MIN_BUFFER_SIZE
from twisted_envoy.sockets.write_buffer import DEFAULT_LIMIT

_MOST_EARLY = 64 * 1024
"""Bytes that are held without a hop."""

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.leg import Leg
    from twisted_envoy.network.timers import DeadlineQueue


class CarriedOverHop(Carried):
    """
    Through two legs: `leg`, to the internal listener, and the one behind it.

    Attributes:
        second: that. idle: where it waits.
        early: bytes that came before the host's connection was there.
        isConfirmed: the hop would be.
        told: bytes that had come when the upstream's end of stream went to the client; -1 before.
        remoteEnded: the hop's other end would have ended last.
    """

    __slots__ = ("early", "idle", "isConfirmed", "remoteEnded", "second", "told")

    idle: DeadlineQueue | None

    def __init__(self, leg: Leg, second: Leg) -> None:
        super().__init__(leg)
        self.second = second
        self.early = b""
        self.isConfirmed = self.remoteEnded = False
        self.told = -1

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        leg = self.leg
        second = self.second
        now = self.startTime = self.lastActivity = leg.seconds()
        self.connectionID = leg.nextID()
        if leg.bufferLimit != DEFAULT_LIMIT:
            transport.setWriteBufferLimit(leg.bufferLimit)
        leg.began(self)
        second.began(self)
        leg.live[self] = None
        queue = self.idle = leg.firstToIdle(second)
        if queue is not None:
            queue.waiting[self] = now + queue.delay
            if queue.armed is None:
                queue.arm()
        self.upstream = upstream = _UpstreamOverHop(self, second)
        leg.registry.turn.afterPoll(self.confirm)  # before what is told of the host
        upstream.start(now)

    def confirm(self) -> None:
        """The hop would be confirmed by now."""
        if not self.isConfirmed and self.chain is None:
            self.isConfirmed = True
            leg = self.leg
            leg.connected(leg.seconds() - self.startTime)
            leg.cluster.open[self] = None

    def dataReceived(self, data: bytes) -> None:
        size = len(data)
        leg = self.leg
        leg.received.value += size
        leg.clusterSent.value += size
        self.bytesReceived += size
        seconds = leg.seconds
        self.lastActivity = seconds()
        if self.write is None:
            self._early(data)
        else:
            leg = self.second
            leg.received.value += size
            leg.clusterSent.value += size
            self.write(data)

    def count(self, size: int) -> None:
        leg = self.leg
        leg.received.value += size
        leg.clusterSent.value += size
        self.bytesReceived += size
        seconds = leg.seconds
        self.lastActivity = seconds()
        leg = self.second
        leg.received.value += size
        leg.clusterSent.value += size

    def _early(self, data: bytes) -> None:
        self.confirm()
        self.early += data
        size = len(self.early)
        if size > MIN_BUFFER_SIZE:
            address: Any = self.leg.host.address
            if size > min(self.leg.registry.bufferSizeOf(address), _MOST_EARLY):
                self.become()

    def readConnectionLost(self) -> None:
        if self.write is None:
            self.confirm()
            self.become().readConnectionLost()
        else:
            if self.upstreamEnded and self.told < 0 and not self.transport.bufferedBytes:
                self.remoteEnded = True  # both ends came at once, and pass each other in the hop
            super().readConnectionLost()

    def writeConnectionLost(self) -> None:
        self.told = self.bytesReceived

    def upstreamEnds(self) -> None:
        self.remoteEnded = self.ended
        super().upstreamEnds()

    def connected(self, transport: Any, now: float) -> None:
        if not self.isConfirmed:
            self.confirm()
        second = self.second
        second.connected(now - self.startTime)
        self.write = transport.write
        self.lastActivity = now
        self.transport.registerProducer(self.upstream, True)
        if self.early:
            early, self.early = self.early, b""
            size = len(early)
            second.received.value += size
            second.clusterSent.value += size
            transport.write(early)

    @property
    def bufferedBytes(self) -> int:
        """What the hop would hold."""
        return len(self.early)

    def flushed(self) -> None:
        if not self.remoteEnded and self.bytesReceived > self.told:
            self.leg.flushed()
        self.second.flushed()

    def upstreamLost(self, remote: bool, lasted: float, now: float) -> None:
        leg = self.leg
        second = self.second
        age = now - self.startTime
        second.upstreamLost(remote, lasted)
        second.lost(self, age)
        leg.upstreamLost(self.remoteEnded, age)
        del leg.cluster.open[self]
        if self.idle is not None:
            self.idle.leave(self)

    def idleQueue(self) -> DeadlineQueue | None:
        return self.idle


class _UpstreamOverHop(CarriedUpstream):
    """The side of the host."""

    __slots__ = ()

    def dataReceived(self, data: bytes) -> None:
        size = len(data)
        leg = self.leg
        leg.clusterReceived.value += size
        leg.sent.value += size
        carried = self.carried
        carried.bytesSent += size
        seconds = leg.seconds
        carried.lastActivity = seconds()
        leg = carried.leg
        leg.clusterReceived.value += size
        leg.sent.value += size
        self.write(data)

    def count(self, size: int) -> None:
        leg = self.leg
        leg.clusterReceived.value += size
        leg.sent.value += size
        carried = self.carried
        carried.bytesSent += size
        seconds = leg.seconds
        carried.lastActivity = seconds()
        leg = carried.leg
        leg.clusterReceived.value += size
        leg.sent.value += size
