"""
RBAC for connections (`envoy.filters.network.rbac`): policies say who may do what.

Not supported: `condition`, `checked_condition` and `audit_logging_options` of rules, extensions in
permissions and principals but path templates.
"""

from twisted_envoy.extensions.filters.network.rbac.config import RBACFactory

factories = (RBACFactory(),)
"""The factory of rbac."""
