"""The local_ratelimit filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.extensions.filters.http.local_ratelimit.filter import (
    Limit,
    LimitStats,
    LocalRateLimit,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.header_edits import buildEdits
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.fraction import Fraction, buildFraction

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_SHORTEST_FILL = 0.05
_TOO_MANY_REQUESTS = 429
_RESOURCE_EXHAUSTED = 8


@implementer(IHTTPFilterFactory)
class LocalRateLimitFactory:
    """Builds the maker of LocalRateLimit filters; each config has a bucket of its own."""

    typeURL = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
    routeTypeURL = typeURL
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        return partial(LocalRateLimit, _limit(config, context))

    def buildRoute(self, config: View, context: Any) -> Limit:
        """Takes the place of the filter's own."""
        if config.token_bucket is None:
            raise config.error("local rate limit token bucket must be set for per filter configs")
        return _limit(config, context)


def _limit(config: View, context: Any) -> Limit:
    status = None if config.status is None else config.status.message.code
    if config.status is not None:
        config.status.code  # noqa: B018  read: its number is above
    if not config.has("descriptors") and not config.has("rate_limits"):
        for field in ("stage", "vh_rate_limits", "always_consume_default_token_bucket"):
            config.moot(field, "there are no descriptors")
    edits = partial(buildEdits, removed=(), owner=config, context=context)
    stats = context.stats.scope(f"{config.stat_prefix}.http_local_rate_limit.")
    return Limit(
        _bucket(config, context),
        _fraction(config.filter_enabled, context),
        _fraction(config.filter_enforced, context),
        context.random.getrandbits,
        LimitStats(stats),
        status=status if status is not None and status >= 400 else _TOO_MANY_REQUESTS,
        grpcStatus=_RESOURCE_EXHAUSTED if config.rate_limited_as_resource_exhausted else None,
        requestEdits=edits(
            config.request_headers_to_add_when_not_enforced,
            field="request_headers_to_add_when_not_enforced",
        ),
        responseEdits=edits(config.response_headers_to_add, field="response_headers_to_add"),
        tellsLimit=config.enable_x_ratelimit_headers == "DRAFT_VERSION_03",
        tellsWhen=config.enable_retry_after_header,
        eachConnection=config.local_rate_limit_per_downstream_connection,
    )


def _bucket(config: View, context: Any) -> Callable[[], TokenBucket] | None:
    view = config.token_bucket
    if view is None:
        return None
    if view.fill_interval < _SHORTEST_FILL:
        raise view.error("local rate limit token bucket fill timer must be >= 50ms")
    each = 1 if view.tokens_per_fill is None else view.tokens_per_fill
    return partial(TokenBucket, view.max_tokens, each / view.fill_interval, context.reactor.seconds)


def _fraction(view: View | None, context: Any) -> Fraction:
    if view is None:
        return lambda randomValue: False
    return buildFraction(view, context.runtime)
