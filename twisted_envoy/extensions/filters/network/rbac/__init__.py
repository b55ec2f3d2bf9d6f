"""
RBAC for connections (`envoy.filters.network.rbac`): policies say who may do what.

Not supported: `condition`, `checked_condition` and `cel_config` of rules, and of
extensions the principal `mtls_authenticated`.
"""

from twisted_envoy.extensions.filters.network.rbac.config import RBACFactory

factories = (RBACFactory(),)
"""The factory of rbac."""
