"""The factory of the monitor: it is the limit itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.limits import ConnectionLimit

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class DownstreamConnectionsFactory:
    """Builds the ConnectionLimit that every listener counts against."""

    typeURL = (
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    )
    category = "resource_monitors"

    def build(self, config: View, context: Any) -> ConnectionLimit:
        return ConnectionLimit(config.max_active_downstream_connections)
