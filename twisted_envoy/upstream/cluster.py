"""A named group of hosts, and the manager of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.sockets import ConnectOptions
from twisted_envoy.interfaces.transport_sockets import IUpstreamTransportSocketFactory
from twisted_envoy.interfaces.upstream import (
    ICluster,
    IClusterManager,
    ILoadBalancer,
    ILoadBalancerMaker,
    LoadBalancerContext,
)
from twisted_envoy.network.timers import DeadlineQueue
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.host import Host, HostSettings
from twisted_envoy.upstream.stats import ClusterStats


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """
    What the config says of a cluster.

    Attributes:
        connectTimeout: seconds.
        bufferLimit: bytes, `per_connection_buffer_limit_bytes`.
    """

    name: str
    hosts: tuple[HostSettings, ...] = ()
    observabilityName: str = ""
    connectTimeout: float = 5.0
    bufferLimit: int = 1024 * 1024
    connectOptions: ConnectOptions = ConnectOptions()
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)


@implementer(ICluster)
class Cluster:
    """
    A static cluster.

    Args:
        settings: the config's.
        config: the View that it was built from, for `/config_dump`.
        stats: `cluster.<name>.*`.
        limits: of the routing priorities "default" and "high".
        transportSocket: dresses connections to hosts.
        balancer: made over the hosts.
        reactor: IReactorTime.
    """

    addedViaAPI = False

    def __init__(
        self,
        settings: ClusterSettings,
        config: Any,
        stats: ClusterStats,
        limits: dict[str, Limits],
        transportSocket: IUpstreamTransportSocketFactory,
        balancer: ILoadBalancerMaker,
        reactor: Any,
    ) -> None:
        self.name = settings.name
        self.observabilityName = settings.observabilityName or settings.name
        self.config = config
        self.stats = stats
        self.priorities = limits
        self.connections = limits["default"].connections
        self.transportSocket = transportSocket
        self.metadata = settings.metadata
        self.connectTimeouts = DeadlineQueue(reactor, settings.connectTimeout)
        self.bufferLimit = settings.bufferLimit
        self.connectOptions = settings.connectOptions
        self.seconds: Callable[[], float] = reactor.seconds
        self.hosts = tuple(Host(host, self) for host in settings.hosts)
        self._balancer: ILoadBalancer = balancer(self.hosts)
        total = len(self.hosts)
        stats.membership_total.value = total
        stats.membership_healthy.value = total
        stats.membership_change.value += 1 if total else 0
        self.open: set[Any] = set()

    def bufferedBytes(self) -> int:
        """Bytes that are written to this cluster's connections and wait to be sent."""
        return sum(connection.bufferedBytes for connection in self.open)

    def chooseHost(self, context: LoadBalancerContext) -> Host | None:
        """The host for one new connection; None (and `upstream_cx_none_healthy`) without one."""
        host: Any = self._balancer.choose(context)
        if host is None:
            self.stats.upstream_cx_none_healthy.value += 1
        return host  # type: ignore[no-any-return]


@implementer(IClusterManager)
class ClusterManager:
    """All clusters by name."""

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}

    def add(self, cluster: Cluster) -> None:
        """
        One more cluster.

        Raises:
            ValueError: there is one of that name.
        """
        if cluster.name in self._clusters:
            raise ValueError(cluster.name)
        self._clusters[cluster.name] = cluster

    def get(self, name: str) -> Cluster | None:
        return self._clusters.get(name)

    def names(self) -> Iterable[str]:
        """In the order in which they were added."""
        return self._clusters.keys()
