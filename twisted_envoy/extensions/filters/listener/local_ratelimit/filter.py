"""
Takes a token for each connection; one that finds none is closed.

Envoy: extensions.filters.listener.local_ratelimit.v3.LocalRateLimit
"""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from twisted_envoy.extensions.common.token_bucket import TokenBucket
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.metrics import Counter


@implementer(IListenerFilter)
class LocalRateLimit:
    """
    One connection's.

    Args:
        bucket: of all connections. enabled: asked for each. limited: counts those that are closed.
    """

    __slots__ = ("_bucket", "_enabled", "_limited")

    maxReadBytes = 0

    def __init__(self, bucket: TokenBucket, enabled: Callable[[], bool], limited: Counter) -> None:
        self._bucket = bucket
        self._enabled = enabled
        self._limited = limited

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        if not self._enabled() or self._bucket.take():
            return Verdict.DONE, 0
        self._limited.value += 1
        return Verdict.REJECT, "rate limited"
