"""The factory of raw_buffer, for both directions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from twisted_envoy.extensions.common.hop_switches import readHopSwitches
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.sockets import ISocketInterface
from twisted_envoy.interfaces.transport_sockets import (
    IDownstreamTransportSocketFactory,
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.endpoints import InternalClientEndpoint
from twisted_envoy.internal.interfaces import ConnectAttempt, ConnectUser
from twisted_envoy.internal.registry import Registry
from twisted_envoy.state.passthrough import ALL_OFF, HopSwitches, Passthrough

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.upstream import IHost

_NO_METADATA: Mapping[str, dict[str, object]] = MappingProxyType({})


@implementer(IDownstreamTransportSocketFactory, IUpstreamTransportSocketFactory)
class RawBuffer:
    """
    Plain connections: to kernel addresses through the socket interface, to others in the process.

    Args:
        sockets: makes kernel endpoints.
        registry: has the internal listeners.
        reactor: of both.
        switches: what internal connections do more than Envoy's.

    Attributes:
        isPlain: a connection is its bytes, and nothing is known of it but its addresses.
    """

    def __init__(
        self,
        sockets: ISocketInterface,
        registry: Registry,
        reactor: Any,
        switches: HopSwitches = ALL_OFF,
    ) -> None:
        self.switches = switches
        self.isPlain = switches is ALL_OFF
        self._sockets = sockets
        self._registry = registry
        self._reactor = reactor

    def wrapper(self) -> Callable[[Any, Any], Any] | None:
        return None

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        address = host.address
        if isinstance(address, InternalAddress):
            if passthrough is None:
                return _InternalEndpoint(self, address, options.hops)
            return self.internalEndpoint(address, options.hops, passthrough)
        return self._sockets.clientEndpoint(address, host.cluster.connectOptions)

    def internalEndpoint(
        self, address: InternalAddress, hops: int, passthrough: object | None
    ) -> InternalClientEndpoint:
        """An endpoint for one connection, which carries passthrough; None: each its own."""
        return InternalClientEndpoint(
            self._reactor,
            address.name,
            address.endpointID,
            passthrough=passthrough,
            hops=hops,
            registry=self._registry,
            afterPoll=True,
        )

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        return ()

    def placeOnWire(
        self,
        place: Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory],
    ) -> IUpstreamTransportSocketFactory:
        return place(self)


@implementer(IStreamClientEndpoint)
class _InternalEndpoint:
    """Each connection has a Passthrough of its own, in which its listener may leave something."""

    __slots__ = ("_address", "_hops", "_plain", "_socket")

    def __init__(self, socket: RawBuffer, address: InternalAddress, hops: int) -> None:
        self._socket = socket
        self._address = address
        self._hops = hops
        self._plain = socket.internalEndpoint(address, hops, None)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        passthrough = Passthrough(_NO_METADATA, (), self._socket.switches)
        endpoint = self._socket.internalEndpoint(self._address, self._hops, passthrough)
        connecting: Deferred[Any] = endpoint.connect(protocolFactory)
        return connecting

    def begin(self, user: ConnectUser) -> ConnectAttempt:
        """The same for a user."""
        passthrough = Passthrough(_NO_METADATA, (), self._socket.switches)
        return self._plain.begin(user, passthrough)


@implementer(IExtensionFactory)
class RawBufferFactory:
    """Builds RawBuffer."""

    typeURL = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> RawBuffer:
        switches = readHopSwitches(context.runtime)
        return RawBuffer(context.sockets, context.registry, context.reactor, switches)
