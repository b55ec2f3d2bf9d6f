"""The factory of the TCP proxy: its config read, once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.extensions.filters.network.tcp_proxy.carrier import Carrier, isPlain
from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy
from twisted_envoy.extensions.filters.network.tcp_proxy.settings import (
    AccessLogging,
    Settings,
    Target,
)
from twisted_envoy.extensions.filters.network.tcp_proxy.stats import TCPProxyStats, makeTunnelStats
from twisted_envoy.interfaces.network import INetworkFilterFactory
from twisted_envoy.network.timers import Backoff, DeadlineQueue
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.state.addresses import hostText, portOf
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.extensions.filters.network.tcp_proxy.proxy_tlvs import ProxyTLVs
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel import Tunnel
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_request import TunnelRequest
    from twisted_envoy.network.filter_chain import FilterChain
    from twisted_envoy.network.listener import Listener
    from twisted_envoy.stats.metrics import Counter
    from twisted_envoy.stats.scope import Scope

_IDLE = 3600.0
_LB = "envoy.lb"


class TCPProxyMaker(partial[TCPProxy]):
    """
    Makes the links; and what takes the connections of listeners that need none.

    Attributes:
        registry: has the internal listeners.
    """

    registry: Any = None

    def carrierFor(self, listener: Listener, chain: FilterChain) -> Carrier | None:
        """See `Listener.carrier`."""
        settings: Settings = self.args[0]
        if self.registry is None or not isPlain(settings):
            return None
        return Carrier(listener, chain, settings, self.registry)


@implementer(INetworkFilterFactory)
class TCPProxyFactory:
    """Builds the maker of TCPProxy links."""

    typeURL = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    category = "filters.network"
    terminal = True

    def build(self, config: View, context: Any) -> TCPProxyMaker:
        scope = context.stats.scope(f"tcp.{config.stat_prefix}.")
        stats = TCPProxyStats(scope)
        tunnel, newTunnel = _tunnel(config, context, scope)
        logging = _logging(config)
        newBackoff = _backoff(config.backoff_options, context)
        proxyTLVs = _proxyTLVs(config, context)
        targets = _targets(config)
        logs = buildAccessLogs(config.access_log, context)
        idle = config.idle_timeout
        unused = "Envoy does not implement it"
        config.moot("downstream_idle_timeout", unused)
        config.moot("upstream_idle_timeout", unused)
        jitter = config.max_downstream_connection_duration_jitter_percentage
        connectOnData, early = _earlyData(config)
        settings = Settings(
            targets=targets,
            totalWeight=sum(target.weight for target in targets),
            stats=stats,
            clusters=context.clusters,
            random=context.random,
            nextID=context.nextID,
            seconds=context.reactor.seconds,
            callLater=context.reactor.callLater,
            reactor=context.reactor,
            logging=replace(logging, logs=logs),
            idleTimeout=_IDLE if idle is None else idle,
            idleQueue=DeadlineQueue(context.reactor, _IDLE if idle is None else idle),
            maxConnectAttempts=_or(config.max_connect_attempts, 1),
            newBackoff=newBackoff,
            maxDuration=config.max_downstream_connection_duration or 0.0,
            durationJitter=jitter.value / 100 if jitter is not None else 0.0,
            maxEarlyData=early,
            connectOnData=connectOnData,
            hashKey=_hashKey(config.hash_policy),
            drainClose=_drainClose(config, context),
            tunnel=tunnel,
            newTunnel=newTunnel,
            proxyTLVs=proxyTLVs,
        )
        _gauge(scope, settings.live, stats.downstream_cx_rx_bytes_total)
        maker = TCPProxyMaker(TCPProxy, settings)
        maker.registry = getattr(context, "registry", None)
        return maker


def _gauge(scope: Scope, live: Collection[TCPProxy], received: Counter) -> None:
    """Have the gauges of what is buffered."""
    scope.computedGauge(
        "downstream_cx_tx_bytes_buffered",
        lambda: sum(link.wire.bufferedBytes for link in live),
        lambda: False,
    )
    scope.computedGauge(
        "downstream_cx_rx_bytes_buffered",
        lambda: sum(link.earlyBytes for link in live),
        lambda: received.used,
    )


def _tunnel(
    config: View, context: Any, scope: Scope
) -> tuple[TunnelRequest | None, Callable[..., Tunnel] | None]:
    """What tunnels are asked for with, and what makes them; most proxies have none."""
    tunneling = config.tunneling_config
    if tunneling is None:
        return None, None
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel import Tunnel
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_request import readTunneling

    request = readTunneling(tunneling, context)
    makeTunnelStats(scope)
    return request, partial(Tunnel, request)


def _proxyTLVs(config: View, context: Any) -> ProxyTLVs | None:
    policy = config.proxy_protocol_tlv_merge_policy
    if not config.proxy_protocol_tlvs:
        return None
    from twisted_envoy.extensions.filters.network.tcp_proxy.proxy_tlvs import readProxyTLVs

    return readProxyTLVs(config.proxy_protocol_tlvs, policy, context)


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _targets(config: View) -> tuple[Target, ...]:
    shared = _lbMatch(config.metadata_match)
    if config.which("cluster_specifier") == "cluster":
        return (Target(config.cluster, 1, shared),)
    targets = []
    for weighted in config.weighted_clusters.clusters:
        own = _lbMatch(weighted.metadata_match)
        merged = {**(shared or {}), **(own or {})} if own or shared else None
        targets.append(Target(weighted.name, weighted.weight, merged))
    return tuple(targets)


def _lbMatch(metadata: View | None) -> dict[str, object] | None:
    """The `envoy.lb` part; other namespaces take no part in load balancing, in Envoy too."""
    if metadata is None:
        return None
    found: dict[str, object] | None = metadata.filter_metadata.get(_LB)
    return found


def _earlyData(config: View) -> tuple[bool, int | None]:
    mode = config.upstream_connect_mode
    early: int | None = config.max_early_data_bytes
    if mode != "IMMEDIATE" and early is None:
        raise config.error(
            "max_early_data_bytes must be set when upstream_connect_mode is not IMMEDIATE",
            "upstream_connect_mode",
        )
    return mode == "ON_DOWNSTREAM_DATA", early


def _logging(config: View) -> AccessLogging:
    options = config.access_log_options
    interval = config.access_log_flush_interval
    onConnected = config.flush_access_log_on_connected
    onStart = False
    if options is not None:
        for field, given in (
            ("flush_access_log_on_connected", onConnected),
            ("access_log_flush_interval", interval is not None),
        ):
            if given:
                raise config.error(
                    f"Only one of {field} or access_log_options can be specified.",
                    "access_log_options",
                )
        interval = options.access_log_flush_interval
        onConnected = options.flush_access_log_on_connected
        onStart = options.flush_access_log_on_start
    return AccessLogging((), onStart, onConnected, interval or 0.0)


def _backoff(options: View | None, context: Any) -> Callable[[], Backoff] | None:
    if options is None:
        return None
    base = options.base_interval
    most = _or(options.max_interval, base * 10)
    if most < base:
        raise options.error(
            "max_backoff_interval must be greater or equal to base_backoff_interval"
        )
    return lambda: Backoff(context.random, base, most)


def _drainClose(config: View, context: Any) -> Callable[[], bool] | None:
    if not config.check_drain_close:
        return None
    drain, listener = context.drain, context.listener
    return lambda: bool(drain.drainClose(listener))


def _hashKey(policies: tuple[View, ...]) -> Callable[[StreamInfo], int | None] | None:
    if not policies:
        return None
    policy = policies[0]
    if policy.which("policy_specifier") == "source_ip":
        policy.source_ip  # noqa: B018  reading it is what marks it as obeyed
        return _hashOfSource
    key = policy.filter_state.key

    def ofState(info: StreamInfo) -> int | None:
        value = info.filterState.get(key)
        hashed = None if value is None else value.hashKey()
        return None if hashed is None else xxHash64(str(hashed).encode())

    return ofState


def _hashOfSource(info: StreamInfo) -> int | None:
    address = info.remoteAddress
    return None if portOf(address) is None else xxHash64(hostText(address).encode())
