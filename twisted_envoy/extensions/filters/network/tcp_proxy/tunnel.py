"""
A tunnel through the upstream: a CONNECT or POST request before the first byte of the client.

    state        event                        next
    waiting      a connection is there        asking (the request is written)
    waiting      there is none                failed, as the pool says
    asking       1xx                          asking
    asking       success                      open: the stream is Upstream's transport
    asking       another response             failed, reason `tunnel_response:<code>`
    asking       the stream is reset          failed, without a reason
    asking       too slow (if a limit is set) failed, reason `tunnel_response_timeout`
    any of them  cancelled                    the stream is reset

Success is any 2xx over HTTP/1.1, and 200 over HTTP/2. Envoy has no time-out for the response.
Follows Envoy's `tcp_proxy/upstream.cc`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.extensions.filters.network.tcp_proxy.shortcut import shorten
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_headers import (
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    HeadersObject,
)
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_request import (
    BadRequest,
    TunnelRequest,
)
from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream
from twisted_envoy.http.stream_transport import StreamTransport
from twisted_envoy.interfaces.http import IHTTPPool, IPoolUser, PoolConnection
from twisted_envoy.state.passthrough import TunnelResponse
from twisted_envoy.upstream.http.settings import HTTP1
from twisted_envoy.upstream.http.stream import PoolStream
from twisted_envoy.upstream.tcp_connection import PoolError

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy

TIMED_OUT = "tunnel_response_timeout"

_FLAGS = {Reset.REMOTE_CONNECTION_FAILURE: "UF", Reset.CONNECTION_TIMEOUT: "UF"}
"""Other failures are nobody's: no flag says that."""


class _Together:
    """The bytes of the streams of several attempts."""

    __slots__ = ("_before", "_stream")

    def __init__(self, before: Any, stream: Any) -> None:
        self._before = before
        self._stream = stream

    @property
    def wireBytes(self) -> int:
        """That were sent."""
        sent: int = self._before.wireBytes + self._stream.wireBytes
        return sent

    @property
    def receivedWireBytes(self) -> int:
        """That were received."""
        received: int = self._before.receivedWireBytes + self._stream.receivedWireBytes
        return received


@implementer(IPoolUser, IStreamDecoder)
class Tunnel:
    """
    One attempt until the tunnel is open.

    Args:
        request: what to ask for.
        proxy: the downstream half.
        clusterStats: of the cluster that the request goes to.
    """

    __slots__ = (
        *("_cancelAsking", "_clusterStats", "_connection", "_encoder", "_opened", "_proxy"),
        *("_request", "_timer", "_transport", "decodeData"),
    )

    def __init__(self, request: TunnelRequest, proxy: TCPProxy, clusterStats: Any) -> None:
        self._request = request
        self._proxy = proxy
        self._clusterStats = clusterStats
        self._opened: Deferred[Any] | None = Deferred(self._cancelled)
        self._cancelAsking: Callable[[], None] | None = None
        self._encoder: IStreamEncoder | None = None
        self._connection: Any = None
        self._timer: IDelayedCall | None = None
        self._transport: StreamTransport | None = None
        self.decodeData: Callable[[bytes, bool], None] = self._dataOfRefusal

    @property
    def isAsked(self) -> bool:
        """Is the request with the upstream, and its answer not here?"""
        return self._encoder is not None

    def start(self, pool: IHTTPPool) -> Deferred[Any]:
        """
        Ask for the tunnel.

        Returns:
            Fires with the Upstream, whose makeConnection was called then; fails with PoolError, or
            CancelledError when the caller cancelled it.
        """
        opened = self._opened
        assert opened is not None
        cancel = pool.newStream(self, self)
        if self._opened is not None and self._encoder is None:
            self._cancelAsking = cancel
        return opened

    # IPoolUser.

    def poolReady(self, encoder: IStreamEncoder, connection: PoolConnection) -> None:
        self._cancelAsking = None
        self._encoder = encoder
        self._connection = connection
        proxy = self._proxy
        upstream = proxy.upstreamInfo
        upstream.connectionID = connection.connectionID
        made = upstream.connectionIDsAttempted
        upstream.connectionIDsAttempted = [*made, connection.connectionID]
        before = upstream.stream  # of an attempt that failed: its bytes count, too
        upstream.stream = encoder if before is None else _Together(before, encoder)
        request = self._request
        try:
            headers = request.headers(
                proxy.streamInfo, proxy.settings.seconds(), self._schemeOver(connection)
            )
        except BadRequest:
            self._fail()
            return
        longest = request.switches.responseTimeout()
        if longest:
            self._timer = proxy.settings.callLater(longest, self._tooSlow)
        encoder.encodeHeaders(headers, False)

    def _schemeOver(self, connection: PoolConnection) -> bytes | None:
        """What a POST says over HTTP/2."""
        if connection.protocol == HTTP1:
            return None
        cluster: Any = connection.host.cluster
        isTLS = getattr(cluster.transportSocket, "isTLS", False)
        return b"https" if isTLS else b"http"

    def poolFailed(self, reason: Reset, details: str, learned: Any = None) -> None:
        self._cancelAsking = None
        problem = PoolError(_FLAGS.get(reason, ""), details)
        problem.passthrough = learned
        self._settle(problem)

    # IStreamDecoder.

    def decode1xx(self, headers: HeaderMap) -> None:
        """It is no answer yet."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        status = headers[b":status"]
        request = self._request
        http1 = self._connection.protocol == HTTP1
        state = self._proxy.streamInfo.filterState
        if request.propagatesHeaders:
            state.set(RESPONSE_HEADERS, HeadersObject(headers))
        passthrough = getattr(self._proxy.chain.transport, "passthrough", None)
        if passthrough is not None and passthrough.inner is not None:
            passthrough.inner.answered(headers.pairs())
        if endStream or not (status[:1] == b"2" if http1 else status == b"200"):
            text = status.decode("ascii")
            self._tellOuter(int(text), "")
            self._fail(f"tunnel_response:{text}" if int(text) else "")
        else:
            self._open(http1)

    def _dataOfRefusal(self, data: bytes, endStream: bool) -> None:
        """Nobody wants it."""

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self._transport is not None:
            self._transport.decodeTrailers(trailers)

    def streamReset(self, reason: Reset, details: str) -> None:
        if self._transport is not None:
            self._transport.streamReset(reason, details)
        else:
            self._encoder = None
            self._fail()

    def streamFailed(self, error: Any) -> None:
        """Part of the interface; it is for requests that cannot be read."""

    # What becomes of it.

    def _open(self, http1: bool) -> None:
        opened, self._opened = self._opened, None
        encoder, self._encoder = self._encoder, None
        if opened is None or encoder is None:
            return
        self._stopTimer()
        request, connection = self._request, self._connection
        transport = self._transport = StreamTransport(
            encoder, request.post, connection.localAddress, connection.remoteAddress
        )
        transport.setWriteBufferLimit(connection.host.cluster.bufferLimit)
        if request.propagatesTrailers:
            transport.ended = self._propagateTrailers
        if http1:
            transport.sentEnd = connection.tunnelEnded
        self.decodeData = transport.decodeData
        upstream = Upstream(self._proxy, self._clusterStats, request.kindOf(http1))
        transport.start(upstream)
        if isinstance(encoder, PoolStream):
            shorten(self._proxy, upstream, encoder.encoder)
        opened.callback(upstream)

    def _propagateTrailers(self, trailers: HeaderMap | None) -> None:
        if trailers is not None:
            state = self._proxy.streamInfo.filterState
            state.set(RESPONSE_TRAILERS, HeadersObject(trailers))

    def _tooSlow(self) -> None:
        self._timer = None
        self._tellOuter(504, "response timeout")
        self._fail(TIMED_OUT)

    def _tellOuter(self, status: int, reason: str) -> None:
        """Leave the answer where the other end of an internal connection finds it."""
        if self._request.switches.propagatesFailure():
            passthrough = getattr(self._proxy.chain.transport, "passthrough", None)
            if passthrough is not None:
                passthrough.tunnelResponse = TunnelResponse(status, reason)

    def _fail(self, reason: str = "") -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.resetStream(Reset.LOCAL)
        self._settle(PoolError("UF", reason))

    def _settle(self, problem: PoolError) -> None:
        self._stopTimer()
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.errback(problem)

    def _cancelled(self, opened: Deferred[Any]) -> None:
        """Nobody waits any more."""
        self._opened = None
        self._stopTimer()
        cancel, self._cancelAsking = self._cancelAsking, None
        if cancel is not None:
            cancel()
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.resetStream(Reset.LOCAL)

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
