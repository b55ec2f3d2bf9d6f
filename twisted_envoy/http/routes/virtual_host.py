"""
`config.route.v3.VirtualHost`: its settings and its routes.

Envoy: VirtualHostImpl in source/common/router/config_impl.cc
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.cors import CorsPolicy, buildCors
from twisted_envoy.http.routes.entry import REDIRECT, RouteEntry
from twisted_envoy.http.routes.filter_configs import FilterConfigs
from twisted_envoy.http.routes.finalize import Levels
from twisted_envoy.http.routes.header_edits import buildEdits
from twisted_envoy.http.routes.mirrors import Mirror, buildMirrors
from twisted_envoy.http.routes.paths import QueryCache
from twisted_envoy.http.routes.rate_limits import RateLimits, buildRateLimits
from twisted_envoy.http.routes.redirect import Redirect
from twisted_envoy.http.routes.retry import RetrySettings, buildRetry
from twisted_envoy.http.routes.route_tree import RouteTree, buildRoutes, buildRouteTree
from twisted_envoy.http.routes.routes import Routes
from twisted_envoy.http.routes.virtual_clusters import VirtualClusters, buildVirtualClusters
from twisted_envoy.state.request_info import RequestInfo

NONE, EXTERNAL_ONLY, ALL = "NONE", "EXTERNAL_ONLY", "ALL"


class Building:
    """
    What is known while a route configuration is built; one level is a copy of the one above.

    Attributes:
        context: IFactoryContext. validateClusters: names of clusters have to exist.
        largestBody: bytes of a direct response. queries: shared by all routes.
        requestLevels, responseLevels, configs, mirrors: of this level and those above it.
        virtualHost: that is being built. routeConfigs: configs of the route that is being built.
    """

    def __init__(self, context: Any, validateClusters: bool) -> None:
        self.context = context
        self.validateClusters = validateClusters
        self.largestBody = 4096
        self.queries = QueryCache()
        self.requestLevels = self.responseLevels = Levels(False)
        self.configs = self.routeConfigs = FilterConfigs()
        self.mirrors: tuple[Mirror, ...] = ()
        self.ignoresPathParameters = self.hasPlugins = False
        self.virtualHost: Any = None

    def below(self, view: Any) -> Building:
        """The next level, with the view's header edits, filter configs and mirrors."""
        level = Building(self.context, self.validateClusters)
        level.largestBody, level.queries = self.largestBody, self.queries
        level.ignoresPathParameters = self.ignoresPathParameters
        level.hasPlugins = self.hasPlugins
        level.requestLevels = self.requestLevels.below(
            buildEdits(
                view.request_headers_to_add,
                view.request_headers_to_remove,
                view,
                "request_headers_to_remove",
                self.context,
            )
        )
        level.responseLevels = self.responseLevels.below(
            buildEdits(
                view.response_headers_to_add,
                view.response_headers_to_remove,
                view,
                "response_headers_to_remove",
                self.context,
            )
        )
        level.configs = self.configs.below(view.typed_per_filter_config, view, self.context)
        level.mirrors = self.mirrors
        if view.has("request_mirror_policies"):
            level.mirrors = buildMirrors(
                view.request_mirror_policies, self.context, self.validateClusters
            )
        return level


class VirtualHost:
    """
    One virtual host.

    Attributes:
        name: as configured. requireTLS: NONE, EXTERNAL_ONLY or ALL.
        includeAttemptCountRequest, includeAttemptCountResponse, includeIsTimeoutRetry,
        retryPolicy, requestBufferLimit, routeConfigs, filterDisabled, corsPolicies: see RouteEntry.
        metadata: namespace -> values. virtualClusters: for counters. rateLimits: None without.
        tlsRedirect: the entry of a request that has to come over TLS and did not.
    """

    __slots__ = (
        "corsPolicies",
        "filterDisabled",
        "includeAttemptCountRequest",
        "includeAttemptCountResponse",
        "includeIsTimeoutRetry",
        "metadata",
        "name",
        "rateLimits",
        "requestBufferLimit",
        "requireTLS",
        "retryPolicy",
        "routeConfigs",
        "routes",
        "tlsRedirect",
        "virtualClusters",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.requireTLS = NONE
        self.includeAttemptCountRequest = False
        self.includeAttemptCountResponse = False
        self.includeIsTimeoutRetry = False
        self.retryPolicy: RetrySettings | None = None
        self.requestBufferLimit: int | None = None
        self.routeConfigs: dict[str, tuple[object, ...]] = {}
        self.filterDisabled: dict[str, bool] = {}
        self.corsPolicies: tuple[CorsPolicy, ...] = ()
        self.rateLimits: RateLimits | None = None
        self.metadata: Mapping[str, dict[str, Any]] = {}
        self.virtualClusters = VirtualClusters(())
        self.routes: Routes | RouteTree = Routes(False)
        self.tlsRedirect: RouteEntry | None = None

    def match(self, headers: HeaderMap, info: RequestInfo, randomValue: int) -> RouteEntry | None:
        """The entry for a request, or None."""
        if self.tlsRedirect is not None and headers.get(b":scheme") != b"https":
            if self.requireTLS == ALL or headers.get(b"x-envoy-internal") != b"true":
                return self.tlsRedirect
        return self.routes.match(headers, info, randomValue)


def buildVirtualHost(view: Any, table: Building) -> VirtualHost:
    """
    Read a VirtualHost, with all its routes.

    Args:
        table: the level of the route configuration.
    Raises:
        ConfigError: in Envoy's words.
    """
    host = VirtualHost(view.name)
    building = table.below(view)
    building.virtualHost = host
    host.routeConfigs, host.filterDisabled = building.configs.configs, building.configs.disabled
    host.includeAttemptCountRequest = view.include_request_attempt_count
    host.includeAttemptCountResponse = view.include_attempt_count_in_response
    host.includeIsTimeoutRetry = view.include_is_timeout_retry_header
    if view.has("per_request_buffer_limit_bytes"):
        host.requestBufferLimit = view.per_request_buffer_limit_bytes
    if view.has("request_body_buffer_limit"):
        host.requestBufferLimit = view.request_body_buffer_limit
    if view.has("retry_policy"):
        host.retryPolicy = buildRetry(view.retry_policy, table.context)
    if view.has("metadata"):
        host.metadata = view.metadata.filter_metadata
    if view.has("cors"):
        host.corsPolicies = (buildCors(view.cors, table.context),)
    if view.has("rate_limits"):
        host.rateLimits = buildRateLimits(view.rate_limits, table.context)
    scope = table.context.stats.scope(f"vhost.{host.name}.")
    host.virtualClusters = buildVirtualClusters(view.virtual_clusters, scope)
    if view.matcher is None:
        host.routes = buildRoutes(view.routes, building)
    else:
        host.routes = buildRouteTree(view, building)
    host.requireTLS = view.require_tls
    if host.requireTLS != NONE:
        host.tlsRedirect = _tlsRedirect(host)
    return host


class _ToTLS(Redirect):
    """The same URL with https."""

    __slots__ = ()

    def newLocation(self, headers: HeaderMap, info: RequestInfo) -> tuple[int, bytes]:
        host, path = headers.get(b":authority", b""), headers.get(b":path", b"")
        return 301, b"https://%b%b" % (host, path)


def _tlsRedirect(host: VirtualHost) -> RouteEntry:
    entry = RouteEntry(host)
    entry.kind = REDIRECT
    entry.redirect = _ToTLS()
    return entry
