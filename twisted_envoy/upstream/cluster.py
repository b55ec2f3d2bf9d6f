"""A named group of hosts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.interfaces.sockets import ConnectOptions
from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.interfaces.upstream import (
    ICluster,
    IDiscovery,
    ILoadBalancer,
    ILoadBalancerMaker,
    LoadBalancerContext,
)
from twisted_envoy.network.timers import DeadlineQueue
from twisted_envoy.sockets.half_closing import HalfClosing
from twisted_envoy.state.addresses import addressText
from twisted_envoy.upstream.balancing import chooseFrom
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.health.flags import (
    FAILED_ACTIVE_HC,
    FAILED_EDS_HEALTH,
    PENDING_ACTIVE_HC,
    PENDING_DYNAMIC_REMOVAL,
    UNHEALTHY,
)
from twisted_envoy.upstream.health.policy import HealthPolicy
from twisted_envoy.upstream.host import NO_OPTIONS, Host, HostSettings, poolKey
from twisted_envoy.upstream.http.pool import HTTPPool
from twisted_envoy.upstream.http.settings import UpstreamHTTP
from twisted_envoy.upstream.socket_matches import countMatch
from twisted_envoy.upstream.stats import ClusterStats
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.upstream.health.checker import HealthChecker
    from twisted_envoy.upstream.outlier.detector import OutlierDetector


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """
    What the config says of a cluster.

    Attributes:
        connectTimeout: seconds.
        healthPolicy: what is made of hosts that are not healthy.
        bufferLimit: bytes, `per_connection_buffer_limit_bytes`.
        isolatesState: HTTP connections to internal listeners are never shared by requests whose
            shared state differs; Envoy looks at hashable objects only.
    """

    name: str
    hosts: tuple[HostSettings, ...] = ()
    observabilityName: str = ""
    connectTimeout: float = 5.0
    bufferLimit: int = 1024 * 1024
    isolatesState: bool = False
    connectOptions: ConnectOptions = ConnectOptions()
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    healthPolicy: HealthPolicy = HealthPolicy()


@implementer(ICluster)
class Cluster:
    """
    A cluster whose hosts are those of the config, or found by its discovery.

    Args:
        settings: the config's.
        config: the View that it was built from, for `/config_dump`.
        stats: `cluster.<name>.*`.
        limits: of the routing priorities "default" and "high".
        transportSocket: dresses connections to hosts.
        balancer: made over the hosts.
        reactor: IReactorTime.
        discovery: finds the hosts; None when the settings have them all.
        http: what its HTTP pools share; None for a cluster that has none.
        healthChecker: checks the hosts; None for no health checks.
        outlier: ejects hosts whose requests end badly; None for nobody.
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
        discovery: IDiscovery | None = None,
        http: UpstreamHTTP | None = None,
        healthChecker: HealthChecker | None = None,
        outlier: OutlierDetector | None = None,
    ) -> None:
        self.healthChecker = healthChecker
        self.outlier = outlier
        self.discovery = discovery
        self.http = http
        self.name = settings.name
        self.observabilityName = settings.observabilityName or settings.name
        self.config = config
        self.stats = stats
        self.priorities = limits
        self.connections = limits["default"].connections
        self.pending = limits["default"].pendingRequests
        self.transportSocket = transportSocket
        self.metadata = settings.metadata
        self.connectTimeouts = DeadlineQueue(reactor, settings.connectTimeout)
        self._plainKey: Hashable = poolKey(transportSocket, NO_OPTIONS, 0)
        self.bufferLimit = settings.bufferLimit
        self.isolatesState = settings.isolatesState
        self.passesMetadata: bool = getattr(transportSocket, "passesMetadata", False)
        self.takesOneRequest = (
            http is not None and http.settings.common.maxRequestsPerConnection == 1
        )
        self.sendsProxyHeader: bool = getattr(transportSocket, "sendsProxyHeader", False)
        self.isTLS: bool = getattr(transportSocket, "isTLS", False)
        self.asksNothing = not (self.passesMetadata or self.sendsProxyHeader or self.isTLS)
        self.connectOptions = settings.connectOptions
        self.healthPolicy = settings.healthPolicy
        self.seconds: Callable[[], float] = reactor.seconds
        self.hosts: tuple[Host, ...] = ()
        self.balancer: ILoadBalancer = balancer(())
        self._providesOwn = ILoadBalancer.providedBy(discovery)
        self._countMembers()
        self.replaceHosts(settings.hosts)
        self.open: dict[Any, None] = {}  # half of what a set takes
        self.halfClosing = HalfClosing()

    def replaceHosts(self, settings: Sequence[HostSettings]) -> bool:
        """
        The hosts are now these, in this order.

        A Host whose settings are what they were stays the same object, with its counters and
        pools. Connections to a host that is gone live on.

        Returns:
            Whether anything but the order changed.
        """
        # By text: Twisted looks for the file to hash a Unix address, and an abstract one has none.
        old: dict[str, list[Host]] = {}
        for host in self.hosts:
            old.setdefault(addressText(host.address), []).append(host)
        hosts = tuple(self._hostOf(one, old.get(addressText(one.address), [])) for one in settings)
        hosts += self._stillHealthy(old)
        kept = len(self.hosts) - sum(map(len, old.values()))
        if kept == len(hosts) == len(self.hosts):
            return False
        before = set(self.hosts)
        self.hosts = hosts
        self.balancer.hostsChanged(hosts)
        added = [one for one in hosts if one not in before]
        removed = [one for left in old.values() for one in left]
        for gone in removed:
            gone.drainPools()
        self._countMembers()
        changed = {one.priority for one in (*added, *removed)}
        self.stats.membership_change.value += len(changed)  # Envoy changes one at a time
        self._tellHosts(added, removed)
        return True

    def _stillHealthy(self, old: dict[str, list[Host]]) -> tuple[Host, ...]:
        """Those that were not found any more but are well, as their checks say: they are kept."""
        policy = self.healthPolicy
        if self.healthChecker is None or policy.ignoresHealthOnRemoval or self._providesOwn:
            return ()
        kept = []
        for left in old.values():
            for host in list(left):
                if not host.health & (FAILED_ACTIVE_HC | FAILED_EDS_HEALTH):
                    host.health |= PENDING_DYNAMIC_REMOVAL
                    left.remove(host)
                    kept.append(host)
        return tuple(kept)

    def _tellHosts(self, added: Sequence[Host], removed: Sequence[Host]) -> None:
        if self.healthChecker is not None:
            self.healthChecker.hostsChanged(added, removed)
        if self.outlier is not None:
            self.outlier.hostsChanged(added, removed)

    def hostChecked(self, host: Host, healthy: bool) -> None:
        """A host was checked; its flags may have changed."""
        if healthy and self.outlier is not None:
            self.outlier.hostIsHealthy(host)
        self.hostJudged(host)

    def hostJudged(self, host: Host) -> None:
        """The flags of a host may have changed."""
        before, host.judged = host.judged, host.health
        if before == host.health:
            return
        self.healthChanged()
        if host.health & UNHEALTHY and not before & UNHEALTHY:
            host.drainConnections(self.healthPolicy.closesOnFailure)

    def healthChanged(self) -> None:
        """Health flags of some hosts have changed."""
        self._countMembers()
        self.balancer.hostsChanged(self.hosts)

    def _countMembers(self) -> None:
        stats = self.stats
        hosts = self.hosts
        stats.membership_total.value = len(hosts)
        stats.membership_healthy.value = sum(host.isHealthy for host in hosts)
        stats.membership_degraded.value = sum(host.isDegraded for host in hosts)
        stats.membership_excluded.value = sum(host.isExcluded for host in hosts)

    def addHost(self, settings: HostSettings) -> Host:
        """One more host, behind the others; the balancer is told."""
        host = self._hostOf(settings, [])
        self.hosts = (*self.hosts, host)
        self.balancer.hostsChanged(self.hosts)
        self._countMembers()
        self.stats.membership_change.value += 1
        self._tellHosts((host,), ())
        return host

    def _hostOf(self, settings: HostSettings, old: list[Host]) -> Host:
        """One of the old ones, which is taken from them, or a new one."""
        for index, host in enumerate(old):
            if host.settings == settings:
                host.health &= ~PENDING_DYNAMIC_REMOVAL
                return old.pop(index)
        host = Host(settings, self)
        countMatch(self.transportSocket, host, self.stats.totalMatchCount)
        if self.healthChecker is not None and not settings.healthCheck.disabled:
            host.health |= FAILED_ACTIVE_HC
            if self.healthPolicy.warmsNewHosts and self.discovery is not None:
                host.health |= PENDING_ACTIVE_HC
            host.judged = host.health
        return host

    def bufferedBytes(self) -> int:
        """Bytes that are written to this cluster's connections and wait to be sent."""
        return sum(connection.bufferedBytes for connection in self.open)

    def httpPool(
        self, host: Host, downstreamProtocol: str, options: TransportSocketOptions, priority: str
    ) -> HTTPPool | None:
        """See IHTTPCluster."""
        http = self.http
        assert http is not None
        protocol = http.protocolFor(downstreamProtocol)
        plain = options is NO_OPTIONS or options == NO_OPTIONS
        key = (protocol, priority, self._plainKey if plain else host.poolKey(options))
        pool = host.httpPools.get(key)
        if pool is None:
            limits = self.priorities[priority]
            if limits.connectionPools.full and not self._freePool(host, limits):
                self.stats.upstream_cx_pool_overflow.value += 1
                return None
            limits.connectionPools.take()
            if self.isTLS:
                options = options._replace(protocols=http.offered(protocol))
            endpoint = self.transportSocket.connectorFor(host, options)
            pool = HTTPPool(host, key, protocol, limits, endpoint, http, options.shared)
            host.httpPools[key] = pool
            if plain:
                host.plainPools[f"{protocol} {priority}"] = pool
        return pool

    def _freePool(self, host: Host, limits: Limits) -> bool:
        """Close one of the host's pools of that priority that nobody uses."""
        for pool in host.httpPools.values():
            if pool.limits is limits and not pool.busy:
                pool.close()
                return True
        return False

    @property
    def onlyHost(self) -> Host | None:
        """What chooseHost gives whoever asks; None: that depends."""
        return getattr(self.balancer, "only", None)

    @property
    def isBlind(self) -> bool:
        """What chooseHost gives does not depend on who asks."""
        return getattr(self.balancer, "isBlind", False)

    def chooseHost(self, context: LoadBalancerContext) -> Host | None:
        """The host for one new connection; None (and `upstream_cx_none_healthy`) without one."""
        host: Any = chooseFrom(self.balancer, context)
        if host is None:
            self.stats.upstream_cx_none_healthy.value += 1
            if not (self.hosts or self._providesOwn) and self.healthPolicy.threshold():
                self.stats.lb_healthy_panic.value += 1
        return host  # type: ignore[no-any-return]
