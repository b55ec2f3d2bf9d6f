"""
The transport socket itself: what it copies at each connect.

On a plain address it changes nothing, as in Envoy.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.interfaces.upstream import IHost
from twisted_envoy.state.passthrough import ALL_OFF, HopSwitches, Passthrough
from twisted_envoy.stats.metrics import Counter


class MetadataSource(NamedTuple):
    """One item of passthrough_metadata: whose metadata, and under which name."""

    ofCluster: bool
    name: str


@implementer(IUpstreamTransportSocketFactory)
class InternalUpstream:
    """
    Connects with a Passthrough: the named metadata of host and cluster, and shared filter state.

    Args:
        inner: the nested transport socket.
        sources: what metadata to copy, in the config's order; a later one of a name wins.
        noMetadata: `internal_upstream.no_metadata`, counted for each absent source.
        switches: what it does more than Envoy's.

    Attributes:
        passesMetadata: options should have the downstream side's dynamic metadata.
        supportsALPN, isTLS, sendsProxyHeader: of the nested socket.
    """

    def __init__(
        self,
        inner: IUpstreamTransportSocketFactory,
        sources: tuple[MetadataSource, ...],
        noMetadata: Counter,
        switches: HopSwitches = ALL_OFF,
    ) -> None:
        self._inner = inner
        self._sources = sources
        self._noMetadata = noMetadata
        self._switches = switches
        self.passesMetadata = switches.passesMetadata
        self.supportsALPN: bool = getattr(inner, "supportsALPN", False)
        self.isTLS: bool = getattr(inner, "isTLS", False)
        self.sendsProxyHeader: bool = getattr(inner, "sendsProxyHeader", False)

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        return _PassingEndpoint(self, host, options, passthrough)

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        return (options.hashKey(), self._inner.hashKey(options))

    def placeOnWire(
        self,
        place: Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory],
    ) -> IUpstreamTransportSocketFactory:
        self._inner = self._inner.placeOnWire(place)
        return self

    def connect(
        self,
        host: IHost,
        options: TransportSocketOptions,
        factory: IProtocolFactory,
        outer: object | None = None,
    ) -> Deferred[Any]:
        """
        One connection with what there is to pass at this moment.

        Args:
            outer: what the internal_upstream around this one passes, which is what counts then.
        """
        switches = self._switches
        found = self._metadataOf(host, options.metadata)
        passthrough: Any = outer
        if passthrough is None:
            passthrough = Passthrough(found, options.shared, switches)
        connecting: Deferred[Any] = self._inner.connectorFor(host, options, passthrough).connect(
            factory
        )
        if switches.tellsBack:
            connecting.addErrback(_withPassthrough, passthrough)
        return connecting

    def _metadataOf(
        self, host: IHost, dynamic: Mapping[str, dict[str, object]] | None
    ) -> dict[str, dict[str, object]]:
        """What the config names goes before what is only passed on."""
        found = dict(dynamic or ())
        for ofCluster, name in self._sources:
            struct = (host.cluster.metadata if ofCluster else host.metadata).get(name)
            if struct is None:
                self._noMetadata.value += 1
            else:
                found[name] = struct
        return found


def _withPassthrough(failure: Failure, passthrough: Passthrough) -> Failure:
    """The listener's side has closed already: what it learned goes with the error."""
    problem: Any = failure.value
    problem.passthrough = passthrough
    return failure


@implementer(IStreamClientEndpoint)
class _PassingEndpoint:
    __slots__ = ("_host", "_options", "_outer", "_socket")

    def __init__(
        self,
        socket: InternalUpstream,
        host: IHost,
        options: TransportSocketOptions,
        outer: object | None,
    ) -> None:
        self._socket = socket
        self._outer = outer
        self._host = host
        self._options = options

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        return self._socket.connect(self._host, self._options, protocolFactory, self._outer)
