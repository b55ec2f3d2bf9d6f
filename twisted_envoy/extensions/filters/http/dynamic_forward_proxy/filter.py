"""
Looks up where a request goes before it goes on.

    the cluster is no dynamic forward proxy   it goes on
    the address is known                      it goes on
    it is being looked up                     it waits
    nobody knows it                           503 (DF)
    it names no host                          400
    too many names, or requests that wait     503

Envoy's filter knows such a cluster by the name of its `cluster_type`. With another name the cluster
looks names up itself: routes rewrite nothing, and what is not found is UH.

Envoy: extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.dynamic_forward_proxy.cache import CacheFull, DNSCache
from twisted_envoy.extensions.common.dynamic_forward_proxy.host import CachedHost
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import (
    HostPort,
    dynamicHost,
    dynamicPort,
    hostOf,
    saveAddress,
    splitHost,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.upstream import IClusterManager
from twisted_envoy.values import dataclass

_CLUSTER_NAME = "envoy.clusters.dynamic_forward_proxy"
_CLUSTER = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"


@dataclass(frozen=True, slots=True)
class HostRewrite:
    """A route's; at most one of both says something."""

    literal: str
    header: str


@dataclass(frozen=True, slots=True)
class DynamicForwardProxySettings:
    """
    What the config says.

    Attributes:
        saves: the address is left in filter state.
        byState: filter state may say where to.
    """

    cache: DNSCache
    saves: bool
    byState: bool
    clusters: IClusterManager


class DynamicForwardProxy(HTTPFilter):
    """One request's."""

    __slots__ = ("_cancel", "_isOurs", "_isPending", "_settings")

    def __init__(self, settings: DynamicForwardProxySettings) -> None:
        self._settings = settings
        self._cancel: Callable[[], None] | None = None
        self._isOurs = True
        self._isPending = False

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        cluster = self._clusterOf(headers)
        if cluster is None:
            return
        settings = self._settings
        cache = settings.cache
        if not cache.mayAsk():
            self.sendLocalReply(
                503,
                b"Dynamic forward proxy pending request overflow",
                "dynamic_forward_proxy_pending_request_overflow",
            )
            return
        wanted, port = self._wanted(headers, cluster)
        if not wanted:
            self.sendLocalReply(400, b"Empty host header", "empty_host_header")
            return
        key = splitHost(wanted, port)
        try:
            host = cache.ask(key)
        except CacheFull:
            self._unavailable("DNS cache overflow", "dns_cache_overflow", "")
            return
        if host.isResolved:
            if self._found(host):
                self._prepareCluster(cluster, key)
            return
        cache.pending.take()
        self.holdDecode()
        self._isPending = True
        self._cancel = host.whenResolved(lambda: self._resolved(host, cluster, key))

    def streamEnded(self) -> None:
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
            self._pendingEnds()

    def _pendingEnds(self) -> None:
        if self._isPending:
            self._isPending = False
            self._settings.cache.pending.give()

    def _prepareCluster(self, cluster: Any, key: HostPort) -> bool:
        """Wait until the cluster knows the name, if its cache is another one; True: no need to."""
        cache = getattr(cluster.discovery, "cache", None)
        if cache is None or cache is self._settings.cache:
            return True
        try:
            host = cache.ask(key)
        except CacheFull:
            return True
        if host.isResolved:
            return True
        self.holdDecode()
        self._cancel = host.whenResolved(self._clusterKnows)
        return False

    def _clusterKnows(self) -> None:
        self._cancel = None
        self.releaseDecode()

    def _clusterOf(self, headers: HeaderMap) -> Any:
        """The cluster, when it is a dynamic forward proxy."""
        route = self.stream.route
        if route is None or route.kind != "cluster":
            return None
        cluster: Any = self._settings.clusters.get(route.clusterName(headers))
        kind = None if cluster is None else cluster.config.cluster_type
        if kind is None or kind.typed_config is None or kind.typed_config.typeName != _CLUSTER:
            return None
        self._isOurs = kind.name == _CLUSTER_NAME
        return cluster

    def _wanted(self, headers: HeaderMap, cluster: Any) -> tuple[str, int]:
        port = 443 if getattr(cluster.transportSocket, "isTLS", False) else 80
        stream = self.stream
        rewrite: HostRewrite | None = (
            stream.routeConfig(stream.nameOf(self)) if self._isOurs else None
        )
        if rewrite is not None:
            name = rewrite.literal.encode()
            if rewrite.header:
                name = headers.get(rewrite.header.lower().encode(), b"")
            if name:
                headers.set(b":authority", name)
        info = stream.streamInfo
        found = dynamicHost(info) if self._settings.byState else ""
        if found:
            return found, dynamicPort(info, port)
        return hostOf(headers), port

    def _resolved(self, host: CachedHost, cluster: Any, key: HostPort) -> None:
        self._cancel = None
        self._pendingEnds()
        if self._found(host) and self._prepareCluster(cluster, key):
            self.releaseDecode()

    def _found(self, host: CachedHost) -> bool:
        """Whether there is an address; without one the request is answered."""
        info = self.stream.streamInfo
        if host.address is None:
            details = f"dns_resolution_failure{{{host.failure}}}"
            self._unavailable("DNS resolution failure", details, "DF")
            return False
        if self._settings.saves:
            saveAddress(info, host.address)
        return True

    def _unavailable(self, text: str, details: str, flag: str) -> None:
        """As the filter answers, or as the router does for a cluster that has no host."""
        if not self._isOurs:
            text, flag = "no healthy upstream", "UH"
        if flag:
            self.stream.streamInfo.raiseFlag(flag)
        self.sendLocalReply(503, text.encode(), details)
