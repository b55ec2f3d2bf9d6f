"""
RouteEntry: what a request is told by the route that it matched.

Envoy: envoy/router/router.h, class RouteEntry
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.group_stats import GroupStats
from twisted_envoy.state.request_info import RequestInfo

if TYPE_CHECKING:
    from twisted_envoy.http.routes.cors import CorsPolicy
    from twisted_envoy.http.routes.direct_response import DirectResponse
    from twisted_envoy.http.routes.internal_redirect import InternalRedirect
    from twisted_envoy.http.routes.mirrors import Mirror
    from twisted_envoy.http.routes.rate_limits import RateLimits
    from twisted_envoy.http.routes.redirect import Redirect
    from twisted_envoy.http.routes.retry import RetrySettings
    from twisted_envoy.http.routes.timeouts import MaxStreamDuration
    from twisted_envoy.http.routes.upgrades import UpgradeSettings
    from twisted_envoy.http.routes.virtual_host import VirtualHost
    from twisted_envoy.http.routes.weighted import WeightedClusters

CLUSTER = "cluster"
DIRECT_RESPONSE = "direct_response"
REDIRECT = "redirect"
NON_FORWARDING = "non_forwarding"

DEFAULT_TIMEOUT = 15.0

Condition = Callable[[HeaderMap, RequestInfo, int], bool]
HashPolicy = Callable[[HeaderMap, RequestInfo], "tuple[int | None, bytes | None]"]


def noRequestEdits(headers: HeaderMap, info: RequestInfo, originalPathHeader: bool = True) -> None:
    """finalizeRequest of a route that changes nothing."""


def noResponseEdits(headers: HeaderMap, info: RequestInfo) -> None:
    """finalizeResponse of a route that changes nothing."""


def noCluster(headers: HeaderMap) -> str | None:
    """clusterName of what is no cluster route."""
    return None


class RouteEntry:
    """
    One route, or one cluster of a route with weighted clusters; nothing in it changes.

    Attributes:
        name: the route's, "" for none. virtualHost: that it is in.
        kind: CLUSTER, DIRECT_RESPONSE, REDIRECT or NON_FORWARDING.
        cluster: the name, when it is the same for all requests; else "".
        clusterName(headers): None when the request names none (cluster_header).
        clusterNotFoundCode: the status then, and for a cluster that does not exist.
        stats: of a stat_prefix, None without.
        timeout: seconds, 0.0 for none. idleTimeout, flushTimeout: seconds; None: the connection
            manager's. maxStreamDuration: None when the route says nothing about it.
        maxGrpcTimeout, grpcTimeoutOffset: seconds (deprecated fields); None when not set.
        retryPolicy: the route's, else the virtual host's, else None.
        priority: "default" or "high". metadataMatch: `envoy.lb` values, or None.
        metadata: namespace -> values, the route's filter_metadata.
        hashPolicy(headers, info): (hash, a set-cookie value to add to the response) or None.
        mirrors: where copies of the request go. upgrades: lower-case type -> settings.
        finalizeRequest(headers, info, originalPathHeader=True): header edits of all levels, host
            and path rewrite. finalizeResponse(headers, info): header edits of all levels.
        autoHostRewrite: the host of the request becomes the chosen upstream host's name.
        appendXForwardedHost: a host that is rewritten is kept in x-forwarded-host.
        includeAttemptCountRequest, includeAttemptCountResponse: x-envoy-attempt-count.
        includeIsTimeoutRetry: x-envoy-is-timeout-retry.
        requestBufferLimit: bytes that may be kept for retries; None: the listener's limit.
        internalRedirect: None when redirects of the upstream go to the client.
        directResponse, redirect: of those kinds, else None.
        routeConfigs: HTTP filter name -> what its buildRoute made, the least specific first.
        filterDisabled: HTTP filter name -> what the most specific level says.
        corsPolicies: the route's and the virtual host's, for the cors filter.
        rateLimits, includesHostRateLimits: for filters that count requests; the virtual host has
            its own.
        isConnectMatch: its matcher is connect_matcher.
        weighted: of a route with weighted clusters; `RouteTable.match` gives the picked entry.
        matches, order: for the table. isCertain: what it matches is said by the headers of a
            request, x-request-id not among them.
    """

    __slots__ = (
        "appendXForwardedHost",
        "autoHostRewrite",
        "cluster",
        "clusterName",
        "clusterNotFoundCode",
        "corsPolicies",
        "directResponse",
        "filterDisabled",
        "finalizeRequest",
        "finalizeResponse",
        "flushTimeout",
        "grpcTimeoutOffset",
        "hashPolicy",
        "idleTimeout",
        "includeAttemptCountRequest",
        "includeAttemptCountResponse",
        "includeIsTimeoutRetry",
        "includesHostRateLimits",
        "internalRedirect",
        "isCertain",
        "isConnectMatch",
        "kind",
        "matches",
        "maxGrpcTimeout",
        "maxStreamDuration",
        "metadata",
        "metadataMatch",
        "mirrors",
        "name",
        "order",
        "priority",
        "rateLimits",
        "redirect",
        "requestBufferLimit",
        "retryPolicy",
        "routeConfigs",
        "stats",
        "timeout",
        "upgrades",
        "virtualHost",
        "weighted",
    )

    def __init__(self, virtualHost: VirtualHost, order: int = 0) -> None:
        self.virtualHost = virtualHost
        self.order = order
        self.name = ""
        self.kind = CLUSTER
        self.cluster = ""
        self.clusterName: Callable[[HeaderMap], str | None] = noCluster
        self.clusterNotFoundCode = 503
        self.timeout = DEFAULT_TIMEOUT
        self.idleTimeout: float | None = None
        self.flushTimeout: float | None = None
        self.maxStreamDuration: MaxStreamDuration | None = None
        self.maxGrpcTimeout: float | None = None
        self.grpcTimeoutOffset: float | None = None
        self.retryPolicy: RetrySettings | None = virtualHost.retryPolicy
        self.priority = "default"
        self.metadataMatch: dict[str, object] | None = None
        self.metadata: Mapping[str, dict[str, Any]] = {}
        self.hashPolicy: HashPolicy | None = None
        self.mirrors: tuple[Mirror, ...] = ()
        self.stats: GroupStats | None = None
        self.upgrades: dict[str, UpgradeSettings] = {}
        self.finalizeRequest: Callable[..., None] = noRequestEdits
        self.finalizeResponse: Callable[[HeaderMap, RequestInfo], None] = noResponseEdits
        self.autoHostRewrite = False
        self.appendXForwardedHost = False
        self.includeAttemptCountRequest: bool = virtualHost.includeAttemptCountRequest
        self.includeAttemptCountResponse: bool = virtualHost.includeAttemptCountResponse
        self.includeIsTimeoutRetry: bool = virtualHost.includeIsTimeoutRetry
        self.requestBufferLimit: int | None = virtualHost.requestBufferLimit
        self.internalRedirect: InternalRedirect | None = None
        self.directResponse: DirectResponse | None = None
        self.redirect: Redirect | None = None
        self.routeConfigs: dict[str, tuple[object, ...]] = virtualHost.routeConfigs
        self.filterDisabled: dict[str, bool] = virtualHost.filterDisabled
        self.corsPolicies: tuple[CorsPolicy, ...] = virtualHost.corsPolicies
        self.isCertain = True
        self.rateLimits: RateLimits | None = None
        self.includesHostRateLimits = False
        self.isConnectMatch = False
        self.weighted: WeightedClusters | None = None
        self.matches: Condition | None = None

    def copy(self) -> RouteEntry:
        """Another entry that says the same, for a cluster of weighted_clusters."""
        other = RouteEntry(self.virtualHost, self.order)
        for slot in RouteEntry.__slots__:
            setattr(other, slot, getattr(self, slot))
        return other
