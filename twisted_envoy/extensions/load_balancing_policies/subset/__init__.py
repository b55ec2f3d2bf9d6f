"""
Subsets (`envoy.load_balancing_policies.subset`, `lb_subset_config`): only hosts whose `envoy.lb`
metadata is what a route, a TCP proxy or a request asks for.

Not supported: `locality_weight_aware`, `scale_locality_weight`.
"""

from twisted_envoy.extensions.load_balancing_policies.subset.config import SubsetFactory

factories = (SubsetFactory(),)
