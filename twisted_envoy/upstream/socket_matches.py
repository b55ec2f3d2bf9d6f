"""
One transport socket for each endpoint, by its metadata.

The first match of which every key has the same value in the endpoint's metadata
`envoy.transport_socket_match` counts; where none does, the cluster's own socket is used.

Envoy: config.cluster.v3.Cluster.TransportSocketMatch, TransportSocketMatcherImpl
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer

from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.interfaces.upstream import IHost

NAMESPACE = "envoy.transport_socket_match"


@dataclass(slots=True)
class SocketMatch:
    """
    One of transport_socket_matches.

    Attributes:
        wanted: of an endpoint's metadata; empty for all endpoints.
        count: endpoints that were matched.
    """

    wanted: Mapping[str, object]
    socket: IUpstreamTransportSocketFactory
    count: Counter

    def matches(self, host: IHost) -> bool:
        """Whether this is the socket for it."""
        found = host.metadata.get(NAMESPACE, {})
        return all(key in found and found[key] == value for key, value in self.wanted.items())


@implementer(IUpstreamTransportSocketFactory)
class MatchedSockets:
    """
    Asks the socket that matches an endpoint.

    Args:
        default: of endpoints that nothing matches. matches: in order.

    Attributes:
        supportsALPN: all of them do. isTLS, sendsProxyHeader, passesMetadata: one of them does.
    """

    def __init__(self, default: SocketMatch, matches: tuple[SocketMatch, ...]) -> None:
        self._all = (*matches, default)
        sockets = [one.socket for one in self._all]
        self.supportsALPN = all(getattr(one, "supportsALPN", False) for one in sockets)
        self.isTLS = any(getattr(one, "isTLS", False) for one in sockets)
        self.sendsProxyHeader = any(getattr(one, "sendsProxyHeader", False) for one in sockets)
        self.passesMetadata = any(getattr(one, "passesMetadata", False) for one in sockets)

    def matchOf(self, host: IHost) -> SocketMatch:
        """The one of an endpoint."""
        return next(one for one in self._all if one.matches(host))

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        socket = self.matchOf(host).socket
        endpoint: IStreamClientEndpoint = socket.connectorFor(host, options, passthrough)
        return endpoint

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        """Of all of them: the pools are each endpoint's own."""
        return tuple(one.socket.hashKey(options) for one in self._all)

    def placeOnWire(
        self,
        place: Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory],
    ) -> IUpstreamTransportSocketFactory:
        for one in self._all:
            one.socket = one.socket.placeOnWire(place)
        return self


def countMatch(socket: object, host: IHost, only: Counter) -> None:
    """
    There is one more endpoint.

    Args:
        socket: of its cluster. only: counts where all endpoints have the same one.
    """
    count = socket.matchOf(host).count if isinstance(socket, MatchedSockets) else only
    count.value += 1
