"""From `config.cluster.v3.Cluster` to a Cluster."""

from __future__ import annotations

import socket
from sys import maxsize
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address

from twisted_envoy.errors import UnsupportedExtension, UnsupportedField
from twisted_envoy.extensions.common.hop_switches import readHopSwitches
from twisted_envoy.extensions.transport_sockets.raw_buffer.config import RawBuffer
from twisted_envoy.interfaces.sockets import ConnectOptions
from twisted_envoy.interfaces.transport_sockets import IUpstreamTransportSocketFactory
from twisted_envoy.interfaces.upstream import IDiscovery, ILoadBalancer, ILoadBalancerMaker
from twisted_envoy.server.build_address import socketAddress
from twisted_envoy.server.build_balancer import buildBalancer
from twisted_envoy.server.build_cluster_http import buildUpstreamHTTP
from twisted_envoy.server.build_eds import edsHosts, isByPath
from twisted_envoy.server.build_health import buildHealthPolicy
from twisted_envoy.server.build_hosts import buildHosts, metadataOf, staticAddress
from twisted_envoy.server.build_options import keepaliveOptions, socketOptions
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.cluster import Cluster, ClusterSettings
from twisted_envoy.upstream.socket_matches import MatchedSockets, SocketMatch
from twisted_envoy.upstream.stats import ClusterStats

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.stats.scope import Scope
    from twisted_envoy.upstream.health.checker import HealthChecker
    from twisted_envoy.upstream.http.settings import UpstreamHTTP
    from twisted_envoy.upstream.outlier.detector import OutlierDetector

_CONNECT_TIMEOUT = 5.0
_BUFFER = 1024 * 1024
_ISOLATES = "twisted_envoy.http.isolate_shared_state"
_DNS_FIELDS = (
    "dns_lookup_family",
    "dns_refresh_rate",
    "dns_jitter",
    "dns_failure_refresh_rate",
    "respect_dns_ttl",
    "dns_resolvers",
    "dns_resolution_config",
    "use_tcp_for_dns_lookups",
    "typed_dns_resolver_config",
)
_DNS_TYPES = frozenset({"STRICT_DNS", "LOGICAL_DNS"})
_DNS_NAMES = frozenset({"envoy.cluster.strict_dns", "envoy.cluster.logical_dns"})
_TYPE_NAMES = frozenset(
    f"envoy.cluster{name}" for name in (".dns", ".eds", "s.aggregate", "s.dynamic_forward_proxy")
)
"""Envoy has these; with a config of their own, but for `dns` without one."""


def buildCluster(config: View, context: FactoryContext) -> Cluster:
    """
    Build one cluster; nothing is looked up yet.

    Raises:
        ConfigError: what Envoy refuses, or what is not implemented.
    """
    name: str = config.name
    scope = context.stats.scope(f"cluster.{config.alt_stat_name or name}.")
    context = context.within(scope)
    kind = _clusterType(config, context)
    transportSocket = _transportSocket(config, context)
    http = buildUpstreamHTTP(config, transportSocket, context)
    limits = _limits(config.circuit_breakers, scope.scope("circuit_breakers."))
    connectOptions = _connectOptions(config)
    balancer = buildBalancer(config, context)
    byPath = kind is None and isByPath(config)
    if kind is None and not byPath and config.has("eds_cluster_config"):
        raise config.error("eds_cluster_config set in a non-EDS cluster", "eds_cluster_config")
    for upstreamFilter in config.filters:
        context.build(upstreamFilter, "filters.upstream_network")
    _ignore(config, "cleanup_interval")
    addressOf = staticAddress if kind is None else kind.addressOf
    load = config.load_assignment
    hosts = edsHosts(config, context) if byPath else buildHosts(load, addressOf)
    settings = _settings(config, context, () if kind else hosts, connectOptions)
    discovery = None if kind is None else kind.discovery(config, hosts)
    if balancer is None:
        balancer = _provided(config, discovery)
    healthChecker = _healthChecker(config, transportSocket, http, context)
    cluster = Cluster(
        settings,
        config,
        ClusterStats(scope),
        limits,
        transportSocket,
        balancer,
        context.reactor,
        discovery,
        http,
        healthChecker,
        _outlierDetector(config, context),
    )
    _countBuffered(cluster, scope)
    return cluster


def _countBuffered(cluster: Cluster, scope: Scope) -> None:
    scope.computedGauge("upstream_cx_tx_bytes_buffered", cluster.bufferedBytes, lambda: False)
    received = cluster.stats.upstream_cx_rx_bytes_total
    scope.computedGauge("upstream_cx_rx_bytes_buffered", lambda: 0, lambda: received.used)


def _settings(
    config: View, context: FactoryContext, hosts: Any, connectOptions: ConnectOptions
) -> ClusterSettings:
    name: str = config.name
    timeout = config.connect_timeout
    limit = config.per_connection_buffer_limit_bytes
    return ClusterSettings(
        name=name,
        hosts=hosts,
        observabilityName=config.alt_stat_name or name,
        connectTimeout=_CONNECT_TIMEOUT if timeout is None else timeout,
        bufferLimit=_BUFFER if limit is None else limit or maxsize,  # 0 is no limit
        isolatesState=context.runtime.boolean(_ISOLATES, False),
        connectOptions=connectOptions,
        metadata=metadataOf(config.metadata),
        healthPolicy=buildHealthPolicy(config, context),
    )


def _healthChecker(
    config: View,
    transportSocket: IUpstreamTransportSocketFactory,
    http: UpstreamHTTP,
    context: FactoryContext,
) -> HealthChecker | None:
    """What most bootstraps do not need is imported when one does."""
    if not config.health_checks:
        return None
    from twisted_envoy.server.build_health_check import buildHealthChecker

    return buildHealthChecker(config, transportSocket, http, context)


def _outlierDetector(config: View, context: FactoryContext) -> OutlierDetector | None:
    if config.outlier_detection is None:
        return None
    from twisted_envoy.server.build_outlier import buildOutlierDetector

    return buildOutlierDetector(config, context)


def _provided(config: View, discovery: IDiscovery | None) -> ILoadBalancerMaker:
    """The balancer of a cluster that chooses its hosts by itself."""
    if not ILoadBalancer.providedBy(discovery):
        raise config.error(
            f"cluster manager: cluster provided LB specified but cluster '{config.name}' did not "
            "provide one. Check cluster documentation.",
            "lb_policy",
        )
    return lambda hosts: discovery


def _clusterType(config: View, context: FactoryContext) -> Any:
    """An IClusterType; None for a static cluster."""
    if config.which("cluster_discovery_type") == "cluster_type":
        return _customType(config, context)
    kind = config.type
    if kind in _DNS_TYPES:
        return _legacyDNS(config, kind == "LOGICAL_DNS", context)
    if kind == "ORIGINAL_DST":
        return _originalDst(config, context)
    if kind != "STATIC" and not isByPath(config):
        if kind == "EDS" and config.eds_cluster_config is None:
            raise config.error("cannot create an EDS cluster without an EDS config")
        problem = f"cluster type {kind} is not implemented by twisted_envoy"
        raise UnsupportedField(config.path, problem, config.position("type"))
    _ignore(config, *_DNS_FIELDS, "wait_for_warm_on_init")
    return None


def _transportSocket(config: View, context: FactoryContext) -> IUpstreamTransportSocketFactory:
    default = _socketOf(config.transport_socket, context)
    if not config.transport_socket_matches:
        return default
    matches = []
    for one in config.transport_socket_matches:
        if one.transport_socket is None:
            raise one.error("Didn't find a registered implementation for '' with type URL: ''")
        socket = _socketOf(one.transport_socket, context)
        count = context.scope.counter(f"{one.name}.total_match_count")
        matches.append(SocketMatch(one.match or {}, socket, count))
    count = context.scope.counter("default.total_match_count")
    return MatchedSockets(SocketMatch({}, default, count), tuple(matches))


def _socketOf(given: View | None, context: FactoryContext) -> IUpstreamTransportSocketFactory:
    if given is None:
        switches = readHopSwitches(context.runtime)
        return RawBuffer(context.sockets, context.registry, context.reactor, switches)
    made = context.build(given, "transport_sockets")
    if not IUpstreamTransportSocketFactory.providedBy(made):
        kind = given.typed_config.typeName
        raise given.error(
            f"Didn't find a registered implementation for '{given.name}' with type URL: '{kind}'"
        )
    return made


def _customType(config: View, context: FactoryContext) -> Any:
    """By the type URL, or, as in Envoy, by name where there is none."""
    kind = config.cluster_type
    name = kind.name
    if kind.typed_config is not None:
        _ignore(config, *_DNS_FIELDS)
        return context.build(kind, "clusters")
    if name in _DNS_NAMES:
        return _legacyDNS(config, name == "envoy.cluster.logical_dns", context)
    if name == "envoy.cluster.original_dst":
        return _originalDst(config, context)
    if name in _TYPE_NAMES:
        raise UnsupportedExtension(
            kind.path, f"cluster type '{name}' is not implemented", kind.position()
        )
    if name != "envoy.cluster.static":
        problem = f"Didn't find a registered cluster factory implementation for name: '{name}'"
        raise kind.error(problem, "name")
    _ignore(config, *_DNS_FIELDS, "wait_for_warm_on_init")
    return None


def _legacyDNS(config: View, logical: bool, context: FactoryContext) -> Any:
    factory = context.extensions.factory("envoy.extensions.clusters.dns.v3.DnsCluster")
    return factory.buildFromCluster(config, logical, context)


def _originalDst(config: View, context: FactoryContext) -> Any:
    _ignore(config, *_DNS_FIELDS, "wait_for_warm_on_init")
    factory = context.extensions.factory(
        "envoy.extensions.clusters.original_dst.v3.OriginalDstCluster"
    )
    return factory.buildFromCluster(config, context)


def _ignore(config: View, *fields: str) -> None:
    for field in fields:
        config.moot(field, "Envoy ignores it for this type of cluster")


def _connectOptions(config: View) -> ConnectOptions:
    source: tuple[str, int] | None = None
    options: list[tuple[int, int, int | bytes]] = []
    bind = config.upstream_bind_config
    if bind is not None:
        if bind.source_address is not None:
            address = socketAddress(bind.source_address)
            source = (address.host, address.port)
            _checkMoreSources(config.name, bind, address)
        if bind.freebind:
            options.append((socket.IPPROTO_IP, 15, 1))
        options += socketOptions(bind.socket_options)
    more = config.upstream_connection_options
    if more is not None and more.tcp_keepalive is not None:
        options += keepaliveOptions(more.tcp_keepalive)
    return ConnectOptions(source, tuple(options))


def _checkMoreSources(name: str, bind: View, first: IPv4Address | IPv6Address) -> None:
    field = "extra_source_addresses/additional_source_addresses"
    extra = [one.message.address for one in bind.extra_source_addresses]
    extra = extra or [one.message for one in bind.additional_source_addresses]
    text = f"Cluster {name}'s upstream binding config has "
    if len(extra) > 1:
        raise bind.error(
            f"{text}more than one extra/additional source addresses. Only one extra/additional "
            f"source can be supported in BindConfig's {field} field"
        )
    for one in extra:
        if (":" in one.address) == isinstance(first, IPv6Address):
            raise bind.error(
                f"{text}two same IP version source addresses. Only two different IP version source "
                f"addresses can be supported in BindConfig's source_address and {field} fields"
            )
        raise UnsupportedField(
            bind.path, "a second source address is not implemented", bind.position()
        )


def _retryBudget(config: View | None) -> tuple[float, int] | None:
    """Percent and least number of retries; Envoy's defaults are 20 and 3."""
    if config is None:
        return None
    percent, least = config.budget_percent, config.min_retry_concurrency
    return (20.0 if percent is None else percent.value, 3 if least is None else least)


def _limits(config: View | None, scope: Scope) -> dict[str, Limits]:
    configured: dict[str, Limits] = {}
    if config is not None:
        for one in config.message.per_host_thresholds:  # type: ignore[attr-defined]
            if {field.name for field, _ in one.ListFields()} - {"max_connections", "priority"}:
                raise config.error(
                    "Unsupported field in per_host_thresholds", "per_host_thresholds"
                )
    for thresholds in config.thresholds if config is not None else ():
        priority = thresholds.priority.lower()
        if priority in configured:
            thresholds.take()  # Envoy looks at the first of a priority only
            continue
        given = {
            "maxConnections": thresholds.max_connections,
            "maxPendingRequests": thresholds.max_pending_requests,
            "maxRequests": thresholds.max_requests,
            "maxRetries": thresholds.max_retries,
            "maxConnectionPools": thresholds.max_connection_pools,
            "retryBudget": _retryBudget(thresholds.retry_budget),
        }
        configured[priority] = Limits(
            scope.scope(priority),
            trackRemaining=thresholds.track_remaining,
            **{name: value for name, value in given.items() if value is not None},
        )
    for priority in ("default", "high"):
        if priority not in configured:
            configured[priority] = Limits(scope.scope(priority))
    return configured
