"""
Local rate limit (`envoy.filters.http.local_ratelimit`): so many requests in a time.

Not supported: `descriptors`, `rate_limits` and what goes with them, `local_cluster_rate_limit`.
"""

from twisted_envoy.extensions.filters.http.local_ratelimit.config import LocalRateLimitFactory

factories = (LocalRateLimitFactory(),)
"""The factory of local_ratelimit."""
