"""
Ring hash (`envoy.load_balancing_policies.ring_hash`, `lb_policy: RING_HASH`): the same host for the
same hash, as long as it is there.

Not supported: `hash_function: MURMUR_HASH_2`, `hash_balance_factor`, `hash_policy`,
`locality_weighted_lb_config`.
"""

from twisted_envoy.extensions.load_balancing_policies.ring_hash.config import RingHashFactory

factories = (RingHashFactory(),)
