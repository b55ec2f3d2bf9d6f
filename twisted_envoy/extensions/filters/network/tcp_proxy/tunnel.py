"""
A tunnel through the upstream: an HTTP/1.1 CONNECT before the first byte of the client.

    state        event                        next
    connecting   connected                    asking (the request is written)
    connecting   failed                       failed, as the pool says
    asking       a response 2xx               open: the connection is given to Upstream
    asking       another response             failed, reason `tunnel_response:<code>`
    asking       garbage, the end, a loss     failed, without a reason
    any of them  cancelled                    closed

There is no time-out for the response: connect_timeout is that of the connection, as in Envoy.
Follows Envoy's `tcp_proxy/upstream.cc`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.connect_response import (
    BadResponse,
    ConnectResponse,
    ConnectResponseReader,
)
from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_request import (
    BadRequest,
    TunnelRequest,
)
from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream, UpstreamFactory
from twisted_envoy.interfaces.upstream import ITCPPool
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.link import NO_TRANSPORT
from twisted_envoy.state.stream_info import FormatContext
from twisted_envoy.upstream.tcp_pool import IPrecedingProtocol, PoolError

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy

_SWITCHING = 101


def openUpstream(pool: ITCPPool, proxy: TCPProxy, clusterStats: Any) -> Deferred[Any]:
    """
    Connect, and ask for a tunnel where the connection shall go through one.

    Returns:
        Fires with the Upstream, whose makeConnection was called then; fails with PoolError, or
        CancelledError when the caller cancelled it.
    """
    request = proxy.settings.tunnel
    if request is None or not request.applies(proxy.streamInfo):
        return pool.connect(UpstreamFactory(proxy, clusterStats))
    return _Attempt(request, proxy, clusterStats).start(pool)


@implementer(IProtocolFactory)
class _Attempt:
    """One attempt until the tunnel is open; its own factory."""

    __slots__ = ("_connecting", "_done", "_proxy", "_request", "_stats", "_tunnel")

    noisy = False

    def __init__(self, request: TunnelRequest, proxy: TCPProxy, clusterStats: Any) -> None:
        self._request = request
        self._proxy = proxy
        self._stats = clusterStats
        self._done: Deferred[Any] = Deferred(self._cancelled)
        self._connecting: Deferred[Any] | None = None
        self._tunnel: Tunnel | None = None

    def start(self, pool: ITCPPool) -> Deferred[Any]:
        stats = self._stats
        before = stats.upstream_cx_total.value
        self._connecting = connecting = pool.connect(self)
        stats.upstream_cx_http1_total.value += stats.upstream_cx_total.value - before
        connecting.addCallbacks(self._connected, self._failed)
        return self._done

    def doStart(self) -> None:
        """Nothing to prepare."""

    def doStop(self) -> None:
        """Nothing to put away."""

    def buildProtocol(self, addr: IAddress) -> Tunnel:
        self._tunnel = Tunnel(self._request, self._proxy, self._stats, self._done)
        return self._tunnel

    def _connected(self, tunnel: Tunnel) -> None:
        self._connecting = None

    def _failed(self, failure: Failure) -> None:
        self._connecting = None
        self._done.errback(failure)

    def _cancelled(self, done: Deferred[Any]) -> None:
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
        elif self._tunnel is not None:
            self._tunnel.cancel()


@implementer(IProtocol, IHalfCloseableProtocol, IPrecedingProtocol)
class Tunnel:
    """
    The protocol of the upstream connection before the tunnel is open.

    Args:
        request: what to ask for.
        proxy: the downstream half.
        clusterStats: of the cluster that the connection goes to.
        opened: fires with the Upstream, or fails with PoolError.
    """

    __slots__ = ("_opened", "_proxy", "_reader", "_request", "_stats", "_transport", "giveTo")

    def __init__(
        self, request: TunnelRequest, proxy: TCPProxy, clusterStats: Any, opened: Deferred[Any]
    ) -> None:
        self._request = request
        self._proxy = proxy
        self._stats = clusterStats
        self._opened: Deferred[Any] | None = opened
        self._reader = ConnectResponseReader()
        self._transport: Any = NO_TRANSPORT
        self.giveTo: Callable[[Any], None] | None = None

    # Events of the upstream connection.

    def makeConnection(self, transport: Any) -> None:
        self._transport = transport
        proxy = self._proxy
        context = FormatContext(proxy.streamInfo, now=proxy.settings.seconds())
        try:
            request = self._request.text(context)
        except BadRequest:
            self._fail()
            return
        self._stats.upstream_cx_tx_bytes_total.value += len(request)
        transport.write(request)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def dataReceived(self, data: bytes) -> None:
        if self._opened is None:
            return
        received = self._stats.upstream_cx_rx_bytes_total
        try:
            response = self._reader.feed(data)
        except BadResponse:
            received.value += len(data)
            self._breach()
            return
        if response is None:
            received.value += len(data)
        elif response.opens:
            received.value += len(data) - len(response.rest)
            self._open(response)
        else:
            received.value += len(data)
            self._refused(response)

    def readConnectionLost(self) -> None:
        """The end instead of a response."""
        if self._reader.begun:
            self._breach()
        else:
            self._fail()

    def writeConnectionLost(self) -> None:
        """Our own end of stream is never sent before the tunnel is open."""

    def connectionLost(self, reason: Failure) -> None:
        self._transport = NO_TRANSPORT
        self._fail()

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._opened = None
        self._close()

    # What becomes of it.

    def _open(self, response: ConnectResponse) -> None:
        opened, self._opened = self._opened, None
        giveTo, self.giveTo = self.giveTo, None
        transport, self._transport = self._transport, NO_TRANSPORT
        if response.closes:
            self._stats.upstream_cx_close_notify.value += 1
        upstream = Upstream(self._proxy, self._stats, tunnelled=True)
        if giveTo is not None and opened is not None:
            giveTo(upstream)
            upstream.makeConnection(transport)
            opened.callback(upstream)
            if response.rest:
                upstream.dataReceived(response.rest)

    def _refused(self, response: ConnectResponse) -> None:
        if response.closes:
            self._stats.upstream_cx_close_notify.value += 1
        if response.status == _SWITCHING:
            self._stats.upstream_cx_protocol_error.value += 1
        self._fail(f"tunnel_response:{response.status}" if response.status else "")

    def _breach(self) -> None:
        """What came is no HTTP."""
        if self._opened is not None:
            self._stats.upstream_cx_protocol_error.value += 1
            self._fail()

    def _fail(self, reason: str = "") -> None:
        opened, self._opened = self._opened, None
        self._close()
        if opened is not None:
            opened.errback(PoolError("UF", reason))

    def _close(self) -> None:
        """Close; an internal connection is lost then, as in Envoy."""
        self.giveTo = None
        transport, self._transport = self._transport, NO_TRANSPORT
        if isinstance(transport.getPeer(), InternalAddress):
            transport.resetConnection()
        else:
            transport.loseConnection()
