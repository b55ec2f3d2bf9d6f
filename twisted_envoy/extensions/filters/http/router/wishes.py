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

WISHES = timeouts.HEADERS | asked.HEADERS | frozenset(RETRY_HEADERS)
"""A request with none of these wishes for nothing."""


def takeWishes(router: Router, route: Any, headers: HeaderMap) -> None:
    """
    Set the router's `timeouts` and `asked`, and tell the upstream how long it has.

    Headers that ask for retries are still there then.
    """
    settings = router.settings
    expected = not settings.suppressesHeaders
    taken = asked.takeAsked(headers)
    if taken is not None:
        router.asked = taken
    router.timeouts = timeouts.takeTimeouts(route, headers, settings.respectsExpected)
    timeouts.setTimeoutHeaders(router.timeouts, headers, 0.0, expected)
