"""
The shorter way between an internal connection and an HTTP/2 stream that are a tunnel.

What the client's end writes becomes DATA at once, and DATA is given to the client's end at once,
where nothing looks at bytes between them. The same is counted and noted as by `Relay` on the
ordinary way, which takes over wherever one of both would do anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.internal.direct import Direct
from twisted_envoy.internal.transport import InternalTransport

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy
    from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream


class _Way:
    """
    What both directions know.

    Args:
        proxy, upstream: the halves of the TCP proxy, while bytes flow.
        stream: the codec's.
        reader: the `dataReceived` whose place is taken.
    """

    __slots__ = (
        *("_counter", "_hop", "_idle", "_info", "_reader", "_seconds", "_stream", "_upstream"),
    )

    def __init__(self, proxy: TCPProxy, upstream: Upstream, stream: Any, reader: Any) -> None:
        self._hop = proxy.chain.transport
        self._idle = proxy.idle
        self._info = proxy.streamInfo
        self._reader = reader
        self._seconds = proxy.settings.seconds
        self._stream = stream
        self._upstream = upstream


class Up(_Way):
    """From the client to the stream."""

    __slots__ = ()

    def __init__(self, proxy: TCPProxy, upstream: Upstream, stream: Any) -> None:
        super().__init__(proxy, upstream, stream, proxy.dataReceived)
        self._counter = proxy.settings.stats.downstream_cx_rx_bytes_total

    def take(self, data: bytes) -> bool:
        """See IInternalTransport.offerThrough."""
        size = len(data)
        hop = self._hop
        if not hop.awaits(self._reader, size):
            return False
        self._counter.value += size
        self._info.bytesReceived += size
        seconds = self._seconds
        self._idle.lastActivity = seconds()
        self._stream.encodeData(data, False)
        return True


class Down(_Way):
    """From the stream to the client."""

    __slots__ = ("_direct", "_up")

    def __init__(self, proxy: TCPProxy, upstream: Upstream, stream: Any) -> None:
        super().__init__(proxy, upstream, stream, upstream.dataReceived)
        self._counter = proxy.settings.stats.downstream_cx_tx_bytes_total
        self._direct = Direct(self._hop)
        self._up: Up | None = Up(proxy, upstream, stream)

    def take(self, data: bytes) -> bool:
        """See H2Stream.through."""
        if self._up is not None:  # not before: the client's end may begin after the tunnel
            self._hop.offerThrough(self._up.take)
            self._up = None
        if self._upstream.dataReceived is not self._reader or not self._direct.give(data):
            return False
        size = len(data)
        self._counter.value += size
        self._info.bytesSent += size
        seconds = self._seconds
        self._idle.lastActivity = seconds()
        return True


def shorten(proxy: TCPProxy, upstream: Upstream, stream: Any) -> None:
    """
    Take the shorter way where there is one; bytes flow already.

    Args:
        stream: the codec's, of HTTP/2.
    """
    chain = proxy.chain
    hop = chain.transport
    if (
        not isinstance(hop, InternalTransport)
        or proxy.settings.drainClose is not None
        or proxy.transport is not hop
        or chain.dataReceived is not proxy.dataReceived
    ):
        return
    stream.through = Down(proxy, upstream, stream).take
