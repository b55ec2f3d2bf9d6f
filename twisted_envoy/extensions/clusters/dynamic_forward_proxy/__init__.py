"""
The dynamic forward proxy cluster (`envoy.clusters.dynamic_forward_proxy`): its hosts are the names
of a DNS cache, and a request goes to the one that it names.

Who asks for a name that is not in the cache gets no host; that it is looked up first is for the
filters (`dynamic_forward_proxy`, `sni_dynamic_forward_proxy`). TLS asks for the name, and a
certificate that is verified must have it.

Not supported: `sub_clusters_config`, `allow_coalesced_connections`.
"""

from twisted_envoy.extensions.clusters.dynamic_forward_proxy.config import (
    DynamicForwardProxyClusterFactory,
)

factories = (DynamicForwardProxyClusterFactory(),)
