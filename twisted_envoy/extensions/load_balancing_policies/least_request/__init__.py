"""
Least request (`envoy.load_balancing_policies.least_request`, `lb_policy: LEAST_REQUEST`): the host
that has least to do, of a few picked at random; with different weights, by weight and load.

Not supported: `slow_start_config`, `locality_lb_config`.
"""

from twisted_envoy.extensions.load_balancing_policies.least_request.config import (
    LeastRequestFactory,
)

factories = (LeastRequestFactory(),)
