"""
TCP proxy (`envoy.filters.network.tcp_proxy`): one upstream connection for each downstream one.

Not supported: on_demand.
"""

from twisted_envoy.extensions.filters.network.tcp_proxy.config import TCPProxyFactory

factories = (TCPProxyFactory(),)
