"""
The cluster of a request that no router has seen, and the record of a request that begins.

Envoy: ConnectionManagerImpl::ActiveStream::refreshCachedRoute, which tells StreamInfo the cluster
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.state.stream_info import UpstreamInfo


def nameCluster(stream: Any) -> None:
    """Such a request still knows the cluster of its route, but of no connection."""
    route = stream.route
    if route is None or route.kind != "cluster" or stream.streamInfo.upstream is not None:
        return
    name = route.clusterName(stream.requestHeaders)
    cluster = stream.settings.clusters.get(name) if name else None
    if cluster is not None:
        stream.streamInfo.upstream = upstream = UpstreamInfo(name)
        upstream.cluster = cluster
        upstream.detectedCloseType = ""


def recordStart(stream: Any) -> None:
    """Write to the access logs before the filters see the request."""
    nameCluster(stream)
    stream.writeRecord("DownstreamStart")
    stream.streamInfo.upstream = None
