"""
CONNECT termination: the payload of a request goes to a TCP connection as it is.

To the router it looks like any pool and stream; the answer 200 is made here.

    state        event                       next
    connecting   connected                   open: PROXY header, 200 to the client
    connecting   failed                      over: poolFailed
    open         the request's end           our end of stream goes out
    open         the upstream's end          the answer ends
    open         lost                        over: connection termination
    open         resetStream                 over: closed

Envoy: Extensions::Upstreams::Http::Tcp
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.extensions.filters.http.router.shortcut import shorten
from twisted_envoy.interfaces.http import IHTTPPool, IPoolUser
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.link import NO_TRANSPORT
from twisted_envoy.state.filter_state import FilterState
from twisted_envoy.state.passthrough import upstreamState
from twisted_envoy.upstream.tcp_connection import PoolError


@implementer(IHTTPPool)
class TCPUpstreamPool:
    """
    "Streams" that are each one new TCP connection.

    Args:
        host: where they go. options: of the downstream connection.
        preface: bytes that each begins with. nextID: numbers the connections.
    """

    protocol = ""

    __slots__ = ("_host", "_nextID", "_options", "_preface")

    def __init__(self, host: Any, options: Any, preface: bytes, nextID: Callable[[], int]) -> None:
        self._host = host
        self._options = options
        self._preface = preface
        self._nextID = nextID

    def newStream(self, decoder: IStreamDecoder, user: IPoolUser) -> Callable[[], None] | None:
        upstream = TCPUpstream(self._host, decoder, self._preface, self._nextID)
        settled = False
        connecting: Deferred[Any] = self._host.tcpPool(self._options).connect(_Factory(upstream))

        def connected(ignored: object) -> None:
            nonlocal settled
            settled = True
            passthrough = getattr(upstream.transport, "passthrough", None)
            upstream.filterState = upstreamState(self._options.shared, passthrough)
            user.poolReady(upstream, upstream)

        def failed(failure: Failure) -> None:
            nonlocal settled
            settled = True
            upstream.forget()
            if not isinstance(failure.value, CancelledError):
                user.poolFailed(*_reason(failure))

        connecting.addCallbacks(connected, failed)
        return None if settled else connecting.cancel


def _reason(failure: Failure) -> tuple[Reset, str]:
    problem = failure.value
    if not isinstance(problem, PoolError):
        return Reset.REMOTE_CONNECTION_FAILURE, str(problem)
    if problem.flag != "UF":
        return Reset.OVERFLOW, ""
    if problem.reason:
        return Reset.REMOTE_CONNECTION_FAILURE, problem.reason
    return Reset.CONNECTION_TIMEOUT, ""


@implementer(IProtocol, IHalfCloseableProtocol, IStreamEncoder)
class TCPUpstream:
    """
    One such connection: its protocol, the encoder of the request, and what a PoolConnection is.

    Args:
        host: where it goes. decoder: gets the answer.
        preface: its first bytes. nextID: numbers it.

    Attributes:
        released: see upstream.tcp_pool.PoolConnection.
    """

    __slots__ = (
        "_decoder",
        "_nextID",
        "_over",
        "_paused",
        "_preface",
        "_requestEnded",
        "released",
        "_responseEnded",
        "connectedTime",
        "connectionID",
        "filterState",
        "headerBytes",
        "host",
        "localAddress",
        "receivedWireBytes",
        "remoteAddress",
        "startTime",
        "tls",
        "transport",
        "wireBytes",
    )

    protocol = ""
    isNew = True
    streamID = 1
    receivedHeaderBytes = 0
    passthrough: Any = None  # a listener's refusal is not HTTP here

    def __init__(
        self, host: Any, decoder: IStreamDecoder, preface: bytes, nextID: Callable[[], int]
    ) -> None:
        self.host = host
        self.transport: Any = NO_TRANSPORT
        self.localAddress: Any = None
        self.remoteAddress: Any = None
        self.tls: Any = None
        self.connectionID = 0
        self.filterState: FilterState | None = None
        self.startTime = self.connectedTime = host.cluster.seconds()
        self.wireBytes = self.receivedWireBytes = 0
        self.headerBytes = len(preface)
        self._decoder: Any = decoder
        self._nextID = nextID
        self._over = False
        self._requestEnded = False
        self.released = False
        self._responseEnded = False
        self._paused = 0
        self._preface = preface

    def forget(self) -> None:
        """Tell nobody anything any more."""
        self._over = True
        self._decoder = None

    def closeAfterStream(self) -> None:
        """It always does."""

    # IProtocol

    def makeConnection(self, transport: Any) -> None:
        if self._over:
            transport.abortConnection()
            return
        self.transport = transport
        self.localAddress = transport.getHost()
        self.remoteAddress = transport.getPeer()
        self.tls = getattr(transport, "tls", None)
        self.connectionID = self._nextID()
        self.connectedTime = self.host.cluster.seconds()

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        self.receivedWireBytes += len(data)
        self.host.cluster.stats.upstream_cx_rx_bytes_total.value += len(data)
        self._decoder.decodeData(data, False)

    def readConnectionLost(self) -> None:
        if not self._over and not self._responseEnded:
            self._responseEnded = True
            transport = self.transport
            self._decoder.decodeData(b"", True)
            if self._requestEnded:
                self.released = True
                transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Our own end of stream is out."""

    def connectionLost(self, reason: Failure) -> None:
        self.transport = NO_TRANSPORT
        decoder = self._decoder
        if not self._over and not self._responseEnded:
            self.forget()
            decoder.streamReset(Reset.CONNECTION_TERMINATION, "")
        self.forget()

    # IStreamEncoder

    def encode1xx(self, headers: HeaderMap) -> None:
        """Of servers only."""

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """The connection stands: the tunnel begins."""
        preface, self._preface = self._preface, b""
        if preface:
            self._write(preface)
        self._decoder.decodeHeaders(HeaderMap(((b":status", b"200"),)), False)
        if endStream:
            self._endWrites()

    def encodeData(self, data: bytes, endStream: bool) -> None:
        if data:
            self._write(data)
        if endStream:
            self._endWrites()

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """TCP has none: only the end."""
        self._endWrites()

    def shorten(self, attempt: Any, router: Any) -> None:
        """The tunnel is open, nothing waits, and no idle time is counted."""
        shorten(attempt, router, self)

    def _write(self, data: bytes) -> None:
        self.wireBytes += len(data)
        self.host.cluster.stats.upstream_cx_tx_bytes_total.value += len(data)
        self.transport.write(data)

    def _endWrites(self) -> None:
        self._requestEnded = True
        transport = self.transport
        transport.unregisterProducer()
        if self._responseEnded:
            transport.loseConnection()
        else:
            transport.loseWriteConnection()

    def resetStream(self, reason: Reset) -> None:
        """Close; what was written still goes out."""
        if self._over:
            return
        self.forget()
        transport = self.transport
        transport.unregisterProducer()
        if isinstance(self.remoteAddress, InternalAddress) and not self._responseEnded:
            transport.resetConnection()
        else:
            transport.loseConnection()

    def registerProducer(self, producer: IPushProducer | None) -> None:
        transport = self.transport
        transport.unregisterProducer()
        if producer is not None and not self._over:
            transport.registerProducer(_Counted(producer, self.host.cluster.stats), True)

    def pauseReading(self) -> None:
        self._paused += 1
        if self._paused == 1:
            self.host.cluster.stats.upstream_flow_control_paused_reading_total.value += 1
            self.transport.pauseProducing()

    def resumeReading(self) -> None:
        self._paused -= 1
        if not self._paused:
            self.host.cluster.stats.upstream_flow_control_resumed_reading_total.value += 1
            self.transport.resumeProducing()

    def setBufferLimit(self, limit: int) -> None:
        """The cluster's limit holds."""


@implementer(IPushProducer)
class _Counted:
    """Passes on, and counts for the cluster."""

    __slots__ = ("_producer", "_stats")

    def __init__(self, producer: IPushProducer, stats: Any) -> None:
        self._producer = producer
        self._stats = stats

    def pauseProducing(self) -> None:
        self._stats.upstream_flow_control_backed_up_total.value += 1
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        self._stats.upstream_flow_control_drained_total.value += 1
        self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone; connectionLost says it."""


@implementer(IProtocolFactory)
class _Factory:
    """Gives the protocol that is there already."""

    noisy = False

    __slots__ = ("_upstream",)

    def __init__(self, upstream: TCPUpstream) -> None:
        self._upstream = upstream

    def doStart(self) -> None:
        """Nothing to prepare."""

    def doStop(self) -> None:
        """Nothing to put away."""

    def buildProtocol(self, addr: IAddress) -> TCPUpstream:
        return self._upstream
