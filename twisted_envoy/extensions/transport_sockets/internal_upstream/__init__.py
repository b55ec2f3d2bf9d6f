"""
Hands filter state and metadata to an internal listener
(`envoy.transport_sockets.internal_upstream`).

Of `passthrough_metadata` the kinds `host` and `cluster`, as in Envoy.
"""

from twisted_envoy.extensions.transport_sockets.internal_upstream.config import (
    InternalUpstreamFactory,
)

factories = (InternalUpstreamFactory(),)
