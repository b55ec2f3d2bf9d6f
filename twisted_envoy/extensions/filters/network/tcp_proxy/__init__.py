"""
TCP proxy (`envoy.filters.network.tcp_proxy`): one upstream connection for each downstream one.

Not supported yet: tunneling_config, on_demand, proxy_protocol_tlvs.
"""

from twisted_envoy.extensions.filters.network.tcp_proxy.config import TCPProxyFactory

factories = (TCPProxyFactory(),)
