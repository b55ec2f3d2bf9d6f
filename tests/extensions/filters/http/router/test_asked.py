"""Tests for router.asked."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.asked import Asked, firstMalformed, takeAsked


class AskedTests(SynchronousTestCase):
    """What a request's headers ask for."""

    def test_nothing(self):
        self.assertIsNone(takeAsked(HeaderMap(((b"a", b"b"),))))

    def test_takenOut(self):
        headers = HeaderMap(
            (
                (b"x-envoy-upstream-rq-timeout-alt-response", b"1"),
                (b"x-envoy-upstream-stream-duration-ms", b"1500"),
                (b"x-envoy-upstream-alt-stat-name", b"other"),
            )
        )

        self.assertEqual(takeAsked(headers), Asked(204, 1.5, "other."))
        self.assertEqual(len(headers), 0)

    def test_malformedDuration(self):
        headers = HeaderMap(((b"x-envoy-upstream-stream-duration-ms", b"long"),))

        self.assertEqual(takeAsked(headers), Asked())

    def test_altStat(self):
        """Answers count under the other name too."""
        routing = Routing()

        routing.request((b"x-envoy-upstream-alt-stat-name", b"other"))
        routing.asked[0].answer(200)

        self.assertEqual(routing.value("other.upstream_rq_200"), 1)
        self.assertEqual(routing.value("upstream_rq_200"), 1)

    def test_firstMalformed(self):
        names = (b"x-envoy-max-retries", b"x-envoy-retry-on")
        headers = HeaderMap(((b"x-envoy-retry-on", b"5xx,bogus"), (b"x-envoy-max-retries", b"1")))

        self.assertEqual(firstMalformed(headers, names), b"x-envoy-retry-on")
        self.assertIsNone(firstMalformed(HeaderMap(), names))

    def test_wellFormed(self):
        """Lists may have empty places, numbers a plus; numbers fit into 64 bits."""
        names = (b"x-envoy-max-retries", b"x-envoy-retry-on")
        for name, value in ((names[1], b""), (names[1], b" ,5xx,, reset"), (names[0], b"+1")):
            self.assertIsNone(firstMalformed(HeaderMap(((name, value),)), names), value)
        for name, value in ((names[0], b"-1"), (names[0], b"9" * 20), (names[0], b"")):
            self.assertEqual(firstMalformed(HeaderMap(((name, value),)), names), name, value)
