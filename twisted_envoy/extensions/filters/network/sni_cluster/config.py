"""The factory of the SNI cluster filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.network.sni_cluster.filter import SNICluster
from twisted_envoy.interfaces.network import INetworkFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(INetworkFilterFactory)
class SNIClusterFactory:
    """Builds the maker of SNICluster links; there is nothing to configure."""

    typeURL = "envoy.extensions.filters.network.sni_cluster.v3.SniCluster"
    category = "filters.network"
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], SNICluster]:
        return SNICluster
