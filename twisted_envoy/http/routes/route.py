"""
`config.route.v3.Route`: read into a RouteEntry.

Envoy: RouteEntryImplBase in source/common/router/config_impl.cc
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.http.routes.clusters import headerCluster, requireCluster
from twisted_envoy.http.routes.conditions import allOf, areCertain, buildConditions
from twisted_envoy.http.routes.cors import buildCors
from twisted_envoy.http.routes.direct_response import buildDirectResponse
from twisted_envoy.http.routes.entry import (
    CLUSTER,
    DIRECT_RESPONSE,
    NON_FORWARDING,
    REDIRECT,
    RouteEntry,
)
from twisted_envoy.http.routes.finalize import requestEdit, responseEdit
from twisted_envoy.http.routes.group_stats import GroupStats
from twisted_envoy.http.routes.hash_policy import buildHashPolicy
from twisted_envoy.http.routes.header_edits import buildEdits
from twisted_envoy.http.routes.internal_redirect import buildInternalRedirect
from twisted_envoy.http.routes.mirrors import buildMirrors
from twisted_envoy.http.routes.path_match import CONNECT, PathMatch, buildPathMatch
from twisted_envoy.http.routes.rate_limits import buildRateLimits
from twisted_envoy.http.routes.redirect import buildRedirect
from twisted_envoy.http.routes.retry import buildRetry
from twisted_envoy.http.routes.rewrite import buildHostRewrite, buildPathRewrite
from twisted_envoy.http.routes.timeouts import buildMaxStreamDuration
from twisted_envoy.http.routes.upgrades import buildUpgrades
from twisted_envoy.http.routes.weighted import buildWeighted

if TYPE_CHECKING:
    from twisted_envoy.http.routes.virtual_host import Building

_LB = "envoy.lb"
_NOT_FOUND_CODES = {"SERVICE_UNAVAILABLE": 503, "NOT_FOUND": 404, "INTERNAL_SERVER_ERROR": 500}


def buildRoute(view: Any, building: Building, order: int) -> tuple[RouteEntry, PathMatch]:
    """
    Read one route.

    Args:
        order: its place among the routes of its virtual host.
    Returns:
        The entry; `matches` has what is asked besides the path, but of kinds OTHER and CONNECT.
    Raises:
        ConfigError: in Envoy's words.
    """
    entry = RouteEntry(building.virtualHost, order)
    entry.name = view.name
    match = view.match
    path = buildPathMatch(match, building.context, building.ignoresPathParameters)
    entry.matches = allOf(buildConditions(match, building.context, building.queries))
    entry.isCertain = areCertain(match)
    entry.isConnectMatch = path.kind == CONNECT
    if view.has("metadata"):
        entry.metadata = view.metadata.filter_metadata
    _readLimits(view, entry)
    if view.stat_prefix:
        prefix = f"vhost.{building.virtualHost.name}.route.{view.stat_prefix}."
        entry.stats = GroupStats(building.context.stats.scope(prefix))
    if view.has("decorator"):
        view.moot("decorator", "there is no tracing")
    if view.has("typed_per_filter_config"):
        configs = building.configs.below(view.typed_per_filter_config, view, building.context)
        entry.routeConfigs, entry.filterDisabled = configs.configs, configs.disabled
        building.routeConfigs = configs
    else:
        building.routeConfigs = building.configs
    kind = view.which("action")
    if kind == "route":
        _readAction(view, view.route, entry, path, building)
        return entry, path
    _readEdits(view, entry, building, None, None)
    _readAnswer(view, kind, entry, path, building)
    return entry, path


def _readAnswer(
    view: Any, kind: str, entry: RouteEntry, path: PathMatch, building: Building
) -> None:
    """Of an action that needs no upstream."""
    if kind == "direct_response":
        entry.kind = DIRECT_RESPONSE
        entry.directResponse = buildDirectResponse(
            view.direct_response, building.context, building.largestBody
        )
    elif kind == "redirect":
        entry.kind = REDIRECT
        entry.redirect = buildRedirect(view.redirect, path, building.context)
    else:
        entry.kind = NON_FORWARDING
        if kind == "non_forwarding_action":
            view.non_forwarding_action  # noqa: B018  it has no fields


def _readLimits(view: Any, entry: RouteEntry) -> None:
    if view.has("per_request_buffer_limit_bytes"):
        entry.requestBufferLimit = view.per_request_buffer_limit_bytes
    if view.has("request_body_buffer_limit"):
        entry.requestBufferLimit = view.request_body_buffer_limit


def _readEdits(
    view: Any, entry: RouteEntry, building: Building, action: Any, path: PathMatch | None
) -> None:
    """Header edits of the route, under those of its virtual host; rewriting of host and path."""
    context = building.context
    requests, responses = building.requestLevels, building.responseLevels
    if view.has("request_headers_to_add") or view.has("request_headers_to_remove"):
        requests = requests.below(
            buildEdits(
                view.request_headers_to_add,
                view.request_headers_to_remove,
                view,
                "request_headers_to_remove",
                context,
            )
        )
    if view.has("response_headers_to_add") or view.has("response_headers_to_remove"):
        responses = responses.below(
            buildEdits(
                view.response_headers_to_add,
                view.response_headers_to_remove,
                view,
                "response_headers_to_remove",
                context,
            )
        )
    hostRewrite = pathRewrite = None
    if action is not None:
        hostRewrite = buildHostRewrite(action, context)
        pathRewrite = buildPathRewrite(action, path, context)
    entry.finalizeRequest = requestEdit(
        requests.inOrder, hostRewrite, entry.appendXForwardedHost, pathRewrite
    )
    entry.finalizeResponse = responseEdit(responses.inOrder)


def _readAction(
    view: Any, route: Any, entry: RouteEntry, path: PathMatch, building: Building
) -> None:
    entry.kind = CLUSTER
    if route.has("append_x_forwarded_host"):
        entry.appendXForwardedHost = route.append_x_forwarded_host
    if route.which("host_rewrite_specifier") == "auto_host_rewrite":
        entry.autoHostRewrite = bool(route.auto_host_rewrite)
    _readEdits(view, entry, building, route, path)
    _readTimes(route, entry)
    _readBehaviour(route, entry, building)
    _readCluster(route, entry, building)


def _readCluster(route: Any, entry: RouteEntry, building: Building) -> None:
    if route.has("cluster_not_found_response_code"):
        entry.clusterNotFoundCode = _NOT_FOUND_CODES[route.cluster_not_found_response_code]
    if route.has("metadata_match"):
        entry.metadataMatch = route.metadata_match.filter_metadata.get(_LB)
    kind = route.which("cluster_specifier")
    if kind == "cluster":
        name: str = route.cluster
        if building.validateClusters:
            requireCluster(name, route, building.context)
        entry.cluster = name
        entry.clusterName = lambda headers: name
    elif kind == "cluster_header":
        entry.clusterName = headerCluster(route.cluster_header)
    elif kind == "weighted_clusters":
        entry.weighted = buildWeighted(route.weighted_clusters, entry, building, entry.hashPolicy)
    else:
        problem = f"{kind} is not implemented by twisted_envoy"
        if kind == "cluster_specifier_plugin" and not building.hasPlugins:
            name = route.cluster_specifier_plugin
            problem = f"Unknown cluster specifier plugin name: {name} is used in the route"
        raise route.error(problem, kind)


def _readTimes(route: Any, entry: RouteEntry) -> None:
    timeout = route.timeout
    if timeout is not None:
        entry.timeout = timeout
    entry.idleTimeout = route.idle_timeout
    if route.has("flush_timeout"):
        entry.flushTimeout = route.flush_timeout
    if route.has("max_grpc_timeout"):
        entry.maxGrpcTimeout = route.max_grpc_timeout
    if route.has("grpc_timeout_offset"):
        entry.grpcTimeoutOffset = route.grpc_timeout_offset
    if route.has("max_stream_duration"):
        entry.maxStreamDuration = buildMaxStreamDuration(route.max_stream_duration)


def _readBehaviour(route: Any, entry: RouteEntry, building: Building) -> None:
    context = building.context
    if route.has("retry_policy"):
        entry.retryPolicy = buildRetry(route.retry_policy, context)
    if route.has("priority"):
        entry.priority = route.priority.lower()
    if route.has("hash_policy"):
        entry.hashPolicy = buildHashPolicy(route.hash_policy)
    entry.mirrors = building.mirrors
    if route.has("request_mirror_policies"):
        entry.mirrors = buildMirrors(
            route.request_mirror_policies, context, building.validateClusters
        )
    if route.has("rate_limits"):
        entry.rateLimits = buildRateLimits(route.rate_limits, context)
    entry.includesHostRateLimits = bool(route.include_vh_rate_limits)
    if route.has("cors"):
        entry.corsPolicies = (buildCors(route.cors, context), *entry.corsPolicies)
    if route.has("upgrade_configs"):
        entry.upgrades = buildUpgrades(route.upgrade_configs)
    entry.internalRedirect = buildInternalRedirect(route, context)
