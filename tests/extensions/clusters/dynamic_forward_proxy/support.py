"""Dynamic forward proxies in memory."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import EXTENSIONS, bootstrap, listener, logTo, typed
from twisted_envoy.testing import MemoryEnvoy
from twisted_envoy.testing.names import MemoryResolver

CACHE = {"name": "c", "dns_lookup_family": "V4_ONLY"}
_HTTP = "filters.network.http_connection_manager.v3.HttpConnectionManager"
LOG = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_HOST% %REQ(:AUTHORITY)%"


def proxyCluster(name: str = "dfp", cache: Any = None, **fields: Any) -> dict[str, Any]:
    """A dynamic forward proxy cluster."""
    kind = EXTENSIONS + "clusters.dynamic_forward_proxy.v3.ClusterConfig"
    config = {"@type": kind, "dns_cache_config": cache or CACHE}
    custom = {"name": "envoy.clusters.dynamic_forward_proxy", "typed_config": config}
    return {"name": name, "lb_policy": "CLUSTER_PROVIDED", "cluster_type": custom, **fields}


def proxyFilter(cache: Any = None, **fields: Any) -> dict[str, Any]:
    """The HTTP filter."""
    kind = "filters.http.dynamic_forward_proxy.v3.FilterConfig"
    return typed(
        "envoy.filters.http.dynamic_forward_proxy", kind, dns_cache_config=cache or CACHE, **fields
    )


def routeTo(prefix: str, cluster: str = "dfp", **rewrite: str) -> dict[str, Any]:
    """A route, with what becomes of the host."""
    route: dict[str, Any] = {"match": {"prefix": prefix}, "route": {"cluster": cluster}}
    if rewrite:
        kind = EXTENSIONS + "filters.http.dynamic_forward_proxy.v3.PerRouteConfig"
        own = {"envoy.filters.http.dynamic_forward_proxy": {"@type": kind, **rewrite}}
        route["typed_per_filter_config"] = own
    return route


def manager(
    *filters: dict[str, Any], routes: list[dict[str, Any]] | None = None, name: str = "http"
) -> dict[str, Any]:
    """HTTP through filters; its log has its name."""
    hosts = [{"name": "all", "domains": ["*"], "routes": routes or [routeTo("/")]}]
    return typed(
        "http",
        _HTTP,
        stat_prefix=name,
        access_log=logTo(f"{name}.log", LOG),
        route_config={"virtual_hosts": hosts},
        http_filters=[*filters, typed("router", "filters.http.router.v3.Router")],
    )


def serving(
    *filters: dict[str, Any], clusters: list[dict[str, Any]] | None = None, **fields: Any
) -> MemoryEnvoy:
    """`in` has these network filters; the name `a.test` is known."""
    return MemoryEnvoy(
        bootstrap(
            [listener("in", "127.0.0.1:9000", *filters, **fields)], clusters or [proxyCluster()]
        ),
        resolver=MemoryResolver({"a.test": ["10.0.0.1"]}),
    )
