"""Which cluster and host a connection goes to."""

from __future__ import annotations

from typing import Any

from twisted_envoy.errors import StreamError
from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.stream_info import StreamInfo, UpstreamInfo
from twisted_envoy.state.upstream_tls import UntypedObject

_CLUSTER_KEY = "envoy.tcp_proxy.cluster"

# Envoy's UpstreamFailureReason, as its close reason prints it (and spells it).
NOT_CONNECTED = "tcp_initializion_failure:0"
NO_HOST = "tcp_initializion_failure:1"
_OVERFLOW = "tcp_initializion_failure:2"
_NO_CLUSTER = "tcp_initializion_failure:3"


class NoUpstream(StreamError):
    """There is nowhere to go; `reason` is that of the close."""


def choose(settings: Settings, info: StreamInfo, upstream: UpstreamInfo) -> tuple[Any, Any]:
    """
    Choose for the next attempt; counts what stands in its way.

    Args:
        upstream: gets the cluster.
    Returns:
        An ICluster and one of its hosts.
    Raises:
        NoUpstream: no such cluster (NC), too many connections (UO), no host (UH).
    """
    target = settings.pick()
    name = target.cluster
    if info.state is not None:
        override = info.state.get(_CLUSTER_KEY)
        # As in Envoy another kind of object under this name, a plain `envoy.string`, says nothing.
        if isinstance(override, UntypedObject):
            name = override.value
    cluster: Any = settings.clusters.get(name)
    if cluster is None:
        settings.stats.downstream_cx_no_route.value += 1
        raise NoUpstream("NC", _NO_CLUSTER)
    upstream.clusterName = name
    upstream.cluster = cluster
    connections = cluster.connections
    if connections.inUse >= connections.most:
        cluster.stats.upstream_cx_overflow.value += 1
        raise NoUpstream("UO", _OVERFLOW)
    host = cluster.onlyHost
    if host is None:
        hashKey = settings.hashKey(info) if settings.hashKey is not None else None
        host = cluster.chooseHost(LoadBalancerContext(hashKey, target.metadataMatch, info))
        if host is None:
            raise NoUpstream("UH", NO_HOST)
    return cluster, host
