"""Tests of what requests wish of the router."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.asked import Asked
from twisted_envoy.extensions.filters.http.router.settings import RouterSettings
from twisted_envoy.extensions.filters.http.router.wishes import takeWishes

EXPECTED = b"x-envoy-expected-rq-timeout-ms"


class _Route:
    maxGrpcTimeout = None
    maxStreamDuration = None
    retryPolicy = None
    timeout = 2.0
    grpcTimeoutOffset = None


def router(**fields):
    settings = RouterSettings(*[None] * 12, **fields)
    return SimpleNamespace(settings=settings, asked=Asked(), timeouts=None)


class WishesTests(SynchronousTestCase):
    def test_none(self) -> None:
        """A request that wishes for nothing has the route's time."""
        one = router()
        headers = HeaderMap()
        takeWishes(one, _Route(), headers)
        self.assertEqual(headers, {EXPECTED: b"2000"})
        self.assertEqual(one.timeouts.total, 2.0)

    def test_untold(self) -> None:
        """suppress_envoy_headers: the upstream does not hear of it."""
        headers = HeaderMap()
        takeWishes(router(suppressesHeaders=True), _Route(), headers)
        self.assertEqual(headers, {})

    def test_time(self) -> None:
        """A request may wish for another time; the next one has the route's again."""
        one = router()
        route = _Route()
        headers = HeaderMap(((b"x-envoy-upstream-rq-timeout-ms", b"500"),))
        takeWishes(one, route, headers)
        self.assertEqual(headers, {EXPECTED: b"500"})
        self.assertEqual(one.timeouts.total, 0.5)
        takeWishes(one, route, HeaderMap())
        self.assertEqual(one.timeouts.total, 2.0)

    def test_asked(self) -> None:
        """What else it asks for is taken out of its headers."""
        one = router()
        headers = HeaderMap(((b"x-envoy-upstream-alt-stat-name", b"canary"),))
        takeWishes(one, _Route(), headers)
        self.assertEqual(one.asked.altStat, "canary.")
        self.assertEqual(list(headers), [EXPECTED])

    def test_retries(self) -> None:
        """Headers that ask for retries are left to who makes them."""
        headers = HeaderMap(((b"x-envoy-retry-on", b"5xx"),))
        takeWishes(router(), _Route(), headers)
        self.assertIn(b"x-envoy-retry-on", headers)
