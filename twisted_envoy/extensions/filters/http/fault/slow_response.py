"""
A response that goes out slowly: a slice of it every 50 ms.

Envoy: source/extensions/filters/http/common/stream_rate_limiter.cc
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.extensions.common.token_bucket import TokenBucket

if TYPE_CHECKING:
    from twisted_envoy.http.filter import HTTPFilter

INTERVAL = 0.05
"""Seconds; a token is what may go in such a time."""

_TOKENS = round(1 / INTERVAL)


class SlowResponse:
    """
    Lets the response of one filter's stream pass as fast as it may.

    Args:
        filter: holds the body. kilobytes: of 1024 bytes, a second.
    """

    __slots__ = ("_bucket", "_filter", "_reactor", "_slice", "_timer", "_waiting")

    def __init__(self, filter: HTTPFilter, kilobytes: int, reactor: Any) -> None:
        self._filter = filter
        self._reactor = reactor
        self._slice = max(1, kilobytes * 1024 // _TOKENS)
        self._bucket = TokenBucket(_TOKENS, float(_TOKENS), reactor.seconds)
        self._bucket.keep(1.0)
        self._timer: IDelayedCall | None = None
        self._waiting = 0

    def dataCame(self, size: int) -> None:
        """Bytes are on their way into the filter; they wait there."""
        if self._timer is None:
            self._filter.holdEncode()
            self._timer = self._reactor.callLater(self._bucket.wait(), self._pass)
        self._waiting += size

    def stop(self) -> None:
        """Pass nothing any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _pass(self) -> None:
        self._timer = None
        needed = -(-self._waiting // self._slice)
        size = min(self._waiting, self._bucket.takeUpTo(max(1, needed)) * self._slice)
        self._waiting -= size
        if self._waiting:
            self._timer = self._reactor.callLater(max(self._bucket.wait(), 0.001), self._pass)
            self._filter.stream.releaseEncodeSome(self._filter, size)
        else:
            self._filter.releaseEncode()
