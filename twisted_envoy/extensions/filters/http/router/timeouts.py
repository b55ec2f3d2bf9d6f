"""
How long a request may take: the route's word, and what the request's headers say of it.

Envoy: Router::FilterUtility::finalTimeout
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.operators.values import isGRPC
from twisted_envoy.http.grpc import grpcTimeout, grpcTimeoutText
from twisted_envoy.http.numbers import wholeNumber

EXPECTED = b"x-envoy-expected-rq-timeout-ms"
_TOTAL = b"x-envoy-upstream-rq-timeout-ms"
_PER_TRY = b"x-envoy-upstream-rq-per-try-timeout-ms"


HEADERS = frozenset((EXPECTED, _TOTAL, _PER_TRY))
"""What a request may ask, or tell, about its time."""


class Timeouts:
    """
    Seconds, 0 for none.

    Attributes:
        total: from the request's end to the response's.
        perTry: from when an attempt has its connection (or the request's end) to its headers.
        perTryIdle: without anything from the upstream.
        grpcHeader: grpc-timeout follows what is left.
    """

    __slots__ = ("grpcHeader", "perTry", "perTryIdle", "total")

    def __init__(self, total: float, perTry: float, perTryIdle: float, grpcHeader: bool) -> None:
        self.total = total
        self.perTry = perTry
        self.perTryIdle = perTryIdle
        self.grpcHeader = grpcHeader


def takeTimeouts(route: Any, headers: HeaderMap, respectsExpected: bool) -> Timeouts:
    """
    The times of one request; the headers that asked for other ones are taken out of it.

    Args:
        respectsExpected: x-envoy-expected-rq-timeout-ms of an earlier proxy is obeyed.
    """
    limit = route.maxStreamDuration
    total: float = 0.0
    grpcHeader = False
    if limit is None:
        total = route.timeout
        most = route.maxGrpcTimeout
        if most is not None and isGRPC(headers):
            grpcHeader = True
            total = _capped(grpcTimeout(headers), most, route.grpcTimeoutOffset)
    policy = route.retryPolicy
    perTry = perTryIdle = 0.0
    if policy is not None:
        perTry = policy.perTryTimeout or 0.0
        perTryIdle = policy.perTryIdleTimeout or 0.0
    if respectsExpected and EXPECTED in headers:
        total = _seconds(headers[EXPECTED], total)
    elif _TOTAL in headers:
        total = _seconds(headers[_TOTAL], total)
        headers.remove(_TOTAL)
    if _PER_TRY in headers:
        perTry = _seconds(headers[_PER_TRY], perTry)
        headers.remove(_PER_TRY)
    if total and perTry >= total:
        perTry = 0.0
    return Timeouts(total, perTry, perTryIdle, grpcHeader)


def usualTimeouts(route: Any) -> tuple[Timeouts, bytes | None]:
    """
    The times of a route's requests that ask for no other ones.

    Returns:
        Those, and x-envoy-expected-rq-timeout-ms.
    """
    headers = HeaderMap()
    timeouts = takeTimeouts(route, headers, False)
    setTimeoutHeaders(timeouts, headers, 0.0, True)
    return timeouts, headers.get(EXPECTED)


def _capped(asked: float | None, most: float, offset: float | None) -> float:
    """A gRPC request's own time, less the offset; 0 is without end, for either."""
    time = asked or 0.0
    if offset and offset < time:
        time -= offset
    if most and (not time or time > most):
        return most
    return time


def _seconds(value: bytes, default: float) -> float:
    number = wholeNumber(value)
    return default if number is None else number / 1000


def setTimeoutHeaders(
    timeouts: Timeouts, headers: HeaderMap, elapsed: float, expected: bool
) -> None:
    """
    Tell the upstream how long it has.

    Args:
        elapsed: seconds since the request's end.
        expected: set x-envoy-expected-rq-timeout-ms.
    """
    left = timeouts.perTry or timeouts.total
    if not left:
        return
    if timeouts.total:
        left = min(left, timeouts.total - elapsed)
    milliseconds = max(round(left * 1000), 1)
    if expected:
        headers.set(EXPECTED, b"%d" % milliseconds)
    if timeouts.grpcHeader:
        headers.set(b"grpc-timeout", grpcTimeoutText(milliseconds))
