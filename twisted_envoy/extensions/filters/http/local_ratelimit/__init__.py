"""
Local rate limit (`envoy.filters.http.local_ratelimit`): so many requests in a time.

What requests are counted by is said by the filter's or the routes' `rate_limits`, what they may
have of each by `descriptors`. Not supported: `local_cluster_rate_limit`.
"""

from twisted_envoy.extensions.filters.http.local_ratelimit.config import LocalRateLimitFactory

factories = (LocalRateLimitFactory(),)
"""The factory of local_ratelimit."""
