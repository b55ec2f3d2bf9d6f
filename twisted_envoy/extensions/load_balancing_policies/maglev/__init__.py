"""
Maglev (`envoy.load_balancing_policies.maglev`, `lb_policy: MAGLEV`): the same host for the same
hash, by a table in which every host has its share.

Not supported: `hash_balance_factor`, `hash_policy`, `locality_weighted_lb_config`.
"""

from twisted_envoy.extensions.load_balancing_policies.maglev.config import MaglevFactory

factories = (MaglevFactory(),)
