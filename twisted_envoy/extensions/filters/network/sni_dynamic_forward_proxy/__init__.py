"""
The SNI dynamic forward proxy (`envoy.filters.network.sni_dynamic_forward_proxy`): a connection
waits until the address of the server that its TLS client asks for is known.
"""

from twisted_envoy.extensions.filters.network.sni_dynamic_forward_proxy.config import (
    SNIDynamicForwardProxyFactory,
)

factories = (SNIDynamicForwardProxyFactory(),)
