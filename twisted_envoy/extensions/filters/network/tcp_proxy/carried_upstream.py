"""The upstream side of a carried connection; see `carried`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.interfaces import Passage
from twisted_envoy.sockets.write_buffer import DEFAULT_LIMIT

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.carried import Carried
    from twisted_envoy.extensions.filters.network.tcp_proxy.leg import Leg

_log = Logger("upstream")


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class CarriedUpstream:
    """
    The upstream side: wants the connection, and is its protocol.

    Args:
        carried: the downstream side.
        leg: the last one there is to go.

    Attributes:
        attempt: to cancel; None when it is over.
        pool: the pool's connection that it has become; None while it is carried.
        isOver: it is lost, as it should be.
        returned: `start` has.
        ended: its own end of stream is out. remoteEnded: the other end ended after that.
    """

    __slots__ = (
        "attempt",
        "carried",
        "connectedTime",
        "ended",
        "isOver",
        "leg",
        "pool",
        "remoteEnded",
        "returned",
        "transport",
        "write",
    )

    def __init__(self, carried: Carried, leg: Leg) -> None:
        self.carried = carried
        self.leg = leg
        self.write = carried.transport.write
        self.transport: Any = None
        self.pool: Any = None
        self.attempt: Any = None
        self.isOver = self.ended = self.remoteEnded = self.returned = False

    # Connecting.

    def start(self, now: float) -> None:
        """Begin to connect."""
        leg = self.leg
        queue = leg.connectTimeouts
        queue.waiting[self] = now + queue.delay
        if queue.armed is None:
            queue.arm()
        assert leg.begin is not None
        try:
            attempt = leg.begin(self)
        except Exception:
            _log.failure("a transport socket raised instead of connecting")
            self.connectFailed(Failure())  # type: ignore[no-untyped-call]
        else:
            if self.pool is None:
                self.attempt = attempt
        self.returned = True

    def due(self) -> None:
        """It takes too long."""
        self.carried.become()
        self.pool.due()

    def buildProtocol(self, addr: Any) -> Any:
        """See ConnectUser."""
        return self if self.pool is None else self.pool.buildProtocol(addr)

    def connected(self, protocol: Any) -> None:
        """See ConnectUser."""
        if self.pool is not None:
            self.pool.connected(protocol)

    def connectFailed(self, reason: Failure) -> None:
        """See ConnectUser."""
        if self.pool is None:
            self.carried.become()
        self.pool.connectFailed(reason)

    # Events of the upstream connection.

    def makeConnection(self, transport: Any) -> None:
        self.attempt = None
        self.transport = transport
        carried = self.carried
        leg = self.leg
        cluster = leg.cluster
        now = self.connectedTime = leg.seconds()
        queue = leg.connectTimeouts
        queue.waiting.pop(self, None)
        if not queue.waiting:
            queue.disarm()
        cluster.open[transport] = None
        if cluster.bufferLimit != DEFAULT_LIMIT:
            transport.setWriteBufferLimit(cluster.bufferLimit)
        transport.registerProducer(carried, True)
        carried.connected(transport, now)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def dataReceived(self, data: bytes) -> None:
        size = len(data)
        leg = self.leg
        leg.clusterReceived.value += size
        leg.sent.value += size
        carried = self.carried
        carried.bytesSent += size
        seconds, write = leg.seconds, self.write
        carried.lastActivity = seconds()
        write(data)

    def readConnectionLost(self) -> None:
        self.remoteEnded = self.ended  # who ends last is who closes it
        self.carried.upstreamEnds()

    def writeConnectionLost(self) -> None:
        self.ended = True

    def connectionLost(self, reason: Failure) -> None:
        carried = self.carried
        if not (
            carried.ended and carried.upstreamEnded and reason.value.__class__ is ConnectionDone
        ):
            carried.become()
            self.pool.connectionLost(reason)
        else:
            self.over(self.leg.seconds())

    def over(self, now: float) -> None:
        """It has ended as it should."""
        self.isOver = True
        self.leg.cluster.open.pop(self.transport, None)
        self.carried.upstreamLost(self.remoteEnded, now - self.connectedTime, now)

    def passage(self) -> Passage | None:
        """See Chain."""
        carried = self.carried
        if carried.chain is not None:
            return None
        return Passage(self.dataReceived, carried.transport, self.count)

    def count(self, size: int) -> None:
        """So many bytes for the client have passed."""
        leg = self.leg
        leg.clusterReceived.value += size
        leg.sent.value += size
        carried = self.carried
        carried.bytesSent += size
        seconds = leg.seconds
        carried.lastActivity = seconds()

    # The client takes no more, or more again.

    def pauseProducing(self) -> None:
        self.carried.become()
        self.carried.producer.pauseProducing()

    def resumeProducing(self) -> None:
        self.carried.become()
        self.carried.producer.resumeProducing()

    def stopProducing(self) -> None:
        """The client is gone; that is heard of as a lost connection."""
