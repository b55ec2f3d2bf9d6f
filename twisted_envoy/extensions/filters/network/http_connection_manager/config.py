"""The factory of the HTTP connection manager: its config read, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from twisted_envoy.access_log.filters import buildFilter
from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.extensions.filters.network.http_connection_manager.filters import (
    buildFilters,
    filterKinds,
)
from twisted_envoy.http.edge.edge import Edge, EdgeFacts
from twisted_envoy.http.edge.overloaded import refuser
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.http.local_reply import LocalReplies
from twisted_envoy.http.protocol_options import (
    CommonHTTPOptions,
    readCommonOptions,
    readHTTP1Options,
    readHTTP2Options,
)
from twisted_envoy.http.routes.table import buildRouteTable
from twisted_envoy.http.server_connection import ServerConnection
from twisted_envoy.http.settings import ManagerSettings, RecordSettings, Timeouts, Upgrade
from twisted_envoy.http.stats import HTTP1Stats, ListenerManagerStats, ManagerStats
from twisted_envoy.interfaces.network import INetworkFilterFactory
from twisted_envoy.network.overload import STOP_REQUESTS, OverloadActions

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.http.filter_plan import FilterPlan
    from twisted_envoy.stats.scope import Scope

_HEADERS_KB = 60
_HEADERS_COUNT = 100
_TUNNEL_HALF_CLOSE = "twisted_envoy.http1_tunnel_half_close"


@implementer(INetworkFilterFactory)
class ManagerFactory:
    """Builds the maker of ServerConnections."""

    typeURL = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    category = "filters.network"
    descriptors = b""
    terminal = True

    def build(self, config: View, context: Any) -> Callable[[], ServerConnection]:
        return partial(ServerConnection, buildManager(config, context))


def buildManager(config: View, context: Any) -> ManagerSettings:
    """
    Read a whole HttpConnectionManager.

    Raises:
        ConfigError: what Envoy refuses, or what is not implemented.
    """
    prefix = f"http.{config.stat_prefix}."
    scope = context.stats.scope(prefix)
    inner = context.within(scope, context.listener)
    codec = _codec(config)
    common = readCommonOptions(config.common_http_protocol_options)
    http1 = _http1(config, inner)
    http2 = readHTTP2Options(config.http2_protocol_options, inner, _streamErrors(config))
    limits = _limits(config, common)
    replies = LocalReplies(config.local_reply_config, inner, lambda one: buildFilter(one, inner))
    records = _records(config, inner)
    routes = _routes(config, inner)
    edge = _edge(config, inner, http1.acceptHTTP10, routes.internalOnlyHeaders)
    plan = buildFilters(config.http_filters, inner)
    return ManagerSettings(
        codec=codec,
        plan=plan,
        routes=routes,
        edge=edge,
        localReplies=replies,
        scope=scope,
        stats=ManagerStats(scope),
        listenerStats=ListenerManagerStats(context.scope.scope(prefix)),
        http1=http1,
        http2=http2,
        limits=limits,
        timeouts=_timeouts(config, common),
        records=records,
        upgrades=_upgrades(config, inner, plan),
        maxRequests=common.maxRequestsPerConnection or 0,
        proxies100Continue=config.proxy_100_continue,
        safeMaxDuration=config.http1_safe_max_connection_duration,
        tunnelHalfClose=context.runtime.boolean(_TUNNEL_HALF_CLOSE, False),
        **_surroundings(context),
    )


def _surroundings(context: Any) -> dict[str, Any]:
    """Of ManagerSettings, what is the same for every manager of a listener."""
    stats = context.stats
    return {
        "reactor": context.reactor,
        "random": context.random,
        "runtime": context.runtime,
        "clusters": context.clusters,
        "http1Stats": _shared(context, "http1", HTTP1Stats, stats),
        "http2Stats": _shared(context, "http2", HTTP2Stats, stats),
        "post": context.registry.turn.post,
        "nextID": context.nextID,
        "drain": context.drain,
        "listener": context.listener,
    }


def _codec(config: View) -> str:
    codec: str = config.codec_type
    if codec == "HTTP3":
        raise UnsupportedField(
            config.path, "HTTP/3 is not implemented by twisted_envoy", config.position("codec_type")
        )
    return codec


def _http1(config: View, context: Any) -> HTTP1Settings:
    http1 = readHTTP1Options(config.http_protocol_options, context, _streamErrors(config))
    atEdge = bool(config.use_remote_address) and not config.xff_num_trusted_hops
    return replace(http1, refusesHTTPS=atEdge)


def _limits(config: View, common: CommonHTTPOptions) -> HeaderLimits:
    kilobytes = config.max_request_headers_kb
    return HeaderLimits(
        1024 * (_HEADERS_KB if kilobytes is None else kilobytes),
        common.maxHeadersCount or _HEADERS_COUNT,
        common.underscores,
    )


def _edge(config: View, context: Any, acceptHTTP10: bool, internalOnly: Any) -> Edge:
    """What the edge does to headers; it follows the server's overload."""
    node = context.node
    edge = Edge(config, context, EdgeFacts(acceptHTTP10, internalOnly, node.cluster, node.id))
    overload: Any = context.singleton("overload", OverloadActions)
    overload.follow(STOP_REQUESTS, refuser(edge, context.random))
    return edge


def _shared(context: Any, name: str, make: Callable[[Scope], Any], stats: Scope) -> Any:
    """One bundle for all connection managers of the server."""
    return context.singleton(f"downstream {name} stats", lambda: make(stats.scope(name)))


def _streamErrors(config: View) -> bool:
    return bool(config.stream_error_on_invalid_http_message)


def _routes(config: View, context: Any) -> Any:
    kind = config.which("route_specifier")
    if kind == "route_config":
        kinds = filterKinds(config, context)
        return buildRouteTable(config.route_config, context, filterKinds=kinds)
    if kind == "rds":
        _checkRDS(config)
    raise UnsupportedField(
        config.path, f"{kind} is not implemented by twisted_envoy", config.position(kind)
    )


def _checkRDS(config: View) -> None:
    """What is wrong for Envoy, too, is told in its words; the message is read past the view."""
    rds: Any = config.message.rds  # type: ignore[attr-defined]
    name: str = rds.route_config_name
    if not rds.HasField("config_source") and not name.startswith("xdstp:"):
        said = f' route_config_name: "{name}"' if name else ""
        raise config.error(
            "An RDS config must have either a 'config_source' or an xDS-TP based "
            f"'route_config_name'. Error while parsing RDS config:{said}",
            "rds",
        )


def _timeouts(config: View, common: CommonHTTPOptions) -> Timeouts:
    default = Timeouts()

    def orDefault(value: float | None, usual: float) -> float:
        return usual if value is None else value

    streamIdle = orDefault(config.stream_idle_timeout, default.streamIdle)
    return Timeouts(
        idle=orDefault(common.idleTimeout, default.idle),
        maxConnectionDuration=common.maxConnectionDuration or 0.0,
        maxConnectionDurationJitter=common.maxConnectionDurationJitter or 0.0,
        maxStreamDuration=common.maxStreamDuration or 0.0,
        streamIdle=streamIdle,
        streamFlush=orDefault(config.stream_flush_timeout, streamIdle),
        request=config.request_timeout or 0.0,
        requestHeaders=config.request_headers_timeout or 0.0,
        drain=orDefault(config.drain_timeout, default.drain),
        drainJitter=0.0
        if config.drain_timeout_jitter is None
        else config.drain_timeout_jitter.value / 100,
        delayedClose=orDefault(config.delayed_close_timeout, default.delayedClose),
    )


def _records(config: View, context: Any) -> RecordSettings:
    options = config.access_log_options
    old = (config.access_log_flush_interval, config.flush_access_log_on_new_request)
    if options is not None and any(old):
        name = "flush_access_log_on_new_request" if old[1] else "access_log_flush_interval"
        raise config.error(
            f"Only one of {name} or access_log_options can be specified.", "access_log_options"
        )
    logs = buildAccessLogs(config.access_log, context)
    if options is None:
        return RecordSettings(logs, bool(old[1]), False, old[0] or 0.0)
    return RecordSettings(
        logs,
        options.flush_access_log_on_new_request,
        options.flush_log_on_tunnel_successfully_established,
        options.access_log_flush_interval or 0.0,
    )


def _upgrades(config: View, context: Any, usual: FilterPlan) -> dict[str, Upgrade]:
    upgrades: dict[str, Upgrade] = {}
    for one in config.upgrade_configs:
        name: str = one.upgrade_type
        if name.lower() in upgrades:
            raise one.error(
                f"Error: multiple upgrade configs with the same name: '{name}'", "upgrade_type"
            )
        enabled = one.enabled
        plan = buildFilters(one.filters, context, "http upgrade") if one.filters else None
        upgrades[name.lower()] = Upgrade(enabled is None or enabled, cast("Any", plan))
    return upgrades
