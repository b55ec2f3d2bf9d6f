"""Tests for twisted_envoy.http.retry."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.http.retry import EXHAUSTED, NO, OVERFLOW, YES, newRetryState
from twisted_envoy.http.routes.retry import RateLimitedBackOff, ResetHeader, RetrySettings
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.stats import ClusterStats


class Cluster:
    """What a RetryState asks of a cluster."""

    def __init__(self, maxRetries=3):
        self.store = Store()
        self.stats = ClusterStats(self.store.scope("c."))
        self.priorities = {"default": Limits(self.store, maxRetries=maxRetries)}

    @property
    def inUse(self):
        return self.priorities["default"].retries.inUse


def policy(*on, **more):
    """A RetrySettings."""
    settings = RetrySettings()
    settings.on = frozenset(on)
    for name, value in more.items():
        setattr(settings, name, value)
    return settings


class Fixed:
    """A random.Random that always gives the same."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value


def stateOf(settings, *headers, cluster=None, runtime=None, rng=None):
    return newRetryState(
        settings,
        HeaderMap(headers),
        cluster or Cluster(),
        "default",
        Runtime(runtime or {}),
        rng or random.Random(3),
    )


def response(status, *more):
    return HeaderMap(((b":status", b"%d" % status), *more))


class ConditionTests(SynchronousTestCase):
    """Which answers and failures make another attempt."""

    def verdict(self, condition, status, *more, settings=None):
        state = stateOf(settings or policy(condition))
        return state.answered(response(status, *more), status, 0.0)

    def test_noPolicy(self):
        self.assertIsNone(stateOf(None))
        self.assertIsNone(stateOf(policy()))

    def test_statuses(self):
        """Each condition has its statuses, and no others."""
        expected = {
            "5xx": {500, 502, 503, 504, 599},
            "gateway-error": {502, 503, 504},
            "retriable-4xx": {409},
            "retriable-status-codes": {418},
        }
        for condition, retried in expected.items():
            for status in (200, 404, 409, 418, 500, 502, 503, 504, 599):
                settings = policy(condition, statusCodes=frozenset((418,)))
                found = self.verdict(condition, status, settings=settings)
                self.assertEqual(found, YES if status in retried else NO, (condition, status))

    def test_rateLimited(self):
        """A response of Envoy's rate limit is retried for envoy-ratelimited only."""
        limited = (b"x-envoy-ratelimited", b"true")

        self.assertEqual(self.verdict("5xx", 503, limited), NO)
        self.assertEqual(self.verdict("envoy-ratelimited", 429, limited), YES)

    def test_retriableHeaders(self):
        settings = policy("retriable-headers", headers=(lambda headers: b"x-again" in headers,))

        self.assertEqual(self.verdict("", 200, (b"x-again", b"1"), settings=settings), YES)
        self.assertEqual(self.verdict("", 200, settings=settings), NO)

    def test_grpcStatuses(self):
        numbers = {
            "cancelled": b"1",
            "deadline-exceeded": b"4",
            "resource-exhausted": b"8",
            "internal": b"13",
            "unavailable": b"14",
        }
        for condition, number in numbers.items():
            self.assertEqual(self.verdict(condition, 200, (b"grpc-status", number)), YES)
            self.assertEqual(self.verdict(condition, 200, (b"grpc-status", b"2")), NO)
            self.assertEqual(self.verdict(condition, 200), NO)

    def test_resets(self):
        """Each condition has its reset reasons."""
        connect = {
            Reset.LOCAL_CONNECTION_FAILURE,
            Reset.REMOTE_CONNECTION_FAILURE,
            Reset.CONNECTION_TIMEOUT,
        }
        every = set(Reset) - {Reset.OVERFLOW}
        expected = {
            "5xx": every,
            "gateway-error": every,
            "reset": every,
            "connect-failure": connect,
            "refused-stream": {Reset.REMOTE_REFUSED},
            "retriable-4xx": set(),
        }
        for condition, retried in expected.items():
            for reason in Reset:
                found = stateOf(policy(condition)).wasReset(reason, True)
                self.assertEqual(found, YES if reason in retried else NO, (condition, reason))

    def test_resetBeforeRequest(self):
        on = policy("reset-before-request")

        self.assertEqual(stateOf(on).wasReset(Reset.REMOTE, True), NO)
        self.assertEqual(stateOf(on).wasReset(Reset.REMOTE, False), YES)


class HeaderTests(SynchronousTestCase):
    """What requests ask for themselves."""

    def test_headersAreTakenOut(self):
        headers = HeaderMap(
            (
                (b"x-envoy-retry-on", b"5xx"),
                (b"x-envoy-max-retries", b"5"),
                (b"x-envoy-upstream-rq-per-try-timeout-ms", b"5"),
                (b"a", b"b"),
            )
        )

        state = newRetryState(None, headers, Cluster(), "default", Runtime(), random.Random(1))

        self.assertEqual(list(headers), [b"a"])
        self.assertEqual(state.remaining, 5)

    def test_headersAddToThePolicy(self):
        state = stateOf(
            policy("5xx"),
            (b"x-envoy-retry-on", b"retriable-status-codes,retriable-headers"),
            (b"x-envoy-retry-grpc-on", b"internal"),
            (b"x-envoy-retriable-status-codes", b"404, 405,x"),
            (b"x-envoy-retriable-header-names", b"X-Again"),
            (b"x-envoy-max-retries", b"9"),
        )

        for status, more in (
            (500, ()),
            (404, ()),
            (405, ()),
            (200, ((b"x-again", b""),)),
            (200, ((b"grpc-status", b"13"),)),
        ):
            self.assertEqual(state.answered(response(status, *more), status, 0.0), YES)

    def test_requestHeadersMustMatch(self):
        wanted = policy("5xx", requestHeaders=(lambda headers: b"x-may" in headers,))

        self.assertIsNone(stateOf(wanted))
        self.assertIsNotNone(stateOf(wanted, (b"x-may", b"1")))

    def test_malformedNumberIsIgnored(self):
        self.assertEqual(stateOf(policy("5xx"), (b"x-envoy-max-retries", b"many")).remaining, 1)


class LimitTests(SynchronousTestCase):
    """How often, and how many at once."""

    def test_exhausted(self):
        cluster = Cluster()
        state = stateOf(policy("5xx", numRetries=2), cluster=cluster)

        found = [state.answered(response(503), 503, 0.0) for _ in range(3)]

        self.assertEqual(found, [YES, YES, EXHAUSTED])
        self.assertEqual(cluster.stats.upstream_rq_retry.value, 2)
        self.assertEqual(cluster.stats.upstream_rq_retry_limit_exceeded.value, 1)
        self.assertEqual(cluster.inUse, 0)

    def test_success(self):
        """A retry whose answer is good counts, and gives its resource back."""
        cluster = Cluster()
        state = stateOf(policy("5xx"), cluster=cluster)

        state.answered(response(503), 503, 0.0)
        held = cluster.inUse
        found = state.answered(response(200), 200, 0.0)

        self.assertEqual((held, found, cluster.inUse), (1, NO, 0))
        self.assertEqual(cluster.stats.upstream_rq_retry_success.value, 1)

    def test_overflow(self):
        cluster = Cluster(maxRetries=0)

        found = stateOf(policy("5xx"), cluster=cluster).answered(response(503), 503, 0.0)

        self.assertEqual(found, OVERFLOW)
        self.assertEqual(cluster.stats.upstream_rq_retry_overflow.value, 1)

    def test_closeGivesBackOnce(self):
        cluster = Cluster()
        state = stateOf(policy("5xx"), cluster=cluster)
        state.answered(response(503), 503, 0.0)

        state.close()
        state.close()

        self.assertEqual(cluster.inUse, 0)

    def test_runtimeSwitchesOff(self):
        state = stateOf(policy("5xx"), runtime={"upstream.use_retry": 0})

        self.assertEqual(state.answered(response(503), 503, 0.0), NO)


class BackOffTests(SynchronousTestCase):
    """How long to wait."""

    def waits(self, state, number):
        found = []
        for _ in range(number):
            state.answered(response(503), 503, 0.0)
            found.append(round(state.wait(), 6))
        return found

    def test_default(self):
        """Anything below a bound that doubles from 25 ms up to ten times that."""
        cluster = Cluster()
        state = stateOf(policy("5xx", numRetries=9), cluster=cluster, rng=Fixed(0.5))

        self.assertEqual(self.waits(state, 5), [0.0125, 0.025, 0.05, 0.1, 0.125])
        self.assertEqual(cluster.stats.upstream_rq_retry_backoff_exponential.value, 5)

    def test_runtimeBase(self):
        state = stateOf(
            policy("5xx"), runtime={"upstream.base_retry_backoff_ms": 100}, rng=Fixed(0.5)
        )

        self.assertEqual(self.waits(state, 1), [0.05])

    def test_policy(self):
        state = stateOf(
            policy("5xx", numRetries=9, backOffBase=1.0, backOffMax=1.5), rng=Fixed(0.5)
        )

        self.assertEqual(self.waits(state, 3), [0.5, 0.75, 0.75])

    def test_resetHeaders(self):
        """A header that names the time is waited for, with up to half of it on top."""
        cluster = Cluster()
        limited = RateLimitedBackOff(
            (ResetHeader(b"retry-after", False), ResetHeader(b"x-reset", True)), 60.0
        )
        state = stateOf(
            policy("5xx", numRetries=9, rateLimitedBackOff=limited),
            cluster=cluster,
            rng=Fixed(0.5),
        )

        def wait(*more):
            state.answered(response(503, *more), 503, 1000.0)
            return state.wait()

        self.assertEqual(wait((b"retry-after", b"4")), 5.0)
        self.assertEqual(wait((b"x-reset", b"1008")), 10.0)
        self.assertEqual(wait((b"retry-after", b"90"), (b"x-reset", b"1004")), 5.0)
        self.assertLess(wait((b"retry-after", b"soon")), 0.1)
        self.assertLess(wait((b"x-reset", b"999")), 0.1)
        self.assertEqual(cluster.stats.upstream_rq_retry_backoff_ratelimited.value, 3)
