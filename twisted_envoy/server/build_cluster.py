"""From `config.cluster.v3.Cluster` to a Cluster."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField
from twisted_envoy.extensions.transport_sockets.raw_buffer.config import RawBuffer
from twisted_envoy.interfaces.sockets import ConnectOptions
from twisted_envoy.interfaces.upstream import ILoadBalancerMaker
from twisted_envoy.server.build_address import socketAddress
from twisted_envoy.server.build_hosts import buildHosts, metadataOf, staticAddress
from twisted_envoy.server.build_options import keepaliveOptions, socketOptions
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.cluster import Cluster, ClusterSettings
from twisted_envoy.upstream.stats import ClusterStats

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.stats.scope import Scope

_CONNECT_TIMEOUT = 5.0
_BUFFER = 1024 * 1024
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
    f"envoy.cluster{name}"
    for name in (".dns", ".eds", ".original_dst", "s.aggregate", "s.dynamic_forward_proxy")
)
"""Envoy has these; with a config of their own, but for `dns` without one."""
_PROTOCOL_OPTIONS = ("envoy.extensions.upstreams.", "envoy.filters.")
_POLICIES = {
    "ROUND_ROBIN": "round_robin.v3.RoundRobin",
    "LEAST_REQUEST": "least_request.v3.LeastRequest",
    "RANDOM": "random.v3.Random",
}


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
    _protocolOptions(config)
    _ignore(config, "cleanup_interval", "ignore_health_on_host_removal")  # without health checks
    addressOf = staticAddress if kind is None else kind.addressOf
    hosts = buildHosts(config.load_assignment, addressOf)
    timeout = config.connect_timeout
    limit = config.per_connection_buffer_limit_bytes
    settings = ClusterSettings(
        name=name,
        hosts=() if kind else hosts,
        observabilityName=config.alt_stat_name or name,
        connectTimeout=_CONNECT_TIMEOUT if timeout is None else timeout,
        bufferLimit=_BUFFER if limit is None else limit,
        connectOptions=_connectOptions(config),
        metadata=metadataOf(config.metadata),
    )
    transportSocket: Any
    if config.transport_socket is None:
        transportSocket = RawBuffer(context.sockets, context.registry, context.reactor)
    else:
        transportSocket = context.build(config.transport_socket, "transport_sockets")
    stats = ClusterStats(scope)
    scope.counter("default.total_match_count").value += 1
    cluster = Cluster(
        settings,
        config,
        stats,
        _limits(config.circuit_breakers, scope.scope("circuit_breakers.")),
        transportSocket,
        _balancer(config, context),
        context.reactor,
        None if kind is None else kind.discovery(config, hosts),
    )
    scope.computedGauge("upstream_cx_tx_bytes_buffered", cluster.bufferedBytes)
    return cluster


def _clusterType(config: View, context: FactoryContext) -> Any:
    """An IClusterType; None for a static cluster."""
    if config.which("cluster_discovery_type") == "cluster_type":
        return _customType(config, context)
    kind = config.type
    if kind in _DNS_TYPES:
        return _legacyDNS(config, kind == "LOGICAL_DNS", context)
    if kind != "STATIC":
        problem = f"cluster type {kind} is not implemented by twisted_envoy"
        raise UnsupportedField(config.path, problem, config.position("type"))
    _ignore(config, *_DNS_FIELDS, "wait_for_warm_on_init")
    return None


def _customType(config: View, context: FactoryContext) -> Any:
    """By the type URL, or, as in Envoy, by name where there is none."""
    kind = config.cluster_type
    name = kind.name
    if kind.typed_config is not None:
        _ignore(config, *_DNS_FIELDS)
        return context.build(kind, "clusters")
    if name in _DNS_NAMES:
        return _legacyDNS(config, name == "envoy.cluster.logical_dns", context)
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


def _ignore(config: View, *fields: str) -> None:
    for field in fields:
        config.moot(field, "Envoy ignores it for this type of cluster")


def _protocolOptions(config: View) -> None:
    """Envoy refuses names that nobody registered; others stay unread until HTTP obeys them."""
    message: Any = config.message
    for name in sorted(message.typed_extension_protocol_options):
        if not name.startswith(_PROTOCOL_OPTIONS):
            problem = (
                "Didn't find a registered network or http filter or protocol options "
                f"implementation for name: '{name}'"
            )
            raise config.error(problem, "typed_extension_protocol_options")


def _connectOptions(config: View) -> ConnectOptions:
    source: tuple[str, int] | None = None
    options: list[tuple[int, int, int | bytes]] = []
    bind = config.upstream_bind_config
    if bind is not None:
        if bind.source_address is not None:
            address = socketAddress(bind.source_address)
            source = (address.host, address.port)
        if bind.freebind:
            options.append((socket.IPPROTO_IP, 15, 1))
        options += socketOptions(bind.socket_options)
    more = config.upstream_connection_options
    if more is not None and more.tcp_keepalive is not None:
        options += keepaliveOptions(more.tcp_keepalive)
    return ConnectOptions(source, tuple(options))


def _limits(config: View | None, scope: Scope) -> dict[str, Limits]:
    configured: dict[str, Limits] = {}
    for thresholds in config.thresholds if config is not None else ():
        priority = thresholds.priority.lower()
        if priority in configured:
            continue
        given = {
            "maxConnections": thresholds.max_connections,
            "maxPendingRequests": thresholds.max_pending_requests,
            "maxRequests": thresholds.max_requests,
            "maxRetries": thresholds.max_retries,
            "maxConnectionPools": thresholds.max_connection_pools,
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


def _balancer(config: View, context: FactoryContext) -> ILoadBalancerMaker:
    typed = config.load_balancing_policy
    if typed is not None:
        return _typedBalancer(typed, context)
    policy = config.lb_policy
    name = _POLICIES.get(policy)
    if name is None:
        problem = f"lb_policy {policy} is not implemented by twisted_envoy"
        raise UnsupportedField(config.path, problem, config.position("lb_policy"))
    factory = context.extensions.factory(f"envoy.extensions.load_balancing_policies.{name}")
    maker: Any = factory.buildFromCluster(config, context)
    return maker  # type: ignore[no-any-return]


def _typedBalancer(typed: View, context: FactoryContext) -> ILoadBalancerMaker:
    """The first policy of the list that is implemented, as in Envoy."""
    problems: list[ConfigError] = []
    found: Any = None
    for policy in typed.policies:
        extension = policy.typed_extension_config
        if found is not None:
            policy.moot("typed_extension_config", "an earlier policy was taken")
            continue
        try:
            found = context.build(extension, "load_balancing_policies")
        except UnsupportedExtension as problem:
            problems.append(problem)
    if found is None:
        if problems:
            raise problems[0]
        raise typed.error("cluster: didn't find a registered load balancer factory")
    return found  # type: ignore[no-any-return]
