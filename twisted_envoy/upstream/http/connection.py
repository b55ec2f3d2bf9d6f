"""
One kept connection of an HTTP pool: its streams, its bytes and its end.

    state        event                                       next
    BEGINNING    the connect is confirmed                    READY
    READY        takes as many streams as it may             BUSY
    BUSY         a stream ended, the peer allows more        READY
    READY, BUSY  GOAWAY, max_requests_per_connection,        DRAINING; CLOSED when nobody uses it
                 max_connection_duration, the host is gone
    any          lost; HTTP/1.1: an exchange was not whole   CLOSED

Envoy: source/common/http/{conn_pool_base,codec_client,http1/conn_pool}.cc
"""

from __future__ import annotations

from collections.abc import Callable
from sys import maxsize
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientConnection,
    IStreamDecoder,
    IStreamEncoder,
    Reset,
)
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.link import NO_TRANSPORT
from twisted_envoy.state.passthrough import upstreamState
from twisted_envoy.upstream.counting import countDestroyed, countLength
from twisted_envoy.upstream.http.codecs import negotiated
from twisted_envoy.upstream.http.lifetime import Lifetime
from twisted_envoy.upstream.http.settings import HTTP1
from twisted_envoy.upstream.http.states import BUSY, DRAINING, READY, State
from twisted_envoy.upstream.http.stream import PoolStream, countReset

if TYPE_CHECKING:
    from twisted_envoy.state.filter_state import FilterState
    from twisted_envoy.upstream.http.pool import HTTPPool

_log = Logger("upstream")
_MOST_FLUSHED = 64 * 1024
"""Bytes that HTTP/2 may still have to send when it closes."""


@implementer(IProtocol, IHalfCloseableProtocol, IClientConnection, IPushProducer)
class PooledConnection:
    """
    A connection and its codec; what users know of it is interfaces.http.PoolConnection.

    Args:
        pool: whose it is.
        started: seconds, when its connect began.

    Attributes:
        active: streams that are open on it.
        stats: the cluster's.
    """

    __slots__ = (
        *("_closing", "_configuredLimit", "_ended", "_http1", "_lifetime", "_remaining"),
        *("_remote", "_served", "_stream", "_streamLimit", "_transport", "active"),
        *("codec", "connectedTime", "connectionID", "filterState", "host", "isNew", "startTime"),
        *("localAddress", "output", "passthrough", "pool", "protocol", "remoteAddress"),
        *("state", "stats", "tls"),
    )

    codec: Any
    host: Any
    output: CodecOutput

    def __init__(self, pool: HTTPPool, started: float) -> None:
        self.pool = pool
        self.host = pool.host
        self.stats = pool.host.cluster.stats
        self.protocol = pool.protocol
        self.connectionID = pool.http.nextID()
        nothing: Any = None
        self.localAddress = self.remoteAddress = self.tls = self.passthrough = nothing
        self._stream = self._transport = nothing
        self.filterState: FilterState | None = None
        self.connectedTime = 0.0
        self.isNew = True
        self.state = State.BEGINNING
        self.active = self._served = 0
        self._http1 = pool.protocol == HTTP1
        self._remaining = pool.http.settings.common.maxRequestsPerConnection or maxsize
        self._configuredLimit = self._streamLimit = pool.streamLimit
        self._closing = self._remote = self._ended = False
        self.startTime = started
        self._lifetime: Lifetime | None = None

    @property
    def capacity(self) -> int:
        """How many streams it would take now."""
        return min(self._remaining, self._streamLimit - self.active)

    @property
    def transport(self) -> Any:
        """What carries it; None before and after."""
        return self._transport

    def makeConnection(self, transport: Any) -> None:
        cluster = self.host.cluster
        self._transport = transport
        self.localAddress = transport.getHost()
        self.remoteAddress = transport.getPeer()
        self.tls = getattr(transport, "tls", None)
        self.passthrough = getattr(transport, "passthrough", None)
        self.filterState = upstreamState(self.pool.shared, self.passthrough)
        cluster.open[transport] = None
        if not isinstance(self.host.address, InternalAddress):
            transport.setWriteBufferLimit(cluster.bufferLimit)
        transport.registerProducer(self, True)
        http = self.pool.http
        if http.settings.automatic:
            self.protocol = negotiated(self.tls, self.stats)
            self._http1 = self.protocol == HTTP1
            if not self._http1:
                self._configuredLimit = http.settings.http2.maxConcurrentStreams
                self._streamLimit = self._configuredLimit
        self.output = CodecOutput(http.post, transport, self.stats.upstream_cx_tx_bytes_total)
        self.codec = http.codecs[self.protocol](self, self.output, transport)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def begin(self) -> None:
        """The connect is confirmed: take streams."""
        seconds = self.connectedTime = self.host.cluster.seconds()
        self.stats.upstream_cx_connect_ms.record(int((seconds - self.startTime) * 1000))
        self._lifetime = Lifetime(
            self.pool.http, self.protocol, self.codec, self._idleTooLong, self._tooOld, self._silent
        )
        self._makeReady()

    # Streams.

    def newStream(self, decoder: IStreamDecoder) -> IStreamEncoder:
        """Begin a request; only while it is READY."""
        self.countStream()
        try:
            if self._http1:
                encoder = self._stream = self.codec.newStream(decoder)
                return encoder  # type: ignore[no-any-return]
            stream = PoolStream(self, decoder)
            stream.encoder = self.codec.newStream(stream)
        except Exception:
            self.streamOver()
            raise
        return stream

    def countStream(self) -> None:
        """One more is about to begin."""
        hostStats = self.host.stats
        stats = self.stats
        self.isNew = not self._served
        self._served += 1
        self.active += 1
        self._remaining = left = self._remaining - 1
        if not left:
            stats.upstream_cx_max_requests.value += 1
            self._stopTaking(DRAINING)
        elif self.active >= self._streamLimit:
            self.state = BUSY
            self.pool.ready.pop(self, None)
        hostStats.rq_total.value += 1
        hostStats.rq_active.value += 1
        stats.upstream_rq_total.value += 1
        stats.upstream_rq_active.value += 1
        if not self._http1 and self._lifetime is not None:
            self._lifetime.streamBegins()

    def _stopTaking(self, state: State) -> None:
        self.state = state
        self.pool.ready.pop(self, None)

    def _makeReady(self) -> None:
        if self._remaining > 0 and self.active < self._streamLimit:
            self.state = READY
            self.pool.ready[self] = None
        else:
            self.state = BUSY

    def streamClosed(self) -> None:
        """Only HTTP/1.1 has to know: the codec is ready for another request."""
        if not self._http1 or self._closing:
            return
        codec = self.codec
        if codec.isDead or codec.closeAfterStream:
            return self.close()
        self._stream = None
        self._settled()
        self._afterStream()

    def streamOver(self) -> None:
        """HTTP/2: both directions of a stream have ended."""
        if not self._ended:
            self._settled()
            self._afterStream()

    def streamReset(self, reason: Reset) -> None:
        """HTTP/2: a stream ends before its time, by the user or by the peer."""
        countReset(self.stats, reason)
        if not self._ended:
            self._settled()
            if not self._closing:
                self._afterStream()

    def _settled(self) -> None:
        self.active -= 1
        self.stats.upstream_rq_active.value -= 1
        self.host.stats.rq_active.value -= 1
        self.pool.requests.give()

    def _afterStream(self) -> None:
        if not self.active:
            if self.state is DRAINING:
                return self.close()
            if self._lifetime is not None:
                self._lifetime.becameIdle()
        pool = self.pool
        if self.state is BUSY and self._remaining > 0 and self.active < self._streamLimit:
            self.state = READY
            pool.ready[self] = None
        if pool.waits:
            pool.serveSoon()

    def closeNoticed(self) -> None:
        """Count a server that will take no further request, as its headers say."""
        self.stats.upstream_cx_close_notify.value += 1

    def tunnelEnded(self) -> None:
        """The user has sent all that goes through an HTTP/1.1 tunnel: the connection says that."""
        if self._closing:
            return
        self.output.flush()
        self._transport.unregisterProducer()
        stream = self._stream
        if self.pool.http.tunnelHalfClose or (stream is not None and stream.asked[1]):
            self._transport.loseWriteConnection()
        else:
            self._shut()
            self._transport.loseConnection()
            self._end(Reset.CONNECTION_TERMINATION)

    def closeAfterStream(self) -> None:
        """Take no more streams; close when none is open."""
        if self.state is State.CLOSED:
            return
        self._stopTaking(DRAINING)
        if not self.active:
            self.close()

    def goAwayReceived(self, code: int) -> None:
        self.stats.upstream_cx_close_notify.value += 1
        self.closeAfterStream()

    def settingsReceived(self, maxConcurrentStreams: int) -> None:
        self._streamLimit = min(maxConcurrentStreams, self._configuredLimit)
        if self.state is READY and self.capacity <= 0:
            self._stopTaking(BUSY)
        elif self.state is BUSY and self.capacity > 0:
            self._makeReady()
            self.pool.serveSoon()

    # Bytes.

    def dataReceived(self, data: bytes) -> None:
        if self._closing:
            return
        stats = self.stats
        stats.upstream_cx_rx_bytes_total.value += len(data)
        if self._http1:
            if not self.active:
                return self._premature(data)
        elif self._lifetime is not None:
            self._lifetime.received()
        try:
            self.codec.dataReceived(data)
        except CodecError:
            return self._protocolError()
        stream = self._stream
        if stream is not None and stream.received:
            self.close()  # the response came before the request had ended

    def _premature(self, data: bytes) -> None:
        """Nobody asked; a server that gives up with 408 is no error."""
        if data[:7] != b"HTTP/1." or data[8:12] != b" 408":
            self.stats.upstream_cx_protocol_error.value += 1
        self.close()

    def _protocolError(self) -> None:
        self.stats.upstream_cx_protocol_error.value += 1
        self.close(Reset.PROTOCOL_ERROR)

    def pauseProducing(self) -> None:
        self.codec.pauseProducing()

    def resumeProducing(self) -> None:
        self.codec.resumeProducing()

    def stopProducing(self) -> None:
        """connectionLost follows."""

    # Its end.

    def _idleTooLong(self) -> None:
        if not self.active and self.state is not State.CLOSED:
            self.stats.upstream_cx_idle_timeout.value += 1
            self.close()

    def _tooOld(self) -> None:
        self.stats.upstream_cx_max_duration_reached.value += 1
        self.closeAfterStream()

    def _silent(self) -> None:
        self._transport.abortConnection()
        self.close()

    def writesThrough(self, through: Callable[[bytes], bool]) -> None:
        """See IInternalTransport."""
        self.output.through = through

    def _shut(self) -> None:
        """Nothing that is written from now on is sent, or counted."""
        self._closing = True
        self.output.shut(NO_TRANSPORT)

    def close(self, reason: Reset = Reset.CONNECTION_TERMINATION) -> None:
        """Close now; streams that are open are reset with reason."""
        if self._closing:
            return
        transport = self._transport
        if not self._http1:
            self.output.flush()
        self._shut()
        transport.unregisterProducer()
        if transport.bufferedBytes > (0 if self._http1 else _MOST_FLUSHED):
            transport.abortConnection()
        else:
            transport.loseConnection()
        self._end(reason)

    def readConnectionLost(self) -> None:
        if self._closing:
            return
        stream = self._stream  # Envoy half-closes what carries a CONNECT, and so closes it itself
        self._remote = stream is None or stream.asked[0] != b"CONNECT"
        try:
            self.codec.readConnectionLost()
        except CodecError:
            return self._protocolError()
        self.close()

    def writeConnectionLost(self) -> None:
        """Part of IHalfCloseableProtocol; only a tunnel's end does this."""

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone; whatever was not told and counted yet is now."""
        self.host.cluster.open.pop(self._transport, None)
        if not self._closing:
            self._shut()
            self._remote = self._remote or not isinstance(reason.value, ConnectionAborted)
            if self.state is not State.BEGINNING:  # else the connect fails, and counts
                self._end(Reset.CONNECTION_TERMINATION)
        self._transport = self.codec = None

    def _end(self, reason: Reset) -> None:
        """Count the end, reset who is left, and tell the pool; the transport may still close."""
        self._stopTaking(State.CLOSED)
        stream, self._stream = self._stream, None
        incomplete = self.active > 0
        if self._http1:
            incomplete = stream is not None and not (stream.sent and stream.received)
        if self._lifetime is not None:
            self._lifetime.stop()
            self._lifetime = None
        host, pool = self.host, self.pool
        if self._remote and self._http1 and self.codec.isCut:
            self.stats.upstream_cx_protocol_error.value += 1
        countDestroyed(host, self._remote, pool.limits.connections, incomplete)
        countLength(host, self.startTime)
        self.stats.upstream_rq_per_cx.record(self._served)
        try:
            self.codec.connectionLost(reason)
        except Exception:
            _log.failure("a user raised when its stream was reset")
        while self.active:
            self._settled()
        self._ended = True
        pool.connectionGone(self)
