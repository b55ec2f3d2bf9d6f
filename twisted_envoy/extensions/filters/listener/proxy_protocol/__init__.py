"""
The PROXY protocol (`envoy.filters.listener.proxy_protocol`): who is behind a connection, as its
first bytes say, in version 1 or 2.

Typed metadata is not made; nothing here would read it.
"""

from twisted_envoy.extensions.filters.listener.proxy_protocol.config import ProxyProtocolFactory

factories = (ProxyProtocolFactory(),)
