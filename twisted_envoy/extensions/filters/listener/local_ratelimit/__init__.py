"""
Local rate limit (`envoy.filters.listener.local_ratelimit`): closes connections that come too fast,
before anything else looks at them.
"""

from twisted_envoy.extensions.filters.listener.local_ratelimit.config import LocalRateLimitFactory

factories = (LocalRateLimitFactory(),)
