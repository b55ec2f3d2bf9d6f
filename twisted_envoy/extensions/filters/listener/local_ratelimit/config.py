"""The factory of the local rate limit of listeners."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.extensions.filters.listener.local_ratelimit.filter import LocalRateLimit
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.feature_flag import buildFlag

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_SHORTEST_FILL = 0.05


@implementer(IExtensionFactory)
class LocalRateLimitFactory:
    """Builds the maker of LocalRateLimits; each config has a bucket of its own."""

    typeURL = "envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit"
    category = "filters.listener"
    descriptors = b""

    def build(self, config: View, context: Any) -> Callable[[], LocalRateLimit]:
        view = config.token_bucket
        if view.fill_interval < _SHORTEST_FILL:
            raise view.error("local rate limit token bucket fill timer must be >= 50ms")
        each = 1 if view.tokens_per_fill is None else view.tokens_per_fill
        rate = each / view.fill_interval
        bucket = TokenBucket(view.max_tokens, rate, context.reactor.seconds)
        scope = context.stats.scope(f"listener_local_ratelimit.{config.stat_prefix}.")
        return partial(
            LocalRateLimit,
            bucket,
            buildFlag(config.runtime_enabled, context.runtime),
            scope.counter("rate_limited"),
        )
