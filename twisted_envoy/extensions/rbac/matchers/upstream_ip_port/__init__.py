"""
Permissions by where a request will go (`envoy.rbac.matchers.upstream_ip_port`).

A filter before RBAC has to have found it: a dynamic forward proxy with `save_upstream_address`.
"""

from twisted_envoy.extensions.rbac.matchers.upstream_ip_port.config import (
    UpstreamIpPortMatcherFactory,
)

factories = (UpstreamIpPortMatcherFactory(),)
"""The factory of upstream_ip_port."""
