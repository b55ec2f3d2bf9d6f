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

Envoy: Router::UpstreamRequest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.interfaces.http import IHTTPPool, IPoolUser, PoolConnection
from twisted_envoy.network.read_gate import CONNECTING, PEER_FULL

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router

_SPECIAL_1XX = frozenset((b"100", b"102", b"103", b"104"))


@implementer(IStreamDecoder, IPoolUser, IPushProducer)
class UpstreamRequest:
    """
    One attempt.

    Args:
        router: whose request it is.
        host: where it goes.

    Attributes:
        encoder: None before the pool has a stream.
        connection: the pool's, None before.
        awaitingHeaders: the answer has not begun. sent: something of the request was sent.
        perTryTimer, idleTimer: the router's, which it cancels.
    """

    __slots__ = (
        "_cancel",
        "_ended",
        "_pending",
        "_pendingSize",
        "_router",
        "_trailers",
        "awaitingHeaders",
        "connection",
        "encoder",
        "host",
        "idleTimer",
        "perTryTimer",
        "sent",
        "upgraded",
    )

    def __init__(self, router: Router, host: Any) -> None:
        self._router: Any = router
        self.host = host
        self.encoder: Any = None
        self.connection: Any = None
        self.awaitingHeaders = True
        self.sent = False
        self.upgraded = False
        self.perTryTimer: Any = None
        self.idleTimer: Any = None
        self._cancel: Any = None
        self._pending: list[bytes] | None = None
        self._pendingSize = 0
        self._trailers: HeaderMap | None = None
        self._ended = False

    def start(self, pool: IHTTPPool, endStream: bool) -> None:
        """Ask the pool; endStream: the request has nothing but its headers."""
        self._ended = endStream
        cancel = pool.newStream(self, self)
        if self.encoder is None and self._router is not None:
            self._cancel = cancel

    # The request.

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Body bytes, kept until there is a stream."""
        encoder = self.encoder
        if encoder is not None:
            if endStream:
                self._ended = True
                router = self._router
                router.info.lastUpstreamByteSentTime = router.settings.seconds()
            router = self._router
            router.info.upstream.bytesSent += len(data)
            encoder.encodeData(data, endStream)
            return
        self._ended = endStream
        if data:
            if self._pending is None:
                self._pending = []
            self._pending.append(data)
            self._pendingSize += len(data)
            stream = self._router.stream
            if self._pendingSize > stream.bufferLimit:
                stream.gate.shut(CONNECTING)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Trailers, the last of it."""
        self._ended = True
        if self.encoder is None:
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
        self.connection = connection
        headers = router.attemptReady(self, connection)
        pending, trailers = self._pending, self._trailers
        ended = self._ended
        self.sent = True
        if pending is None and trailers is None:
            encoder.encodeHeaders(headers, ended)
        else:
            encoder.encodeHeaders(headers, False)
            self._encodePending(encoder)
        if not ended and self._router is not None:
            encoder.registerProducer(self)
        if ended:
            info = router.info
            info.lastUpstreamByteSentTime = info.firstUpstreamByteSentTime

    def _encodePending(self, encoder: IStreamEncoder) -> None:
        pending, self._pending = self._pending or [], None
        trailers, self._trailers = self._trailers, None
        router = self._router
        router.info.upstream.bytesSent += self._pendingSize
        last = len(pending) - 1 if self._ended and trailers is None else -1
        for number, data in enumerate(pending):
            if self._router is None:
                return
            encoder.encodeData(data, number == last)
        if trailers is not None and self._router is not None:
            encoder.encodeTrailers(trailers)
        router.stream.gate.open(CONNECTING)

    def poolFailed(self, reason: Reset, details: str) -> None:
        router = self._router
        if router is not None:
            self._over()
            router.attemptReset(self, reason, details)

    # IStreamDecoder: the answer.

    def decode1xx(self, headers: HeaderMap) -> None:
        router = self._router
        if router is not None and headers.get(b":status") in _SPECIAL_1XX:
            router.attemptInterim(self, headers)

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        router = self._router
        if router is not None:
            self.awaitingHeaders = False
            router.attemptHeaders(self, headers, endStream)

    def decodeData(self, data: bytes, endStream: bool) -> None:
        router = self._router
        if router is None:
            return
        if self.idleTimer is not None:
            self.idleTimer.lastActivity = router.settings.seconds()
        router.info.upstream.bytesReceived += len(data)
        stream = router.stream
        if endStream:
            router.attemptCompleted(self)
        stream.encodeData(data, endStream)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        router = self._router
        if router is not None:
            router.attemptTrailers(self, trailers)

    def streamReset(self, reason: Reset, details: str) -> None:
        router = self._router
        if router is not None:
            self._over()
            router.attemptReset(self, reason, details)

    def streamFailed(self, error: CodecError) -> None:
        """Of servers only."""

    # IPushProducer: the upstream's connection is the consumer of the request.

    def pauseProducing(self) -> None:
        router = self._router
        if router is not None:
            router.cluster.stats.upstream_flow_control_backed_up_total.value += 1
            router.stream.gate.shut(PEER_FULL)

    def resumeProducing(self) -> None:
        router = self._router
        if router is not None:
            router.cluster.stats.upstream_flow_control_drained_total.value += 1
            router.stream.gate.open(PEER_FULL)

    def stopProducing(self) -> None:
        """The connection is gone; streamReset says it."""

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
        router, self._router = self._router, None
        if self.perTryTimer is not None:
            self.perTryTimer.cancel()
            self.perTryTimer = None
        if self.idleTimer is not None:
            self.idleTimer.stop()
            self.idleTimer = None
        encoder = self.encoder
        if encoder is not None:
            info = router.info
            info.upstreamHeaderBytesSent += encoder.headerBytes
            info.upstreamWireBytesSent += encoder.wireBytes
        gate = router.stream.gate
        if gate.reasons & (CONNECTING | PEER_FULL):
            gate.open(CONNECTING)
            gate.open(PEER_FULL)
        self._pending = None
        self._trailers = None


@implementer(IPushProducer)
class Answer:
    """
    The answer as a producer: paused while the client is slow.

    Args:
        encoder: of the attempt. stats: of its cluster.
    """

    __slots__ = ("_encoder", "_stats")

    def __init__(self, encoder: IStreamEncoder, stats: Any) -> None:
        self._encoder = encoder
        self._stats = stats

    def pauseProducing(self) -> None:
        self._stats.upstream_flow_control_paused_reading_total.value += 1
        self._encoder.pauseReading()

    def resumeProducing(self) -> None:
        self._stats.upstream_flow_control_resumed_reading_total.value += 1
        self._encoder.resumeReading()

    def stopProducing(self) -> None:
        """The client is gone; the router's streamEnded says it."""
