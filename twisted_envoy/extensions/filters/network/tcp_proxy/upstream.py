"""
The upstream half of a TCP proxy.

    state      event                        next
    open       the client's end             writes ended (our end of stream goes up)
    open       the upstream's end           reads ended (its end of stream goes down)
    open       lost by reset                gone, the client is reset
    open       lost otherwise               gone, the client is closed
    open       the client is gone           flushing until all is written, or gone at a reset
    flushing   all written                  gone
    flushing   bytes                        dropped (Envoy ends the flush then)
    flushing   idle, nothing taken          gone, reset

Through a tunnel the same happens to the HTTP stream, but for this: it is never flushed, only a
stream that the peer has reset resets the client (a lost connection closes it), and over HTTP/1.1
either end is the end of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProtocol,
    IPushProducer,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.extensions.filters.network.tcp_proxy.relay import Relay, askingDrain, counting
from twisted_envoy.http.stream_transport import StreamLost
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.interfaces import Passage
from twisted_envoy.network.link import NO_TRANSPORT, dropped
from twisted_envoy.network.timers import IdleTimer
from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_kind import TunnelKind


_ONE_EVENT = 0.001
"""Seconds: what comes within them counts as one event of a connection."""


def _wroteJustNow(proxy: TCPProxy, before: int) -> bool:
    """
    Have bytes of the client come with its end of stream, as far as one can tell?

    Args:
        before: bytes that had come when the upstream's stream ended.
    """
    past = proxy.settings.seconds() - proxy.idle.lastActivity
    return proxy.streamInfo.bytesReceived > before and past < _ONE_EVENT


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class Upstream:
    """
    The protocol of the upstream connection, and the producer of what the client gets.

    Args:
        proxy: the downstream half.
        clusterStats: of the cluster that the connection goes to.
        tunnel: what it goes through, None for nothing.

    Attributes:
        sent: counts the bytes that go up; those of a tunnel are counted with its connection.
    """

    __slots__ = (
        "_ended",
        "_flushing",
        "_proxy",
        "_receivedBefore",
        "_stats",
        "_tunnel",
        "_writesEnded",
        "clusterStats",
        "dataReceived",
        "sent",
        "transport",
    )

    def __init__(
        self, proxy: TCPProxy, clusterStats: Any, tunnel: TunnelKind | None = None
    ) -> None:
        self._proxy: TCPProxy | None = proxy
        self._stats = proxy.settings.stats
        self.clusterStats = clusterStats
        self.transport: Any = NO_TRANSPORT
        self._ended = False
        self._receivedBefore = 0
        self._tunnel = tunnel
        self._writesEnded = False
        self._flushing: IdleTimer | None = None
        if tunnel is None:
            self.sent: Counter = clusterStats.upstream_cx_tx_bytes_total
            received = clusterStats.upstream_cx_rx_bytes_total
        else:
            self.sent = received = tunnel.uncounted
        settings = proxy.settings
        delivered = settings.stats.downstream_cx_tx_bytes_total
        info = proxy.streamInfo
        write = proxy.transport.write
        relay = Relay(write, received, delivered, info, proxy.idle, settings.seconds).down
        self.dataReceived: Callable[[bytes], None] = (
            relay if settings.drainClose is None else askingDrain(proxy, relay)
        )

    @property
    def isTunnel(self) -> bool:
        """What it writes becomes part of a request."""
        return self._tunnel is not None

    def passage(self) -> Passage | None:
        """What is done with the upstream's bytes, while it is only this."""
        proxy = self._proxy
        if proxy is None or self._tunnel is not None or proxy.settings.drainClose is not None:
            return None
        counters = (
            self.clusterStats.upstream_cx_rx_bytes_total,
            self._stats.downstream_cx_tx_bytes_total,
        )
        settings = proxy.settings
        count = counting(counters, proxy.streamInfo, proxy.idle, settings.seconds, False)
        return Passage(self.dataReceived, proxy.transport, count)

    def resume(self, transport: Any, ended: bool, writesEnded: bool, before: int) -> None:
        """
        Go on with a connection that has begun without it.

        Args:
            before: bytes of the client that had come when the upstream's stream ended.
        """
        self.transport = transport
        self._ended = ended
        self._writesEnded = writesEnded
        self._receivedBefore = before
        self._steer()

    def _steer(self) -> None:
        """Have the chain's gate count how often the upstream takes no more."""
        proxy = self._proxy
        assert proxy is not None
        gate = proxy.chain.gate
        gate.paused = self._stats.downstream_flow_control_paused_reading_total
        gate.resumed = self._stats.downstream_flow_control_resumed_reading_total

    # Events of the upstream connection.

    def makeConnection(self, transport: Any) -> None:
        proxy = self._proxy
        if proxy is None:
            transport.abortConnection()
            return
        self.transport = transport
        proxy.transport.registerProducer(self, True)
        self._steer()
        transport.registerProducer(proxy.chain.gate, True)
        proxy.begin(self)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def readConnectionLost(self) -> None:
        """The upstream's end of stream goes down to the client."""
        self._ended = True
        proxy = self._proxy
        if proxy is None:
            return
        self._receivedBefore = proxy.streamInfo.bytesReceived
        proxy.upstreamEnded = True
        tunnel = self._tunnel
        if self._writesEnded or (tunnel is not None and tunnel.endsTogether):
            self.close()
            proxy.close()
        else:
            proxy.transport.unregisterProducer()
            proxy.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None:
        """Our own end of stream is out."""

    def connectionLost(self, reason: Failure) -> None:
        if self._flushing is not None:
            self._flushing.stop()
            self._flushing = None
            self._stats.upstream_flush_active.value -= 1
        self.transport = NO_TRANSPORT
        self.dataReceived = dropped
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            problem = reason.value
            if self._tunnel is None:
                reset = not isinstance(problem, (ConnectionDone, ConnectionAborted))
            else:
                reset = isinstance(problem, StreamLost) and problem.isReset
            proxy.upstreamLost(reset)

    # The downstream transport takes no more, or more again.

    def pauseProducing(self) -> None:
        self.clusterStats.upstream_flow_control_paused_reading_total.value += 1
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.clusterStats.upstream_flow_control_resumed_reading_total.value += 1
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The client is gone; the proxy hears of that as a lost connection."""

    # What the downstream half asks for.

    def endWrites(self) -> None:
        """The client has ended: so do we, and close when the upstream has ended already."""
        self._writesEnded = True
        self.transport.unregisterProducer()
        if self._tunnel is not None:
            self._endTunnel(self._tunnel)
        elif self._ended:
            proxy = self._proxy
            if proxy is not None and _wroteJustNow(proxy, self._receivedBefore):
                self._stats.upstream_flush_total.value += 1  # be there anything to flush or not
            self.close()
            if proxy is not None:
                proxy.close()
        else:
            self.transport.loseWriteConnection()

    def _endTunnel(self, tunnel: TunnelKind) -> None:
        """The stream ends behind all that was written."""
        self.transport.loseWriteConnection()
        proxy = self._proxy
        if proxy is not None and (self._ended or (tunnel.endsTogether and not tunnel.answersLate)):
            proxy.close()

    def close(self) -> None:
        """Close once everything is written; a tunnel that has not ended both ways is reset."""
        transport = self.transport
        if not self._writesEnded:
            transport.unregisterProducer()
        if self._tunnel is not None:
            transport.abortConnection()
        elif self._writesEnded or not isinstance(transport.getPeer(), InternalAddress):
            transport.loseConnection()
        else:
            transport.resetConnection()  # see TCPProxy.close

    def downstreamLost(self, reset: bool) -> None:
        """There is nobody to send to any more."""
        proxy, self._proxy = self._proxy, None
        transport = self.transport
        if proxy is None or transport is NO_TRANSPORT:
            return
        idle = proxy.idle
        if reset:
            transport.abortConnection()
            idle.stop()
            return
        self.close()
        left = transport.bufferedBytes
        if not left:
            idle.stop()
            return
        self._flushing = idle
        if not (self._ended and self._writesEnded):  # it is counted already
            self._stats.upstream_flush_total.value += 1
        self._stats.upstream_flush_active.value += 1

        def idled() -> None:
            nonlocal left
            if transport.bufferedBytes == left:
                transport.abortConnection()
            else:  # it is taken, if slowly: look again later
                left = transport.bufferedBytes
                idle.start()

        idle.idle = idled
