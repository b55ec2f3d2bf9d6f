"""Clusters, hosts and pools as filters see them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from zope.interface import Attribute, Interface

from twisted_envoy.interfaces.sockets import ConnectOptions

if TYPE_CHECKING:
    from twisted_envoy.codec.headers import HeaderMap
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
    from twisted_envoy.state.stream_info import StreamInfo


class LoadBalancerContext:
    """
    What a load balancer may look at.

    Attributes:
        hashKey: of the hash policy, None when there is none.
        metadataMatch: `envoy.lb` values that hosts must have.
        streamInfo: of the connection or request, None when there is none.
        headers: of the request, None when there is none.
        attempt: how often a host was chosen for the same attempt before, and turned down.
        tried: hosts that failed before for this connection or request.
        priorities: an IRetryPriority of a retry, else None.
    """

    __slots__ = (
        *("attempt", "hashKey", "headers", "metadataMatch", "priorities", "streamInfo", "tried"),
    )

    def __init__(
        self,
        hashKey: int | None = None,
        metadataMatch: dict[str, object] | None = None,
        streamInfo: StreamInfo | None = None,
        headers: HeaderMap | None = None,
    ) -> None:
        self.hashKey = hashKey
        self.metadataMatch = metadataMatch
        self.streamInfo = streamInfo
        self.headers = headers
        self.attempt = 0
        self.tried: list[IHost] = []
        self.priorities: Any = None


class IHost(Interface):
    """One endpoint of a cluster."""

    address: IAddress = Attribute("Where it is.")
    hostname: str = Attribute("As configured, or empty.")
    weight: int = Attribute("1 to 128 or more; a share.")
    priority: int = Attribute("Of its locality; 0 is used first.")
    locality: Hashable = Attribute("upstream.host.Locality.")
    localityWeight: int = Attribute("Its locality's share, 0 for none.")
    metadata: dict[str, dict[str, object]] = Attribute("filter_metadata of the endpoint.")
    addedTLVs: Sequence[tuple[int, Any]] = Attribute("For headers of the PROXY protocol.")
    serverName: str = Attribute("For TLS, which checks it too; empty for what the cluster says.")
    cluster: ICluster = Attribute("The cluster that it belongs to.")
    stats: object = Attribute("Per-host counters, named as `/clusters` names them.")
    isHealthy: bool = Attribute("Nothing is wrong with it.")
    isDegraded: bool = Attribute("Used when healthy hosts cannot take everything.")
    isExcluded: bool = Attribute("Does not count when the share of usable hosts is found.")

    def tcpPool(options: TransportSocketOptions) -> ITCPPool:
        """Where new connections to this host come from."""


class ITCPPool(IStreamClientEndpoint):
    """
    Makes connections to one host: each connect() is one new connection.

    Failures are `upstream.tcp_pool.PoolError`s: they carry a flag and a reason. The circuit
    breaker and all counters settle exactly once for each connect().
    """


class ICluster(Interface):
    """A named group of hosts."""

    name: str = Attribute("As configured.")
    metadata: dict[str, dict[str, object]] = Attribute("filter_metadata.")
    hosts: Sequence[IHost] = Attribute("All hosts.")
    stats: Any = Attribute("upstream.stats.ClusterStats.")
    healthPolicy: Any = Attribute("upstream.health.policy.HealthPolicy.")
    connectOptions: ConnectOptions = Attribute("sockets.ConnectOptions for its kernel connections.")
    onlyHost: IHost | None = Attribute("What chooseHost gives whoever asks; None: that depends.")

    def chooseHost(context: LoadBalancerContext) -> IHost | None:
        """The host for one new connection; None when there is none."""


class IClusterManager(Interface):
    """All clusters of a server."""

    def get(name: str) -> ICluster | None:
        """The cluster of that name."""

    def isKnown(name: str) -> bool:
        """Is there a cluster of that name, though it may be of a kind that is not implemented?"""


class ILoadBalancer(Interface):
    """
    Picks hosts of one cluster.

    With an attribute `isBlind` that is true it looks at no context but for what a retry wishes.
    """

    def choose(context: LoadBalancerContext) -> IHost | None:
        """A host, or None when there is none to pick."""

    def hostsChanged(hosts: Sequence[IHost]) -> None:
        """
        The hosts are now these.

        A policy's balancer gets those that are in use: of one priority, for their health.
        """


class ResolveFailed(Exception):
    """Nobody could say whether a name has addresses; that it has none is an answer."""


class IHostResolver(Interface):
    """Finds the addresses of names."""

    def resolve(name: str, kind: type[IPv4Address | IPv6Address]) -> Deferred[Sequence[str]]:
        """
        Ask once.

        Returns:
            Fires with the addresses of that kind, none when the name has none or does not exist;
            fails with ResolveFailed.
        """


class IDiscovery(Interface):
    """Keeps a cluster's hosts up to date."""

    def start(cluster: ICluster, ready: Callable[[], None]) -> None:
        """Begin; `ready` is called once, when traffic need not wait any longer."""

    def stop() -> None:
        """Change nothing any more."""


class IClusterType(Interface):
    """What the factory of a cluster type (`clusters/*`) builds: where its hosts come from."""

    def addressOf(endpoint: View) -> IAddress:
        """The address of one `config.endpoint.v3.Endpoint`, as it is given to `discovery`."""

    def discovery(cluster: View, endpoints: tuple[Any, ...]) -> IDiscovery:
        """
        Make the discovery of one cluster.

        Args:
            endpoints: upstream.host.HostSettings of the config's endpoints.
        Returns:
            One that provides ILoadBalancer too when the cluster chooses its hosts by itself.
        Raises:
            ConfigError: in Envoy's words.
        """


PriorityLoads = tuple[Sequence[int], Sequence[int]]
"""Percent of the load for healthy and for degraded hosts, by priority; 100 in all."""


class IRetryPriority(Interface):
    """What a retry of one request wants to know of priorities (`retry_priority`)."""

    def loads(health: Sequence[tuple[int, int]], usual: PriorityLoads) -> PriorityLoads:
        """
        How the load of this retry is spread.

        Args:
            health: what healthy and degraded hosts of each priority can take, percent.
            usual: how it is spread otherwise.
        """


class ILoadBalancerMaker(Interface):
    """
    What a load balancing policy's factory builds.

    With an attribute `looksAtHealth` that is true, its balancers get all hosts and look at their
    priorities and health themselves.
    """

    def __call__(hosts: Sequence[IHost]) -> ILoadBalancer:
        """A balancer over those hosts."""


__all__ = [
    "ICluster",
    "IClusterManager",
    "IClusterType",
    "IDiscovery",
    "IHost",
    "IHostResolver",
    "ILoadBalancer",
    "ILoadBalancerMaker",
    "IRetryPriority",
    "ITCPPool",
    "LoadBalancerContext",
    "PriorityLoads",
    "ResolveFailed",
]
