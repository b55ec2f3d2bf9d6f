"""
SNI cluster (`envoy.filters.network.sni_cluster`): the server name that a TLS client asks for is the
cluster that the TCP proxy behind it goes to.
"""

from twisted_envoy.extensions.filters.network.sni_cluster.config import SNIClusterFactory

factories = (SNIClusterFactory(),)
