"""
Random (`envoy.load_balancing_policies.random`, `lb_policy: RANDOM`): any host, whatever its weight.

Not supported: `locality_lb_config`.
"""

from twisted_envoy.extensions.load_balancing_policies.random.config import RandomFactory

factories = (RandomFactory(),)
