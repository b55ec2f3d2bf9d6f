"""One endpoint of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import field
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.interfaces.upstream import IHost
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.addresses import addressText
from twisted_envoy.upstream.health.flags import CONFIGURED, DEGRADED, EXCLUDED, UNHEALTHY, flagText
from twisted_envoy.upstream.stats import HostStats
from twisted_envoy.upstream.tcp_pool import TCPPool
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.upstream.cluster import Cluster
    from twisted_envoy.upstream.http.pool import HTTPPool
    from twisted_envoy.upstream.outlier.monitor import HostMonitor


@dataclass(frozen=True, slots=True)
class Locality:
    """`config.core.v3.Locality`."""

    region: str = ""
    zone: str = ""
    sub_zone: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheckTarget:
    """
    Where an endpoint is asked for its health.

    Attributes:
        address, port: others than the endpoint's; None and 0 for those.
        hostname: what it is called there; empty for what the health check says.
        disabled: it is not asked at all.

    Envoy: config.endpoint.v3.Endpoint.HealthCheckConfig
    """

    address: IAddress | None = None
    port: int = 0
    hostname: str = ""
    disabled: bool = False

    def addressFor(self, host: IAddress) -> IAddress:
        """Where the checks of a host at this address go."""
        address = self.address or host
        if self.port and isinstance(address, (IPv4Address, IPv6Address)):
            return type(address)("TCP", address.host, self.port)
        return address


@dataclass(frozen=True, slots=True)
class HostSettings:
    """
    What the config says of an endpoint.

    Attributes:
        weight: 1 or more. localityWeight: 0 for none.
        healthStatus: UNKNOWN, HEALTHY, UNHEALTHY, DRAINING, TIMEOUT or DEGRADED.
        healthCheck: where it is asked for its health.
        addedTLVs: for headers of the PROXY protocol: types, and values or what formats them.
        serverName: what TLS asks for and the certificate must have; "" as the cluster says.
    """

    address: IAddress
    hostname: str = ""
    weight: int = 1
    priority: int = 0
    locality: Locality = Locality()
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    localityWeight: int = 0
    healthStatus: str = "UNKNOWN"
    healthCheck: HealthCheckTarget = HealthCheckTarget()
    addedTLVs: tuple[tuple[int, Any], ...] = ()
    serverName: str = ""


NO_OPTIONS = TransportSocketOptions()
"""Of a connection that asks for nothing."""
_NOTHING_MORE = NO_OPTIONS[2:]
"""Than what is shared, and hops."""


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
        asAttempted: its address and its name as lists of attempts begin; never changed.
        httpPools: those that have a connection, or somebody who waits for one.
        plainPools: protocol, blank, priority -> the one for requests with nothing to share.
        health: flags of upstream.health.flags; whoever changes them tells `Cluster.hostJudged`,
            for which `judged` is.
        monitor: hears how requests end, for outlier detection; None without.
        passiveHealth: is told that the host has called itself unhealthy; None without checks.
    """

    __slots__ = (
        "_plainPool",
        "addedTLVs",
        "address",
        "asAttempted",
        "cluster",
        "health",
        "hostname",
        "httpPools",
        "judged",
        "locality",
        "localityWeight",
        "metadata",
        "monitor",
        "passiveHealth",
        "plainPools",
        "priority",
        "serverName",
        "settings",
        "stats",
        "weight",
    )

    canary = False

    def __init__(self, settings: HostSettings, cluster: Cluster) -> None:
        self.settings = settings
        self.address = settings.address
        self.hostname = settings.hostname
        text = addressText(settings.address)
        self.asAttempted = ([text], [settings.hostname or text])
        self.weight = settings.weight
        self.priority = settings.priority
        self.locality = settings.locality
        self.localityWeight = settings.localityWeight
        self.metadata = settings.metadata
        self.addedTLVs = settings.addedTLVs
        self.serverName = settings.serverName
        self.cluster = cluster
        self.stats = HostStats()
        self.httpPools: dict[Hashable, HTTPPool] = {}
        self.plainPools: dict[str, HTTPPool] = {}
        self._plainPool: TCPPool | None = None
        self.health = self.judged = CONFIGURED.get(settings.healthStatus, 0)
        self.monitor: HostMonitor | None = None
        self.passiveHealth: Callable[[], None] | None = None

    # Health.

    @property
    def isHealthy(self) -> bool:
        """Nothing is wrong with it."""
        return not self.health & (UNHEALTHY | DEGRADED)

    @property
    def isDegraded(self) -> bool:
        """It is used when healthy hosts cannot take everything."""
        return bool(self.health & DEGRADED) and not self.health & UNHEALTHY

    @property
    def isExcluded(self) -> bool:
        """It does not count as a host, when the share of usable ones is found."""
        return bool(self.health & EXCLUDED)

    @property
    def healthFlags(self) -> str:
        """As `/clusters` shows them."""
        return flagText(self.health)

    def tcpPool(self, options: TransportSocketOptions = NO_OPTIONS) -> TCPPool:
        """
        Where connections with these options come from.

        A TCP pool keeps nothing between connections, so the one without options is kept and every
        other one is made where it is needed.
        """
        if options is not NO_OPTIONS and options != NO_OPTIONS:
            if not self._takesNoneOf(options):
                return self._newPool(options)
            options = NO_OPTIONS
        if self._plainPool is None:
            self._plainPool = self._newPool(options)
        return self._plainPool

    def _takesNoneOf(self, options: TransportSocketOptions) -> bool:
        """Only hops are told, which nobody asks for behind the kernel."""
        return (
            not isinstance(self.address, InternalAddress)
            and self.cluster.asksNothing
            and not options.shared
            and options[2:] == _NOTHING_MORE
        )

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
            self.plainPools = {at: one for at, one in self.plainPools.items() if one is not pool}
            pool.limits.connectionPools.give()

    def drainPools(self) -> None:
        """The host is used no more: idle connections end now, others with their last request."""
        for pool in list(self.httpPools.values()):
            pool.drain()

    def drainConnections(self, closesTCP: bool) -> None:
        """
        The host is not well: idle HTTP connections end now, others with their last request.

        Args:
            closesTCP: end those that carry TCP, too.
        """
        pools = list(self.httpPools.values())
        others = {one for pool in pools for one in pool.transports()} if closesTCP else set()
        for pool in pools:
            pool.drainConnections()
        if closesTCP:
            for transport in list(self.cluster.open):
                if transport not in others and transport.getPeer() == self.address:
                    transport.abortConnection()
