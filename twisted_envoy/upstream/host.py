"""One endpoint of a cluster."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.interfaces.upstream import IHost
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.upstream.stats import HostStats
from twisted_envoy.upstream.tcp_pool import TCPPool

if TYPE_CHECKING:
    from twisted_envoy.upstream.cluster import Cluster
    from twisted_envoy.upstream.http.pool import HTTPPool


@dataclass(frozen=True, slots=True)
class Locality:
    """`config.core.v3.Locality`."""

    region: str = ""
    zone: str = ""
    sub_zone: str = ""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What the config says of an endpoint; its weight is 1 or more, its locality's 0 for none."""

    address: IAddress
    hostname: str = ""
    weight: int = 1
    priority: int = 0
    locality: Locality = Locality()
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    localityWeight: int = 0


NO_OPTIONS = TransportSocketOptions()
"""Of a connection that asks for nothing."""


def poolKey(
    transportSocket: IUpstreamTransportSocketFactory, options: TransportSocketOptions, hops: int
) -> Hashable:
    """What separates the HTTP pools of one host, protocol and priority."""
    return (transportSocket.hashKey(options), options.hashKey(), hops)


def isolatedPoolKey(
    transportSocket: IUpstreamTransportSocketFactory, options: TransportSocketOptions, hops: int
) -> Hashable:
    """The same, where no request may show another one's state."""
    return (transportSocket.hashKey(options), options.isolationKey(), hops)


@implementer(IHost)
class Host:
    """
    One endpoint of a cluster, with its counters and its pools.

    Args:
        settings: the config's.
        cluster: the cluster that it belongs to.

    Attributes:
        httpPools: those that have a connection, or somebody who waits for one.
    """

    __slots__ = (
        "_plainPool",
        "address",
        "cluster",
        "hostname",
        "httpPools",
        "locality",
        "localityWeight",
        "metadata",
        "priority",
        "settings",
        "stats",
        "weight",
    )

    canary = False
    healthFlags = "healthy"

    def __init__(self, settings: HostSettings, cluster: Cluster) -> None:
        self.settings = settings
        self.address = settings.address
        self.hostname = settings.hostname
        self.weight = settings.weight
        self.priority = settings.priority
        self.locality = settings.locality
        self.localityWeight = settings.localityWeight
        self.metadata = settings.metadata
        self.cluster = cluster
        self.stats = HostStats()
        self.httpPools: dict[Hashable, HTTPPool] = {}
        self._plainPool: TCPPool | None = None

    def tcpPool(self, options: TransportSocketOptions = NO_OPTIONS) -> TCPPool:
        """
        Where connections with these options come from.

        A TCP pool keeps nothing between connections, so the one without options is kept and every
        other one is made where it is needed.
        """
        if options.shared or options.hops or options.metadata:
            return self._newPool(options)
        if self._plainPool is None:
            self._plainPool = self._newPool(options)
        return self._plainPool

    def _newPool(self, options: TransportSocketOptions) -> TCPPool:
        return TCPPool(self, self.cluster.transportSocket.connectorFor(self, options))

    def poolKey(self, options: TransportSocketOptions) -> Hashable:
        """What separates this host's HTTP pools; hops count where connections may come back."""
        cluster = self.cluster
        if not isinstance(self.address, InternalAddress):
            return poolKey(cluster.transportSocket, options, 0)
        keyOf = isolatedPoolKey if cluster.isolatesState else poolKey
        return keyOf(cluster.transportSocket, options, options.hops)

    def forgetPool(self, key: Hashable, pool: HTTPPool) -> None:
        """An HTTP pool has nothing any more; nothing happens when it is not the one of key."""
        if self.httpPools.get(key) is pool:
            del self.httpPools[key]
            pool.limits.connectionPools.give()

    def drainPools(self) -> None:
        """The host is used no more: idle connections end now, others with their last request."""
        for pool in list(self.httpPools.values()):
            pool.drain()
