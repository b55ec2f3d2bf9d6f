"""Tests for router.timeouts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import VirtualHost
from tests.http.test_retry import policy
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.timeouts import (
    Timeouts,
    setTimeoutHeaders,
    takeTimeouts,
)
from twisted_envoy.http.grpc import grpcTimeout, grpcTimeoutText
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.timeouts import MaxStreamDuration

GRPC = (b"content-type", b"application/grpc")


class GRPCTests(SynchronousTestCase):
    """grpc-timeout."""

    def test_read(self):
        for value, seconds in (
            (b"1H", 3600.0),
            (b"2M", 120.0),
            (b"3S", 3.0),
            (b"4m", 0.004),
            (b"5000u", 0.005),
            (b"1n", 0.001),
            (b"0S", 0.0),
            (b"99999999S", 99999999.0),
            (b"123456789S", None),
            (b"S", None),
            (b"x1S", None),
            (b"1x", None),
        ):
            self.assertEqual(grpcTimeout(HeaderMap(((b"grpc-timeout", value),))), seconds, value)
        self.assertIsNone(grpcTimeout(HeaderMap()))

    def test_written(self):
        for milliseconds, text in (
            (1, b"1m"),
            (99_999_999, b"99999999m"),
            (100_000_000, b"100000S"),
            (200_000_000_000, b"3333333M"),
        ):
            self.assertEqual(grpcTimeoutText(milliseconds), text)


class TimeoutsTests(SynchronousTestCase):
    """The route's word, the request's, and which wins."""

    def taken(self, *headers, respects=False, **more):
        route = RouteEntry(VirtualHost())
        for name, value in more.items():
            setattr(route, name, value)
        self.headers = HeaderMap(headers)
        found = takeTimeouts(route, self.headers, respects)
        return found.total, found.perTry, found.perTryIdle

    def test_route(self):
        self.assertEqual(self.taken(), (15.0, 0.0, 0.0))
        self.assertEqual(self.taken(timeout=0.0), (0.0, 0.0, 0.0))

    def test_policy(self):
        settings = policy("5xx", perTryTimeout=2.0, perTryIdleTimeout=1.0)

        self.assertEqual(self.taken(retryPolicy=settings), (15.0, 2.0, 1.0))

    def test_perTryOverTotal(self):
        """A per-try time that is not shorter than the whole is none."""
        settings = policy("5xx", perTryTimeout=15.0)

        self.assertEqual(self.taken(retryPolicy=settings), (15.0, 0.0, 0.0))

    def test_maxStreamDuration(self):
        """A route with max_stream_duration has no other time."""
        limit = MaxStreamDuration(5.0, None, None)

        self.assertEqual(self.taken(maxStreamDuration=limit), (0.0, 0.0, 0.0))

    def test_headers(self):
        found = self.taken(
            (b"x-envoy-upstream-rq-timeout-ms", b"3000"),
            (b"x-envoy-upstream-rq-per-try-timeout-ms", b"1000"),
        )

        self.assertEqual(found, (3.0, 1.0, 0.0))
        self.assertEqual(len(self.headers), 0)

    def test_malformedHeader(self):
        self.assertEqual(self.taken((b"x-envoy-upstream-rq-timeout-ms", b"x")), (15.0, 0.0, 0.0))

    def test_expected(self):
        """An earlier proxy's word counts where it is respected."""
        expected = (b"x-envoy-expected-rq-timeout-ms", b"700")
        asked = (b"x-envoy-upstream-rq-timeout-ms", b"900")

        self.assertEqual(self.taken(expected)[0], 15.0)
        self.assertEqual(self.taken(expected, respects=True)[0], 0.7)
        self.assertEqual(self.taken(asked, respects=True)[0], 0.9)

    def test_grpc(self):
        for asked, most, offset, total in (
            (b"3S", 10.0, None, 3.0),
            (b"30S", 10.0, None, 10.0),
            (b"30S", 0.0, None, 30.0),
            (None, 0.0, None, 0.0),
            (None, 10.0, None, 10.0),
            (b"3S", 10.0, 1.0, 2.0),
            (b"3S", 10.0, 5.0, 3.0),
        ):
            headers = [GRPC] if asked is None else [GRPC, (b"grpc-timeout", asked)]
            found = self.taken(*headers, maxGrpcTimeout=most, grpcTimeoutOffset=offset)
            self.assertEqual(found[0], total, (asked, most, offset))

    def test_grpcOnlyForGRPC(self):
        self.assertEqual(self.taken((b"grpc-timeout", b"3S"), maxGrpcTimeout=10.0)[0], 15.0)


class HeaderTests(SynchronousTestCase):
    """What the upstream is told."""

    def told(self, timeouts, elapsed=0.0, expected=True):
        headers = HeaderMap()
        setTimeoutHeaders(timeouts, headers, elapsed, expected)
        return dict(headers)

    def test_expected(self):
        name = b"x-envoy-expected-rq-timeout-ms"
        for total, perTry, elapsed, text in (
            (15.0, 0.0, 0.0, b"15000"),
            (15.0, 2.0, 0.0, b"2000"),
            (15.0, 2.0, 14.0, b"1000"),
            (15.0, 2.0, 16.0, b"1"),
            (0.0, 2.0, 99.0, b"2000"),
        ):
            told = self.told(Timeouts(total, perTry, 0.0, False), elapsed)
            self.assertEqual(told, {name: text})

    def test_none(self):
        self.assertEqual(self.told(Timeouts(0.0, 0.0, 0.0, True)), {})
        self.assertEqual(self.told(Timeouts(5.0, 0.0, 0.0, False), expected=False), {})

    def test_grpc(self):
        told = self.told(Timeouts(5.0, 0.0, 0.0, True), expected=False)

        self.assertEqual(told, {b"grpc-timeout": b"5000m"})
