"""
The server's limit of open downstream connections
(`envoy.resource_monitors.global_downstream_max_connections`).

Nothing of it is unsupported.
"""

from twisted_envoy.extensions.resource_monitors.downstream_connections.config import (
    DownstreamConnectionsFactory,
)

factories = (DownstreamConnectionsFactory(),)
