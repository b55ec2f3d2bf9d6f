"""The factory of raw_buffer, for both directions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.sockets import ISocketInterface
from twisted_envoy.interfaces.transport_sockets import (
    IDownstreamTransportSocketFactory,
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.endpoints import InternalClientEndpoint
from twisted_envoy.internal.registry import Registry

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.upstream import IHost


@implementer(IDownstreamTransportSocketFactory, IUpstreamTransportSocketFactory)
class RawBuffer:
    """
    Plain connections: to kernel addresses through the socket interface, to others in the process.

    Args:
        sockets: makes kernel endpoints.
        registry: has the internal listeners.
        reactor: of both.
    """

    def __init__(self, sockets: ISocketInterface, registry: Registry, reactor: Any) -> None:
        self._sockets = sockets
        self._registry = registry
        self._reactor = reactor

    def linkMaker(self) -> Callable[[], Any] | None:
        return None

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        address = host.address
        if isinstance(address, InternalAddress):
            return InternalClientEndpoint(
                self._reactor,
                address.name,
                address.endpointID,
                passthrough=passthrough,
                hops=options.hops,
                registry=self._registry,
            )
        return self._sockets.clientEndpoint(address, host.cluster.connectOptions)

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        return ()


@implementer(IExtensionFactory)
class RawBufferFactory:
    """Builds RawBuffer."""

    typeURL = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> RawBuffer:
        return RawBuffer(context.sockets, context.registry, context.reactor)
