"""
Local rate limit: tokens for each request, or an answer of our own.

Envoy: extensions.filters.http.local_ratelimit.v3.LocalRateLimit
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from math import ceil
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.extensions.filters.http.local_ratelimit.limiter import (
    ConnectionLimiter,
    Limiter,
    LimiterSettings,
    Verdict,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.entry import CLUSTER
from twisted_envoy.http.routes.header_edits import HeaderEdits
from twisted_envoy.http.routes.rate_limits import RateLimit
from twisted_envoy.network.fraction import Fraction
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

OVERRIDE, INCLUDE, IGNORE = "OVERRIDE", "INCLUDE", "IGNORE"


class LimitStats:
    """`<stat_prefix>.http_local_rate_limit.*`"""

    enabled: Counter
    enforced: Counter
    ok: Counter
    rate_limited: Counter
    shadow_mode: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """
    One config.

    Attributes:
        settings: of its limiter, and of each connection's.
        enabled, enforced: whether to count requests, and whether to refuse them.
        grpcStatus: of a refused gRPC request, None for the usual one.
        tellsLimit: with x-ratelimit-* in responses; tellsWhen: with retry-after in refusals.
        eachConnection: has buckets of its own.
        describes: it has descriptors, so that those of requests matter.
        own: what makes these; None: the rate_limits of the route, of one stage.
        ofHost: OVERRIDE, INCLUDE or IGNORE those of the virtual host.
    """

    settings: LimiterSettings
    enabled: Fraction
    enforced: Fraction
    randomBits: Callable[[int], int]
    stats: LimitStats
    status: int = 429
    grpcStatus: int | None = None
    requestEdits: HeaderEdits | None = None
    responseEdits: HeaderEdits | None = None
    tellsLimit: bool = False
    tellsWhen: bool = False
    eachConnection: bool = False
    describes: bool = False
    own: tuple[RateLimit, ...] | None = None
    stage: int = 0
    ofHost: str = OVERRIDE
    limiter: Limiter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limiter", Limiter(self.settings))

    def rateLimits(self, route: Any) -> Iterable[RateLimit]:
        """Those that a request with a route is counted by; None for no route."""
        if not self.describes:
            return ()
        if self.own is not None:
            return self.own
        if route is None or route.kind != CLUSTER:
            return ()
        own, host = route.rateLimits, route.virtualHost.rateLimits
        found: tuple[RateLimit, ...] = () if own is None else own.at(self.stage)
        if host is None:
            return found
        option = INCLUDE if route.includesHostRateLimits else self.ofHost
        if option == INCLUDE or (option == OVERRIDE and own is None):
            return (*found, *host.at(self.stage))
        return found


class LocalRateLimit(HTTPFilter):
    """Lets one request pass, or not."""

    __slots__ = ("_limit", "_verdict")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._verdict: Verdict | None = None

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        limit: Limit = stream.routeConfig(stream.nameOf(self)) or self._limit
        self._limit = limit
        if not limit.enabled(limit.randomBits(64)):
            return
        stats = limit.stats
        stats.enabled.value += 1
        verdict = self._verdict = self._ask(limit, headers)
        if verdict.isAllowed:
            stats.ok.value += 1
            return
        stats.rate_limited.value += 1
        if verdict.isShadow:
            stats.shadow_mode.value += 1
            return
        if not limit.enforced(limit.randomBits(64)):
            if limit.requestEdits is not None:
                limit.requestEdits(headers, stream.streamInfo)
            return
        stats.enforced.value += 1
        self._refuse(limit, verdict.bucket)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        verdict = self._verdict
        if verdict is None or verdict.bucket is None:
            return
        if self._limit.tellsLimit if verdict.tellsLimit is None else verdict.tellsLimit:
            bucket = verdict.bucket
            wait = ceil(bucket.wait())
            headers.add(b"x-ratelimit-limit", b"%d" % bucket.most)
            headers.add(b"x-ratelimit-remaining", b"%d" % bucket.tokens)
            headers.add(b"x-ratelimit-reset", b"%d" % wait)

    def _ask(self, limit: Limit, headers: HeaderMap) -> Verdict:
        stream = self.stream
        info = stream.streamInfo
        described = (one.describe(headers, info) for one in limit.rateLimits(stream.route))
        descriptors = [one for one in described if one is not None]
        if not limit.eachConnection:
            return limit.limiter.ask(descriptors)
        state = stream.connection.streamInfo.filterState
        found = state.get(ConnectionLimiter.KEY)
        if not isinstance(found, ConnectionLimiter):
            found = ConnectionLimiter(Limiter(limit.settings))
            state.set(ConnectionLimiter.KEY, found)
        return found.limiter.ask(descriptors)

    def _refuse(self, limit: Limit, bucket: TokenBucket | None) -> None:
        stream = self.stream
        stream.streamInfo.raiseFlag("RL")
        more = HeaderMap()
        if limit.responseEdits is not None:
            limit.responseEdits(more, stream.streamInfo)
        if limit.tellsWhen and bucket is not None:
            more.set(b"retry-after", b"%d" % max(1, ceil(bucket.wait())))
        self.sendLocalReply(
            limit.status,
            b"local_rate_limited",
            "local_rate_limited",
            tuple(more.pairs()),
            limit.grpcStatus,
        )
