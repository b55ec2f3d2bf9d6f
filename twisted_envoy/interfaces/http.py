"""HTTP filters, and the pools that requests go upstream through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from zope.interface import Attribute, Interface

from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.interfaces.extensions import IExtensionFactory, IFactoryContext

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
    from twisted_envoy.interfaces.upstream import IHost


class IHTTPFilterFactory(IExtensionFactory):
    """
    Builds an HTTP filter.

    `build` returns a callable without arguments that makes one HTTPFilter for one request; it runs
    for each request and only allocates. `context.scope` is the connection manager's
    (`http.<stat_prefix>.`).
    """

    terminal: bool = Attribute("True for a filter that must be the last of its chain (router).")
    routeTypeURL: str = Attribute("Message of typed_per_filter_config; empty when there is none.")

    def buildRoute(config: View, context: IFactoryContext) -> object:
        """
        Read a typed_per_filter_config of this filter, once, at start-up.

        Returns:
            What `stream.routeConfig(filter name)` gives the filter: its own kind of object.
        """


class PoolConnection(Protocol):
    """What is known of the connection that a request goes over; plain attributes."""

    host: IHost
    protocol: str  # HTTP/1.1 or HTTP/2
    connectionID: int
    localAddress: Any
    remoteAddress: Any
    tls: Any  # a codec.tls_info.TLSInfo; None without TLS
    isNew: bool  # the request is the first on it
    startTime: float  # seconds, when its connect began
    connectedTime: float
    filterState: Any  # what was shared with it: a FilterState; else None
    passthrough: Any  # of an internal connection: state.passthrough.Passthrough; else None

    def closeAfterStream(self) -> None:
        """Reuse it no more."""


class IPoolUser(Interface):
    """Who asked for a stream."""

    def poolReady(encoder: IStreamEncoder, connection: PoolConnection) -> None:
        """The request may be encoded now; may come before newStream returns."""

    def poolFailed(reason: Reset, details: str, learned: Any = None) -> None:
        """
        There is no connection: OVERFLOW, LOCAL_CONNECTION_FAILURE, REMOTE_CONNECTION_FAILURE or
        CONNECTION_TIMEOUT; details as `%UPSTREAM_TRANSPORT_FAILURE_REASON%`; learned: the
        Passthrough of an internal connection that failed before it was confirmed, or None. May
        come before newStream returns.
        """


class IHTTPPool(Interface):
    """
    Requests to one host over HTTP/1.1 or HTTP/2 connections that are kept.

    Circuit breakers and all counters settle exactly once a request.
    """

    protocol: str = Attribute("`HTTP/1.1` or `HTTP/2`.")

    def newStream(decoder: IStreamDecoder, user: IPoolUser) -> Callable[[], None] | None:
        """
        Ask for a stream.

        Args:
            decoder: gets the response; streamReset is all it gets when that fails.
        Returns:
            What cancels the asking while neither of user's methods was called; None when one was.
        """


class IHTTPCluster(Interface):
    """What the router asks of a cluster, beside ICluster."""

    def httpPool(
        host: IHost, downstreamProtocol: str, options: TransportSocketOptions, priority: str
    ) -> IHTTPPool | None:
        """
        The pool of requests to host, to be asked for a stream at once; None when
        max_connection_pools allows no further one, which is as good as no healthy host.

        Args:
            downstreamProtocol: of the request, for use_downstream_protocol_config.
            priority: "default" or "high".
        """
