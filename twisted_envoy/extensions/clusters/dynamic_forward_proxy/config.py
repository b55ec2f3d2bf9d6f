"""The factory of the dynamic forward proxy cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.address import HostnameAddress
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from twisted_envoy.extensions.clusters.dynamic_forward_proxy.hosts import CachedHosts
from twisted_envoy.extensions.common.dynamic_forward_proxy.cache import DNSCache
from twisted_envoy.extensions.common.dynamic_forward_proxy.config import readDNSCache
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IClusterType

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@implementer(IExtensionFactory)
class DynamicForwardProxyClusterFactory:
    """Builds DynamicForwardProxyClusters."""

    typeURL = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"
    category = "clusters"

    def build(self, config: View, context: Any) -> DynamicForwardProxyCluster:
        """
        Read a ClusterConfig.

        Raises:
            ConfigError: what Envoy refuses of its cache; or there is none.
        """
        if config.sub_clusters_config is not None:
            raise config.error("sub_clusters_config is not implemented", "sub_clusters_config")
        cache = config.dns_cache_config
        if cache is None:
            raise config.error("without dns_cache_config it has no hosts")
        insecure = bool(config.allow_insecure_cluster_options)
        return DynamicForwardProxyCluster(readDNSCache(cache, context), insecure)


@implementer(IClusterType)
class DynamicForwardProxyCluster:
    """
    Where the hosts come from: a cache.

    Args:
        insecure: TLS need not ask for names.
    """

    def __init__(self, cache: DNSCache, insecure: bool) -> None:
        self._cache = cache
        self._insecure = insecure

    def addressOf(self, endpoint: View) -> IAddress:
        """Nowhere: Envoy does not look at endpoints."""
        if endpoint.address is not None:
            endpoint.address.take()
        return HostnameAddress(b"", 0)

    def discovery(self, cluster: View, endpoints: tuple[Any, ...]) -> CachedHosts:
        if cluster.lb_policy != "CLUSTER_PROVIDED":
            raise cluster.error(
                f"cluster manager: cluster provided LB not specified but cluster '{cluster.name}' "
                "provided one. Check cluster documentation.",
                "lb_policy",
            )
        if not self._insecure:
            _checkNames(cluster)
        return CachedHosts(self._cache)


def _checkNames(cluster: View) -> None:
    """TLS asks for names and checks them, unless it says that it does not care."""
    message: Any = cluster.message
    if _HTTP not in message.typed_extension_protocol_options:
        return
    options: Any = cluster.typed_extension_protocol_options[_HTTP].open()
    given = options.message.upstream_http_protocol_options
    if not (given.auto_sni and given.auto_san_validation):
        raise cluster.error(
            "dynamic_forward_proxy cluster must have auto_sni and auto_san_validation true unless "
            "allow_insecure_cluster_options is set.",
            "typed_extension_protocol_options",
        )
