"""
Round robin (`envoy.load_balancing_policies.round_robin`, `lb_policy: ROUND_ROBIN`): hosts in turn.

Not supported: `slow_start_config`, `locality_lb_config`.
"""

from twisted_envoy.extensions.load_balancing_policies.round_robin.config import RoundRobinFactory

factories = (RoundRobinFactory(),)
