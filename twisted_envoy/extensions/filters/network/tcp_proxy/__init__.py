"""
TCP proxy (`envoy.filters.network.tcp_proxy`): one upstream connection for each downstream one.

Not supported yet: tunnels but HTTP/1.1 CONNECT, on_demand, proxy_protocol_tlvs.
"""

from twisted_envoy.extensions.filters.network.tcp_proxy.config import TCPProxyFactory

factories = (TCPProxyFactory(),)
