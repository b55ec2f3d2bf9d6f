"""
The shorter way between a CONNECT stream of HTTP/2 and the internal connection that it is taken to.

DATA is given to the connection's other end at once, and what that writes becomes DATA at once,
where no filter looks at bytes between them. The same is counted and noted as by the stream, the
router, its attempt and the connection on the ordinary way, which takes over wherever one of them
would do anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.internal.direct import Direct
from twisted_envoy.internal.transport import InternalTransport

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.attempt import UpstreamRequest
    from twisted_envoy.extensions.filters.http.router.tcp_upstream import TCPUpstream


class _Way:
    """
    What both directions know.

    Args:
        attempt: whose tunnel it is. router, upstream: its.
    """

    __slots__ = (
        "_attempt",
        "_counter",
        "_hop",
        "_info",
        "_router",
        "_seconds",
        "_stream",
        "_told",
        "_upstream",
    )

    def __init__(self, attempt: UpstreamRequest, router: Any, upstream: TCPUpstream) -> None:
        self._attempt = attempt
        self._hop: InternalTransport = upstream.transport
        self._info = router.info
        self._router = router
        self._seconds = router.stream.settings.seconds
        self._stream = router.stream
        self._told = router.info.upstream
        self._upstream = upstream


class Up(_Way):
    """From the stream to the connection."""

    __slots__ = ("_direct", "_down")

    def __init__(self, attempt: UpstreamRequest, router: Any, upstream: TCPUpstream) -> None:
        super().__init__(attempt, router, upstream)
        self._counter = upstream.host.cluster.stats.upstream_cx_tx_bytes_total
        self._direct = Direct(self._hop)
        self._down: Down | None = Down(attempt, router, upstream)

    def take(self, data: bytes) -> bool:
        """See H2Stream.through."""
        if self._down is not None:
            self._hop.offerThrough(self._down.take)
            self._down = None
        stream = self._stream
        if (
            self._router.attempt is not self._attempt
            or stream.decodingEnded
            or not self._direct.give(data)
        ):
            return False
        size = len(data)
        self._info.bytesReceived += size
        self._told.bytesSent += size
        seconds = self._seconds
        stream.lastActivity = seconds()
        self._upstream.wireBytes += size
        self._counter.value += size
        return True


class Down(_Way):
    """From the connection to the stream."""

    __slots__ = ("_encoder", "_reader")

    def __init__(self, attempt: UpstreamRequest, router: Any, upstream: TCPUpstream) -> None:
        super().__init__(attempt, router, upstream)
        self._counter = upstream.host.cluster.stats.upstream_cx_rx_bytes_total
        self._encoder = router.stream.encoder
        self._reader = self._hop.protocol.dataReceived

    def take(self, data: bytes) -> bool:
        """See IInternalTransport.offerThrough."""
        size = len(data)
        info = self._info
        stream = self._stream
        if (
            not self._hop.awaits(self._reader, size)
            or self._router.attempt is not self._attempt
            or info.firstUpstreamBodyByteReceivedTime is None
            or stream.ended
        ):
            return False
        self._upstream.receivedWireBytes += size
        self._counter.value += size
        self._told.bytesReceived += size
        info.bytesSent += size
        seconds = self._seconds
        stream.lastActivity = seconds()
        self._encoder.encodeData(data, False)
        return True


def shorten(attempt: UpstreamRequest, router: Any, upstream: TCPUpstream) -> None:
    """
    Take the shorter way where there is one; the tunnel is open, and nothing waits.

    Args:
        attempt: counts no idle time. router: its. upstream: its connection.
    """
    stream = router.stream
    plan = stream.plan
    if (
        isinstance(upstream.transport, InternalTransport)
        and stream.connection.multiplexes
        and plan.decodesAlone
        and plan.encodesAlone
        and router.body is None
    ):
        stream.encoder.through = Up(attempt, router, upstream).take
