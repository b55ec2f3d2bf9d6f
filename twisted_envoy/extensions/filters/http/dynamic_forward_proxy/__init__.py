"""
The dynamic forward proxy filter (`envoy.filters.http.dynamic_forward_proxy`): a request waits until
the address of the host that it names is known.

Not supported: `sub_cluster_config`.
"""

from twisted_envoy.extensions.filters.http.dynamic_forward_proxy.config import (
    DynamicForwardProxyFactory,
)

factories = (DynamicForwardProxyFactory(),)
