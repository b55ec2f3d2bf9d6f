"""
What a request wishes of the router, times and retries: most wish for nothing.

Envoy: Router::Filter::decodeHeaders
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router import asked, timeouts
from twisted_envoy.http.retry import RETRY_HEADERS

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router

_WISHES = timeouts.HEADERS | asked.HEADERS | frozenset(RETRY_HEADERS)


def takeWishes(router: Router, route: Any, headers: HeaderMap) -> bool:
    """
    Set the router's `timeouts` and `asked`, and tell the upstream how long it has.

    Returns:
        Whether there may be retries; headers that ask for them are still there.
    """
    settings = router.settings
    expected = not settings.suppressesHeaders
    if (
        route.maxGrpcTimeout is None
        and route.maxStreamDuration is None
        and _WISHES.isdisjoint(headers)
    ):
        router.timeouts, value = settings.usualTimeouts(route)
        if expected and value is not None:
            headers[timeouts.EXPECTED] = value
        policy = route.retryPolicy
        return policy is not None and bool(policy.on)
    taken = asked.takeAsked(headers)
    if taken is not None:
        router.asked = taken
    router.timeouts = timeouts.takeTimeouts(route, headers, settings.respectsExpected)
    timeouts.setTimeoutHeaders(router.timeouts, headers, 0.0, expected)
    return True
