"""
Local rate limit: a token for each request, or an answer of our own.

Envoy: extensions.filters.http.local_ratelimit.v3.LocalRateLimit
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.header_edits import HeaderEdits
from twisted_envoy.network.fraction import Fraction
from twisted_envoy.state.filter_state import StringObject
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope


class LimitStats:
    """`<stat_prefix>.http_local_rate_limit.*`"""

    enabled: Counter
    enforced: Counter
    ok: Counter
    rate_limited: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class ConnectionBuckets(StringObject):
    """The buckets of one connection, kept in its filter state: Limit -> bucket."""

    __slots__ = ("buckets",)

    KEY = "twisted_envoy.http_local_rate_limit"

    def __init__(self) -> None:
        super().__init__("")
        self.buckets: dict[int, TokenBucket] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """
    One config.

    Attributes:
        makeBucket: None when there is no limit.
        enabled, enforced: whether to count requests, and whether to refuse them.
        grpcStatus: of a refused gRPC request, None for the usual one.
        tellsLimit: with x-ratelimit-* in responses; tellsWhen: with retry-after in refusals.
        eachConnection: has a bucket of its own.
    """

    makeBucket: Callable[[], TokenBucket] | None
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
    bucket: TokenBucket | None = field(init=False)

    def __post_init__(self) -> None:
        bucket = None if self.makeBucket is None else self.makeBucket()
        object.__setattr__(self, "bucket", bucket)


class LocalRateLimit(HTTPFilter):
    """Lets one request pass, or not."""

    __slots__ = ("_bucket", "_limit")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._bucket: TokenBucket | None = None

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        limit: Limit = stream.routeConfig(stream.nameOf(self)) or self._limit
        self._limit = limit
        if not limit.enabled(limit.randomBits(64)):
            return
        stats = limit.stats
        stats.enabled.value += 1
        bucket = self._bucket = self._bucketOf(limit)
        if bucket is None or bucket.take():
            stats.ok.value += 1
            return
        stats.rate_limited.value += 1
        if not limit.enforced(limit.randomBits(64)):
            if limit.requestEdits is not None:
                limit.requestEdits(headers, stream.streamInfo)
            return
        stats.enforced.value += 1
        self._refuse(limit, bucket)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        bucket = self._bucket
        if bucket is None or not self._limit.tellsLimit or not bucket.most:
            return
        headers.set(b"x-ratelimit-limit", b"%d" % bucket.most)
        wait = ceil(bucket.wait())
        headers.set(b"x-ratelimit-remaining", b"%d" % bucket.tokens)
        headers.set(b"x-ratelimit-reset", b"%d" % wait)

    def _bucketOf(self, limit: Limit) -> TokenBucket | None:
        if not limit.eachConnection or limit.makeBucket is None:
            return limit.bucket
        state = self.stream.connection.streamInfo.filterState
        found = state.get(ConnectionBuckets.KEY)
        if not isinstance(found, ConnectionBuckets):
            found = ConnectionBuckets()
            state.set(ConnectionBuckets.KEY, found)
        bucket = found.buckets.get(id(limit))
        if bucket is None:
            bucket = found.buckets[id(limit)] = limit.makeBucket()
        return bucket

    def _refuse(self, limit: Limit, bucket: TokenBucket) -> None:
        stream = self.stream
        stream.streamInfo.raiseFlag("RL")
        more = HeaderMap()
        if limit.responseEdits is not None:
            limit.responseEdits(more, stream.streamInfo)
        if limit.tellsWhen:
            more.set(b"retry-after", b"%d" % ceil(bucket.wait()))
        self.sendLocalReply(
            limit.status,
            b"local_rate_limited",
            "local_rate_limited",
            tuple(more.pairs()),
            limit.grpcStatus,
        )
