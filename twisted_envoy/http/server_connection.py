"""
One client's HTTP connection: its codec and its requests; http.connection_life is how it ends.

    state      event                               next
    new        first bytes (AUTO), or at once      open, with a codec
    open       a request begins                    an HTTPStream is made for it
    open       the client breaks the protocol      its requests are reset, the connection ends

Envoy: Http::ConnectionManagerImpl
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import (
    CODES,
    CodecError,
    CodecOutput,
    IResponseEncoder,
    IServerConnection,
    Reset,
)
from twisted_envoy.http.connection_life import CLOSING, ConnectionLife, Drain, asksToClose
from twisted_envoy.http.keepalive import PingKeepalive
from twisted_envoy.http.request_side import RequestSide
from twisted_envoy.http.server_codecs import makeHTTP1, makeHTTP2
from twisted_envoy.http.stream import HTTPStream
from twisted_envoy.http.upgrade import isUpgrade
from twisted_envoy.network.link import dropped
from twisted_envoy.network.timers import IdleTimer

_log = Logger("http")

_MAGIC = b"PRI * HTTP/2"
_BROKEN = frozenset(("UF", "UC"))


@implementer(IServerConnection, IPushProducer)
class ServerConnection(ConnectionLife):
    """The terminal filter of an HTTP listener's connection (attributes: ConnectionLife's)."""

    __slots__ = ()

    @property
    def protocol(self) -> str:
        """Of the newest request."""
        protocol: str = self.codec.protocol
        return protocol

    # Events of the connection.

    def connectionMade(self) -> None:
        settings = self.settings
        self.info = self.chain.streamInfo
        self.bufferLimit = self.chain.bufferLimit
        self.hops = getattr(self.transport, "hops", 0)
        stats = settings.stats
        stats.downstream_cx_total.value += 1
        stats.downstream_cx_active.value += 1
        if self.info.tls is not None:
            stats.downstream_cx_ssl_total.value += 1
            stats.downstream_cx_ssl_active.value += 1
        counter = stats.downstream_cx_tx_bytes_total
        self._output = CodecOutput(settings.post, self.transport, counter)
        self.transport.registerProducer(self, True)
        timeouts = settings.timeouts
        settings.idleWatch.add(self)
        if timeouts.idle:
            self._idle = IdleTimer(settings.reactor, timeouts.idle, self._idled, settings.idleQueue)
            self._idle.start()
        if timeouts.maxConnectionDuration:
            jitter = 1 + settings.random.random() * timeouts.maxConnectionDurationJitter
            self._duration = settings.reactor.callLater(
                timeouts.maxConnectionDuration * jitter, self._tooOld
            )
        if settings.codec != "AUTO":
            self._begin(settings.codec == "HTTP2")

    def _sniff(self, data: bytes) -> None:
        tls = self.info.tls
        agreed = "" if tls is None else tls.applicationProtocol
        if agreed:
            self._begin(agreed == "h2")
            self._receive(data)
            return
        data = self._sniffed + data
        if data[: len(_MAGIC)] == _MAGIC:
            self._begin(True)
        elif len(data) < len(_MAGIC) and _MAGIC.startswith(data):
            self._sniffed = data
            return
        else:
            self._begin(False)
        self._sniffed = b""
        self._receive(data)

    def _begin(self, isHTTP2: bool) -> None:
        self.multiplexes = isHTTP2
        if isHTTP2:
            self.codec = makeHTTP2(self, self._output)
            self._keepAlive()
        else:
            self.codec = makeHTTP1(self, self._output)
        self.dataReceived = self._receive
        self.chain.rebind()

    def _keepAlive(self) -> None:
        settings = self.settings
        if settings.http2.keepalive is not None:
            self._keepalive = PingKeepalive(
                self.codec,
                settings.http2.keepalive,
                settings.reactor,
                settings.random,
                settings.http2Stats,
                self._silent,
            )
            self._keepalive.start()

    def _receive(self, data: bytes) -> None:
        size = len(data)
        self.settings.stats.downstream_cx_rx_bytes_total.value += size
        self.info.bytesReceived += size
        if self._keepalive is not None:
            self._keepalive.received()
        self._inCodec = True
        try:
            self.codec.dataReceived(data)
        except CodecError as error:
            self._broken(error)
        except Exception:
            _log.failure("an HTTP codec raised; the connection is closed")
            self.transport.abortConnection()
        finally:
            self._inCodec = False
        if self.drain is CLOSING and not self.streams:
            self._end(delay=True)

    def _broken(self, error: CodecError) -> None:
        if self.multiplexes:  # else the request has told it
            self.info.raiseFlag("DPE")
        if error.status:
            self.settings.stats.downstream_cx_protocol_error.value += 1
        if error.hasCut:
            self._countCut(True)
        self.drain = Drain.CLOSING
        for stream in list(self.streams):
            if stream.responseEnded:
                stream.finish()
            else:
                stream.streamReset(Reset.PROTOCOL_ERROR, error.details)
        self._end(delay=True)

    def readConnectionLost(self) -> None:
        """The client's end of stream is the connection's end, except for some tunnels."""
        streams = self.streams
        if self.settings.tunnelHalfClose and not self.multiplexes and len(streams) == 1:
            (stream,) = streams
            if stream.isTunnel and stream.responseStarted and not self._closed:
                if not stream.requestEnded:
                    stream.decodeData(b"", True)
                return
        self._remote = True
        self._resetAll(False)
        self._close()

    def connectionLost(self, reason: Failure) -> None:
        problem = reason.value
        local = isinstance(problem, ConnectionAborted) or (
            isinstance(problem, ConnectionDone) and not self._remote
        )
        settings = self.settings
        stats = settings.stats
        self._closed = True
        self._resetAll(local)
        stats.downstream_cx_active.value -= 1
        if self.info.tls is not None:
            stats.downstream_cx_ssl_active.value -= 1
        stats.downstream_cx_destroy.value += 1
        if local:
            stats.downstream_cx_destroy_local.value += 1
        else:
            stats.downstream_cx_destroy_remote.value += 1
        if self.codec is not None:
            if self.multiplexes:
                stats.downstream_cx_http2_active.value -= 1
            else:
                stats.downstream_cx_http1_active.value -= 1
        if self._isSoft:
            stats.downstream_cx_http1_soft_drain.value -= 1
        self._recordLength()
        for timer in (self._lingers, self._drainTimer, self._duration):
            if timer is not None and timer.active():
                timer.cancel()
        self._lingers = self._drainTimer = self._duration = None
        settings.idleWatch.discard(self)
        keepalive, self._keepalive = self._keepalive, None
        for stopped in (self._idle, keepalive):
            if stopped is not None:
                stopped.stop()
        self.dataReceived = dropped
        self._output.transport = self.transport
        self._output.through = None
        self.codec = None

    def _resetAll(self, local: bool) -> None:
        """Whose end it was is told to the requests that are not over."""
        codec = self.codec
        details = "downstream_local_disconnect" if local else "downstream_remote_disconnect"
        if self.streams:
            self._countCut(local)
        for stream in list(self.streams):
            try:
                stream.streamReset(Reset.CONNECTION_TERMINATION, details)
            except Exception:
                _log.failure("a request could not be ended")
        if codec is not None:
            codec.connectionLost(Reset.CONNECTION_TERMINATION)

    def writesThrough(self, through: Callable[[bytes], bool]) -> None:
        """See IInternalTransport."""
        if not self._closed:
            self._output.through = through

    # IPushProducer: the transport's view of the codec.

    def pauseProducing(self) -> None:
        """The client is slow."""
        if self.codec is not None:
            self.codec.pauseProducing()

    def resumeProducing(self) -> None:
        """It has caught up."""
        if self.codec is not None:
            self.codec.resumeProducing()

    def stopProducing(self) -> None:
        """connectionLost says so too."""

    # IServerConnection: events of the codec.

    def newStream(self, encoder: IResponseEncoder) -> HTTPStream:
        settings = self.settings
        stream = HTTPStream(self, encoder)
        stats = settings.stats
        stats.downstream_rq_total.value += 1
        if self.multiplexes:
            stats.downstream_rq_http2_total.value += 1
        else:
            stats.downstream_rq_http1_total.value += 1
        stream.streamInfo.protocol = self.codec.protocol  # of a head that is never whole, too
        self.streams.add(stream)
        self._requests += 1
        if settings.maxRequests and self._requests >= settings.maxRequests:
            settings.stats.downstream_cx_max_requests_reached.value += 1
            if self.multiplexes:
                if self.drain is Drain.NO:
                    self._startDraining()
            else:
                self.drain = Drain.CLOSING
                stream.closesAfter = True
        return stream

    def goAwayReceived(self, code: int) -> None:
        """The client will ask no more; its requests are answered."""

    # What streams call.

    def requestCame(self, stream: RequestSide, headers: HeaderMap) -> None:
        """A request's headers are there."""
        if self.multiplexes:
            upgrade = headers.get(b":protocol")
            if upgrade is not None:
                headers.remove(b":protocol")
                headers.set(b":method", b"GET")
                headers.set(b"upgrade", upgrade)
                headers.set(b"connection", b"upgrade")
        elif asksToClose(headers, stream.streamInfo.protocol):
            stream.closesAfter = True

    def refuse(self, stream: RequestSide, refusal: Any) -> None:
        """The request is answered before it has a route."""
        if refusal.close:
            stream.closesAfter = True
        if refusal.flag:
            stream.streamInfo.raiseFlag(refusal.flag)
        if refusal.counter:
            getattr(self.settings.stats, refusal.counter).value += 1
        stream.sendLocalReply(refusal.status, refusal.body, refusal.details, refusal.headers)

    def prepareResponse(self, stream: HTTPStream, headers: HeaderMap) -> None:
        """The last edits of a response, and what its status counts."""
        settings = self.settings
        stats = settings.stats
        info = stream.streamInfo
        text = headers[b":status"]
        info.responseCode = CODES.get(text) or int(text)
        settings.edge.prepareResponse(headers, info, stream.requestHeaders)
        status = info.responseCode
        kind = status // 100 if 100 <= status < 600 else 0
        listenerStats = settings.listenerStats
        if info.isHealthCheck:
            stats.healthChecks.value += 1
        else:
            stats.downstream_rq_completed.value += 1
            stats.byClass[kind].value += 1
            listenerStats.downstream_rq_completed.value += 1
            listenerStats.byClass[kind].value += 1
        if self.drain is Drain.NO and settings.drain.drainClose(settings.listener):
            self._startDraining()
            stats.downstream_cx_drain_close.value += 1
        if not stream.requestEnded:
            stats.downstream_rq_response_before_rq_complete.value += 1
        if self.multiplexes:
            if stream.isTunnel and status == 101:
                headers.set(b":status", b"200")
                headers.remove(b"upgrade")
                headers.remove(b"connection")
            return
        if (
            stream.closesAfter
            or self.drain is not Drain.NO
            or not stream.requestEnded
            or info.protocol != "HTTP/1.1"
        ):
            self.prepareClose(stream, headers, status)

    def countRequest(self, step: int = 1) -> None:
        """A request has begun, or begins again; -1: it will be counted once more."""
        stats = self.settings.stats
        stats.downstream_rq_total.value += step
        if self.multiplexes:
            stats.downstream_rq_http2_total.value += step
        else:
            stats.downstream_rq_http1_total.value += step

    def countResponse(self, status: int) -> None:
        """Interim headers go to the client; of responses the same is done in prepareResponse."""
        kind = status // 100 if 100 <= status < 600 else 0
        settings = self.settings
        stats, listenerStats = settings.stats, settings.listenerStats
        stats.downstream_rq_completed.value += 1
        stats.byClass[kind].value += 1
        listenerStats.downstream_rq_completed.value += 1
        listenerStats.byClass[kind].value += 1

    def responseEnded(self, stream: HTTPStream) -> None:
        """All of the response is with the codec."""
        if stream.requestEnded:
            stream.finish()
            return
        # What is left of the request is not wanted.
        if self.multiplexes:
            stream.encoder.resetStream(_cutReason(stream, Reset.LOCAL))
        else:
            self.drain = Drain.CLOSING
        self.settings.stats.downstream_rq_rx_reset.value += 1
        stream.finish()

    def resetResponse(self, stream: HTTPStream, reason: Reset) -> None:
        """The response cannot be finished."""
        if self.codec is not None:
            stream.encoder.resetStream(_cutReason(stream, reason))
        if not self.multiplexes:
            self.drain = Drain.CLOSING
        self.settings.stats.downstream_rq_rx_reset.value += 1
        stream.finish()

    def streamFinished(self, stream: HTTPStream) -> None:
        """A request is over."""
        self.streams.discard(stream)
        if self.streams or self._closed:
            return
        if self.drain is Drain.CLOSING:
            if not self._inCodec:
                self._end(delay=not (stream.closesAfter and stream.requestEnded))
            return
        self._quiet(stream.streamInfo.endTime or 0.0)


def _cutReason(stream: HTTPStream, reason: Reset) -> Reset:
    """What an HTTP/2 client is told; a tunnel whose other end is gone is a connect error."""
    headers = stream.requestHeaders
    if headers is None or _BROKEN.isdisjoint(stream.streamInfo.responseFlags):
        return reason
    isTunnel = headers.get(b":method") == b"CONNECT" or isUpgrade(headers)
    return Reset.CONNECT_ERROR if isTunnel else reason
