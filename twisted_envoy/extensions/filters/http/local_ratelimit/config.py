"""The local_ratelimit filter's factory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.extensions.filters.http.local_ratelimit.filter import (
    Limit,
    LimitStats,
    LocalRateLimit,
)
from twisted_envoy.extensions.filters.http.local_ratelimit.limiter import LimiterSettings, Rule
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.header_edits import buildEdits
from twisted_envoy.http.routes.rate_actions import Entry
from twisted_envoy.http.routes.rate_limits import buildOwnRateLimits
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.fraction import Fraction, buildFraction

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_SHORTEST_FILL = 50
_NO_SHORT_CIRCUIT = "envoy.reloadable_features.local_ratelimit_shadow_mode_no_short_circuit"
_ROUTES_ONLY = (
    "'descriptors' is set but only used by route configuration. Please configure the local rate "
    "limit filter using the embedded 'rate_limits' field as route configuration for local rate "
    "limits will be ignored in the future."
)
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
    edits = partial(buildEdits, removed=(), owner=config, context=context)
    eachConnection: bool = config.local_rate_limit_per_downstream_connection
    own = buildOwnRateLimits(config.rate_limits, context) if config.rate_limits else None
    if own is None and config.descriptors:
        config.warn(_ROUTES_ONLY, "descriptors")
    if eachConnection and config.has("local_cluster_rate_limit"):
        raise config.error(
            "local_cluster_rate_limit is set and local_rate_limit_per_downstream_connection is set "
            "to true",
            "local_cluster_rate_limit",
        )
    stats = context.stats.scope(f"{config.stat_prefix}.http_local_rate_limit.")
    return Limit(
        _limiter(config, context),
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
        eachConnection=eachConnection,
        describes=bool(config.descriptors),
        own=own,
        stage=config.stage,
        ofHost=config.vh_rate_limits,
    )


def _limiter(config: View, context: Any) -> LimiterSettings:
    makeDefault, refusesRest = None, False
    view = config.token_bucket
    if view is not None and _milliseconds(view) == 0:
        view.moot("max_tokens", "as if there were no bucket")
        view.moot("tokens_per_fill", "as if there were no bucket")
    elif view is not None:
        refusesRest = view.max_tokens == 0
        makeDefault = _bucket(view, "local rate limit token bucket", context)
    rules = _rules(config.descriptors, context)
    always = config.always_consume_default_token_bucket
    most = config.max_dynamic_descriptors
    return LimiterSettings(
        None if refusesRest else makeDefault,
        refusesRest,
        tuple(rule for rule in rules if not rule.isWild),
        tuple(rule for rule in rules if rule.isWild),
        20 if most is None else most,
        always is not False,
        not context.runtime.boolean(_NO_SHORT_CIRCUIT, True),
    )


def _rules(views: Sequence[View], context: Any) -> list[Rule]:
    found: dict[tuple[Entry, ...], Rule] = {}
    for view in views:
        entries = tuple((entry.key, entry.value.encode()) for entry in view.entries)
        bucket = _bucket(view.token_bucket, "local rate limit descriptor token bucket", context)
        if entries in found:
            said = ", ".join(f"{entry.key}={entry.value}" for entry in view.entries)
            raise view.error(f"duplicate descriptor in the local rate descriptor: {said}")
        found[entries] = Rule(entries, bucket, view.shadow_mode)
    return list(found.values())


def _bucket(view: View, name: str, context: Any) -> Callable[[], TokenBucket]:
    interval = _milliseconds(view)
    if interval < _SHORTEST_FILL and view.max_tokens:
        raise view.error(f"{name} fill timer must be >= 50ms")
    each = 1 if view.tokens_per_fill is None else view.tokens_per_fill
    rate = each * 1000 / interval if interval else inf
    return partial(TokenBucket, view.max_tokens, rate, context.reactor.seconds)


def _milliseconds(view: View) -> int:
    """Whole ones, as Envoy takes them."""
    microseconds: int = round(view.fill_interval * 1_000_000)
    return microseconds // 1000


def _fraction(view: View | None, context: Any) -> Fraction:
    if view is None:
        return lambda randomValue: False
    return buildFraction(view, context.runtime)
