"""
The PROXY protocol upstream (`envoy.transport_sockets.upstream_proxy_protocol`): each connection
begins with a header that tells who is behind it.
"""

from twisted_envoy.extensions.transport_sockets.proxy_protocol.config import (
    UpstreamProxyProtocolFactory,
)

factories = (UpstreamProxyProtocolFactory(),)
