"""
One attempt to have a request answered: between the router and a pool's stream.

    state         event                  next
    waiting       poolReady              the request so far is encoded: sending
    waiting       poolFailed             over, the router hears why
    sending       headers of the answer  answering, the router decides: pass on, retry, redirect
    sending       streamReset            over, the router decides: answer, retry
    answering     data, trailers         pass on; the last one: over
    answering     streamReset            over, the client's stream is reset
    any           cancel                 over, nobody hears
    any           a timer                over, the router hears which

Envoy: Router::UpstreamRequest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.extensions.filters.http.router.failures import (
    DURATION,
    PER_TRY,
    PER_TRY_IDLE,
    attemptFailed,
    attemptLate,
    attemptReset,
)
from twisted_envoy.extensions.filters.http.router.outcome import answered
from twisted_envoy.interfaces.http import IHTTPPool, IPoolUser, PoolConnection
from twisted_envoy.network.read_gate import CONNECTING, PEER_FULL
from twisted_envoy.network.records import writeRecord
from twisted_envoy.network.timers import IdleTimer
from twisted_envoy.state.passthrough import upstreamState
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router

_SPECIAL_1XX = frozenset((b"100", b"102", b"103", b"104"))


@implementer(IStreamDecoder, IPoolUser, IPushProducer)
class UpstreamRequest:
    """
    One attempt, and the producer of the answer: paused while the client is slow.

    Args:
        router: whose request it is.
        host: where it goes.

    Attributes:
        encoder: None before the pool has a stream.
        awaitingHeaders: the answer has not begun. sent: something of the request was sent.
    """

    passthrough: Any = None
    _perTry: Any = None
    _idle: IdleTimer | None = None
    _duration: Any = None
    _periodic: Any = None
    _pendingSize = 0

    def __init__(self, router: Router, host: Any) -> None:
        self._router: Any = router
        self.host = host
        self.encoder: Any = None
        self.awaitingHeaders = True
        self.sent = self._timed = False
        self._cancel: Any = None
        self._pending: list[bytes] | None = None
        self._trailers: HeaderMap | None = None
        self._ended = self._gated = self._holds = self._endsWhole = False

    def start(self, pool: IHTTPPool, endStream: bool) -> None:
        """Ask the pool; endStream: the request has nothing but its headers."""
        self._ended = endStream
        cancel = pool.newStream(self, self)
        if self.encoder is None and self._router is not None:
            self._cancel = cancel

    def adopt(self, encoder: IStreamEncoder, connection: PoolConnection) -> None:
        """A whole request was sent already."""
        self.encoder = encoder
        if connection.passthrough is not None:
            self.passthrough = connection.passthrough
        self.sent = self._ended = True

    # The request.

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Body bytes, kept until there is a stream, those of a tunnel until it is open."""
        self._ended = endStream
        router = self._router
        encoder = self.encoder
        if encoder is not None and not self._holds:
            info = router.info
            info.upstream.bytesSent += len(data)
            if endStream:
                info.lastUpstreamByteSentTime = router.settings.seconds()
            encoder.encodeData(data, endStream)
        elif data:
            if self._pending is None:
                self._pending = []
            self._pending.append(data)
            self._pendingSize += len(data)
            stream = router.stream
            if self._pendingSize > stream.bufferLimit:
                self._gated = True
                stream.gate.shut(CONNECTING)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Trailers, the last of it."""
        self._ended = True
        if self.encoder is None or self._holds:
            self._trailers = trailers
        else:
            self._router.info.lastUpstreamByteSentTime = self._router.settings.seconds()
            self.encoder.encodeTrailers(trailers)

    # IPoolUser

    def poolReady(self, encoder: IStreamEncoder, connection: PoolConnection) -> None:
        router = self._router
        self._cancel = None
        if router is None:
            encoder.resetStream(Reset.LOCAL)
            return
        self.encoder = encoder
        if connection.passthrough is not None:
            self.passthrough = connection.passthrough
        self.sent = True
        if self.host.monitor is not None:
            self.host.monitor.connected()
        headers = router.attemptReady(self, connection)
        if self._ended and self._pending is None and self._trailers is None:
            encoder.encodeHeaders(headers, True)
            info = router.info
            info.lastUpstreamByteSentTime = info.firstUpstreamByteSentTime
            return
        self._gated = True
        self._holds = router.stream.isTunnel  # what comes early could be taken for a request
        encoder.registerProducer(router.stream.gate)
        bare = self._ended and self._pending is None and self._trailers is None
        encoder.encodeHeaders(headers, bare)
        if not self._holds and (self._pending is not None or self._trailers is not None):
            self._encodePending(encoder, router)

    def _encodePending(self, encoder: IStreamEncoder, router: Any) -> None:
        pending, self._pending = self._pending or [], None
        trailers, self._trailers = self._trailers, None
        info = router.info
        info.upstream.bytesSent += self._pendingSize
        if self._ended:
            info.lastUpstreamByteSentTime = info.firstUpstreamByteSentTime
        last = len(pending) - 1 if self._ended and trailers is None else -1
        for number, data in enumerate(pending):
            if self._router is None:
                return
            encoder.encodeData(data, number == last)
        if trailers is not None and self._router is not None:
            encoder.encodeTrailers(trailers)
        router.stream.gate.open(CONNECTING)

    def poolFailed(self, reason: Reset, details: str, learned: Any = None) -> None:
        router = self._router
        if router is not None:
            if learned is not None:
                self.passthrough = learned
                router.info.upstream.filterState = upstreamState((), learned)
            self._over()
            attemptFailed(router, self, reason, details)

    # IStreamDecoder: the answer.

    def decode1xx(self, headers: HeaderMap) -> None:
        router = self._router
        if router is not None and headers.get(b":status") in _SPECIAL_1XX:
            router.attemptInterim(self, headers)

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        router = self._router
        if router is None:
            return
        self.awaitingHeaders = False
        if self._timed:
            if self._perTry is not None:
                self._perTry.cancel()
                self._perTry = None
            if self._idle is not None:
                self._idle.lastActivity = router.settings.seconds()
        host = self.host
        if host.monitor is not None or host.passiveHealth is not None:
            answered(host, router.headers, headers)
        opens = self._holds and not endStream and self._opens(headers)
        if opens and router.info.upstreamProtocol == "HTTP/1.1":
            self._endsWhole = not router.stream.settings.tunnelHalfClose
        router.attemptHeaders(self, headers, endStream)
        if opens and self._router is not None:
            self._holds = False
            if self._ended and self._pending is None and self._trailers is None:
                self._pending = [b""]
            self._encodePending(self.encoder, router)
            shorten = getattr(self.encoder, "shorten", None)
            if shorten is not None and self._idle is None and self._router is not None:
                shorten(self, router)

    def _opens(self, headers: HeaderMap) -> bool:
        """Whether an answer means that the rest of the connection, or stream, is a tunnel."""
        status = headers[b":status"]
        router = self._router
        isConnect = router.headers.get(b":method") == b"CONNECT"
        if isConnect or router.info.upstreamProtocol == "HTTP/2":
            return status[:1] == b"2"
        return status == b"101"

    def decodeData(self, data: bytes, endStream: bool) -> None:
        router = self._router
        if router is None:
            return
        now = router.settings.seconds()
        if self._timed and self._idle is not None:
            self._idle.lastActivity = now
        info = router.info
        info.upstream.bytesReceived += len(data)
        if info.firstUpstreamBodyByteReceivedTime is None:
            info.firstUpstreamBodyByteReceivedTime = now
        if endStream:
            if self._endsWhole and not (self._ended and router.stream.connection.multiplexes):
                if data:
                    router.stream.encodeData(data, False)
                self._tunnelEnded()
                return
            router.attemptCompleted(self, now)
        router.stream.encodeData(data, endStream)

    def _tunnelEnded(self) -> None:
        """The upstream's end of an HTTP/1.1 connection cuts what it carries."""
        encoder = self.encoder
        self.streamReset(Reset.CONNECTION_TERMINATION, "")
        if encoder is not None:
            encoder.resetStream(Reset.LOCAL)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        router = self._router
        if router is not None:
            router.attemptCompleted(self, router.settings.seconds())
            router.stream.encodeTrailers(trailers)

    def streamReset(self, reason: Reset, details: str) -> None:
        router = self._router
        if router is not None:
            self._over()
            failed = reason is Reset.CONNECTION_TERMINATION  # others have no transport to blame
            attemptReset(router, self, reason, details if failed else "")

    def streamFailed(self, error: CodecError) -> None:
        """Of servers only."""

    # IPushProducer: of the answer.

    def pauseProducing(self) -> None:
        if self.encoder is not None and self._router is not None:
            stats = self._router.cluster.stats
            stats.upstream_flow_control_paused_reading_total.value += 1
            self.encoder.pauseReading()

    def resumeProducing(self) -> None:
        if self.encoder is not None and self._router is not None:
            stats = self._router.cluster.stats
            stats.upstream_flow_control_resumed_reading_total.value += 1
            self.encoder.resumeReading()

    def stopProducing(self) -> None:
        """The client is gone; the router's streamEnded says it."""

    # Time.

    def startTimers(self, timeouts: Any, duration: float, requestEnded: bool) -> None:
        """
        Begin to count, when there is a stream.

        Args:
            timeouts: timeouts.Timeouts. duration: seconds that the stream may last, 0: any.
            requestEnded: otherwise the per-try time begins with requestEnds.
        """
        router = self._router
        reactor = router.settings.reactor
        self._timed = True
        if requestEnded:
            self.requestEnds(timeouts.perTry)
        if timeouts.perTryIdle:
            self._idle = IdleTimer(reactor, timeouts.perTryIdle, self._idled)
            self._idle.start()
        if duration:
            self._duration = reactor.callLater(duration, self._lasted)

    def requestEnds(self, perTry: float) -> None:
        """The whole request has come; perTry: seconds, 0 for any."""
        if perTry and self.encoder is not None and self.awaitingHeaders:
            self._timed = True
            self._perTry = self._router.settings.queue(perTry).add(self._late)

    def _late(self) -> None:
        self._perTry = None
        attemptLate(self._router, self, PER_TRY)

    def _idled(self) -> None:
        attemptLate(self._router, self, PER_TRY_IDLE)

    def _lasted(self) -> None:
        self._duration = None
        attemptLate(self._router, self, DURATION)

    # Records.

    def startRecords(self) -> None:
        """Write what upstream_log wants of a stream that begins."""
        settings = self._router.settings
        if settings.logsOnStart:
            self._write("UpstreamPoolReady")
        if settings.logInterval:
            self._timed = True
            self._periodic = settings.reactor.callLater(settings.logInterval, self._period)

    def _period(self) -> None:
        settings = self._router.settings
        self._periodic = settings.reactor.callLater(settings.logInterval, self._period)
        self._write("UpstreamPeriodic")

    def _write(self, kind: str) -> None:
        router = self._router
        settings = router.settings
        writeRecord(settings.logs, FormatContext(router.info, kind, settings.seconds()))

    # The end.

    def complete(self, requestEnded: bool) -> None:
        """The answer is whole; what is not sent of the request will not be."""
        encoder = self.encoder
        self._over()
        if not requestEnded and encoder is not None:
            encoder.resetStream(Reset.LOCAL)

    def cancel(self) -> None:
        """Nobody wants the answer any more."""
        if self._router is None:
            return
        encoder, cancel = self.encoder, self._cancel
        self._over()
        if encoder is not None:
            encoder.resetStream(Reset.LOCAL)
        elif cancel is not None:
            cancel()

    def _over(self) -> None:
        router = self._router
        if router.settings.logs:
            self._write("UpstreamEnd")
        self._router = None
        if self._timed:
            self._stopTimers()
        encoder = self.encoder
        if encoder is not None:
            router.info.upstreamEncoders += (encoder,)
            self.encoder = None
        if self._gated:
            gate = router.stream.gate
            gate.open(CONNECTING)
            gate.open(PEER_FULL)
        self._pending = self._trailers = self._cancel = None

    def _stopTimers(self) -> None:
        if self._perTry is not None:
            self._perTry.cancel()
        if self._idle is not None:
            self._idle.stop()
        if self._duration is not None:
            self._duration.cancel()
        if self._periodic is not None:
            self._periodic.cancel()
        self._perTry = self._idle = self._duration = self._periodic = None
