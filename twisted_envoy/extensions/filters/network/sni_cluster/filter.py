"""
Takes the requested server name for the name of a cluster.

Envoy: extensions.filters.network.sni_cluster.v3.SniCluster
"""

from __future__ import annotations

from twisted_envoy.network.link import Link
from twisted_envoy.state.upstream_tls import UntypedObject

_CLUSTER = "envoy.tcp_proxy.cluster"


class SNICluster(Link):
    """One connection's; not on the path of its bytes."""

    __slots__ = ()

    def connectionMade(self) -> None:
        info = self.chain.streamInfo
        if info.requestedServerName:
            info.filterState.set(_CLUSTER, UntypedObject(info.requestedServerName))
