"""Tests for router.failures: time-outs, limits, what is counted."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing
from tests.http.test_retry import policy
from twisted_envoy.codec.http import Reset

BEFORE = b"upstream connect error or disconnect/reset before headers. "


class TimeoutTests(SynchronousTestCase):
    """Nobody waits for ever."""

    def test_routeTimeout(self):
        """15 s after the request's end it is a 504, and the upstream's stream is reset."""
        routing = Routing()

        stream = routing.request()
        routing.reactor.advance(14.9)
        before = stream.status
        routing.reactor.advance(0.2)

        self.assertIsNone(before)
        self.assertEqual(stream.reply, (504, b"upstream request timeout"))
        self.assertEqual((stream.details, stream.flags), ("response_timeout", "UT"))
        self.assertIs(routing.asked[0].encoder.reset, Reset.LOCAL)
        self.assertEqual(routing.value("upstream_rq_timeout"), 1)
        self.assertEqual(routing.value("upstream_rq_504"), 1)
        self.assertEqual(routing.cluster.hosts[0].stats.rq_timeout.value, 1)

    def test_timeoutWhileConnecting(self):
        """The pool is told that nobody waits any more."""
        routing = Routing()
        routing.cluster.waits = True

        stream = routing.request()
        routing.reactor.advance(15)

        self.assertEqual(stream.status, 504)
        self.assertTrue(routing.asked[0].cancelled)

    def test_timeoutBeginsWithTheRequestsEnd(self):
        routing = Routing()

        stream = routing.request(endStream=False)
        routing.reactor.advance(100)
        before = stream.status
        stream.router.decodeData(b"x", True)
        routing.reactor.advance(15)

        self.assertIsNone(before)
        self.assertEqual(stream.status, 504)

    def test_timeoutAfterHeaders(self):
        """A response that has begun is reset."""
        routing = Routing()

        stream = routing.request()
        routing.asked[0].answer(200, b"x", endStream=False)
        routing.reactor.advance(15)

        self.assertEqual((stream.ended, stream.flags), ("reset", "UT"))
        self.assertEqual(stream.details, "response_timeout")

    def test_noTimeoutForTunnels(self):
        routing = Routing()
        routing.route.timeout = 1.0

        stream = routing.request(endStream=False)
        stream.isTunnel = True
        stream.router.decodeData(b"", True)
        routing.reactor.advance(20)

        self.assertIsNone(stream.status)

    def test_askedFor(self):
        """x-envoy-upstream-rq-timeout-ms, with 204 for the answer."""
        routing = Routing()

        stream = routing.request(
            (b"x-envoy-upstream-rq-timeout-ms", b"100"),
            (b"x-envoy-upstream-rq-timeout-alt-response", b"1"),
        )
        routing.reactor.advance(0.1)

        self.assertEqual(stream.reply, (204, b""))
        self.assertEqual(stream.flags, "UT")
        self.assertEqual(routing.cluster.hosts[0].stats.rq_error.value, 1)
        self.assertEqual(
            routing.asked[0].encoder.headers[b"x-envoy-expected-rq-timeout-ms"], b"100"
        )

    def test_perTry(self):
        """Each attempt has its time; the last one's end is the request's."""
        routing = Routing()
        routing.route.retryPolicy = policy("5xx", perTryTimeout=0.5)

        stream = routing.request()
        routing.reactor.advance(0.5)
        routing.reactor.advance(0.025)
        made = len(routing.asked)
        routing.reactor.advance(0.5)

        self.assertEqual(made, 2)
        self.assertEqual(stream.reply, (504, b"upstream request timeout"))
        self.assertEqual((stream.details, stream.flags), ("upstream_per_try_timeout", "URX,UT"))
        self.assertEqual(routing.value("upstream_rq_per_try_timeout"), 2)
        self.assertEqual(
            routing.asked[0].encoder.headers[b"x-envoy-expected-rq-timeout-ms"], b"500"
        )

    def test_perTryEndsWithTheHeaders(self):
        routing = Routing()
        routing.route.retryPolicy = policy("5xx", perTryTimeout=0.5)

        stream = routing.request()
        routing.asked[0].answer(200, b"a", endStream=False)
        routing.reactor.advance(1)
        routing.asked[0].decoder.decodeData(b"b", True)

        self.assertEqual((stream.body, stream.ended), (b"ab", True))

    def test_perTryBeginsWithTheRequestsEnd(self):
        routing = Routing()
        routing.route.retryPolicy = policy("reset", perTryTimeout=0.5, numRetries=0)

        stream = routing.request(endStream=False)
        routing.reactor.advance(1)
        before = stream.status
        stream.router.decodeData(b"x", True)
        routing.reactor.advance(0.5)

        self.assertIsNone(before)
        self.assertEqual(stream.details, "upstream_per_try_timeout")

    def test_perTryIdle(self):
        """Silence of the upstream; anything from it begins the time anew."""
        routing = Routing()
        routing.route.retryPolicy = policy("5xx", perTryIdleTimeout=1.0, numRetries=0)

        stream = routing.request()
        routing.reactor.advance(0.9)
        routing.asked[0].answer(200, b"a", endStream=False)
        routing.reactor.advance(0.9)
        routing.asked[0].decoder.decodeData(b"b", False)
        routing.reactor.advance(0.9)
        before = stream.ended
        routing.reactor.advance(0.2)

        self.assertFalse(before)
        self.assertEqual(stream.details, "upstream_per_try_idle_timeout")
        self.assertEqual(routing.value("upstream_rq_per_try_idle_timeout"), 1)

    def test_duration(self):
        """x-envoy-upstream-stream-duration-ms ends the upstream's stream."""
        routing = Routing()

        stream = routing.request((b"x-envoy-upstream-stream-duration-ms", b"300"))
        routing.reactor.advance(0.3)

        self.assertEqual(stream.reply, (504, b"upstream max stream duration reached"))
        self.assertEqual(stream.details, "upstream_max_stream_duration_reached")
        self.assertEqual(stream.flags, "UMSDR")
        self.assertEqual(routing.value("upstream_rq_max_duration_reached"), 1)

    def test_durationRetried(self):
        routing = Routing()
        routing.route.retryPolicy = policy("reset")

        routing.request((b"x-envoy-upstream-stream-duration-ms", b"300"))
        routing.reactor.advance(0.3)
        routing.reactor.advance(0.03)

        self.assertEqual(len(routing.asked), 2)


class ReasonTests(SynchronousTestCase):
    """Every reason has its words."""

    def test_everyReason(self):
        expected = {
            Reset.LOCAL: ("LR", 503),
            Reset.LOCAL_REFUSED: ("LR", 503),
            Reset.REMOTE: ("UR", 503),
            Reset.REMOTE_REFUSED: ("UR", 503),
            Reset.REMOTE_NO_ERROR: ("UR", 503),
            Reset.LOCAL_CONNECTION_FAILURE: ("UF", 503),
            Reset.REMOTE_CONNECTION_FAILURE: ("UF", 503),
            Reset.CONNECTION_TIMEOUT: ("UF", 503),
            Reset.CONNECTION_TERMINATION: ("UC", 503),
            Reset.OVERFLOW: ("UO", 503),
            Reset.CONNECT_ERROR: ("UR", 503),
            Reset.PROTOCOL_ERROR: ("UPE", 502),
            Reset.OVERLOAD_MANAGER: ("OM", 503),
        }
        self.assertEqual(set(expected), set(Reset))
        for reason, (flag, status) in expected.items():
            routing = Routing()

            stream = routing.request()
            routing.asked[0].reset(reason)

            text = b"reset reason: " + reason.value.encode()
            self.assertEqual(stream.reply, (status, BEFORE + text))
            self.assertEqual(stream.flags, flag)
            self.assertEqual(
                stream.details,
                f"upstream_reset_before_response_started{{{reason.value.replace(' ', '_')}}}",
            )
            self.assertEqual(routing.value(f"upstream_rq_{status}"), 1)

    def test_retriedFailure(self):
        """The text says that it was tried again; the flags come in Envoy's order."""
        routing = Routing()
        routing.route.retryPolicy = policy("connect-failure")
        routing.cluster.failures = [(Reset.REMOTE_CONNECTION_FAILURE, "x y")] * 2

        stream = routing.request()
        routing.reactor.advance(0.025)

        self.assertEqual(
            stream.body,
            BEFORE + b"retried and the latest reset reason: remote connection failure",
        )
        self.assertEqual(stream.flags, "URX,UF")
        self.assertEqual(stream.streamInfo.upstream.transportFailureReason, "x y")

    def test_raises(self):
        """What raises when it hears of a failure is logged, and the request is answered."""
        routing = Routing()
        routing.cluster.failures = [(Reset.REMOTE_CONNECTION_FAILURE, "x")]
        host = routing.cluster.hosts[0]

        def connectFailed():
            raise RuntimeError("broken")

        host.monitor = SimpleNamespace(connectFailed=connectFailed)

        stream = routing.request()

        self.assertEqual((stream.reply, stream.details), ((500, b""), "filter_raised"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_runtimeShowsTheReason(self):
        key = "envoy.reloadable_features.hide_transport_failure_reason_in_response_body"
        routing = Routing(runtime={key: False})
        routing.cluster.failures = [(Reset.REMOTE_CONNECTION_FAILURE, "because")]

        stream = routing.request()

        self.assertTrue(stream.body.endswith(b", transport failure reason: because"))

    def test_suppressedHeaders(self):
        routing = Routing({"suppress_envoy_headers": True})
        routing.cluster.failures = [(Reset.OVERFLOW, "")]

        stream = routing.request()

        self.assertNotIn(b"x-envoy-overloaded", stream.headers)
        self.assertIsNone(stream.streamInfo.upstream.host)

    def test_attemptCount(self):
        """Local replies say how many attempts there were, where the route wants it."""
        routing = Routing(hosts=0)
        routing.route.includeAttemptCountResponse = True

        self.assertEqual(routing.request().headers[b"x-envoy-attempt-count"], b"1")
