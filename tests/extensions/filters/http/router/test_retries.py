"""Tests for router.retries."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing
from tests.http.test_retry import policy
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset


class RetryTests(SynchronousTestCase):
    """Another attempt."""

    def retrying(self, *on, hosts=1, **more):
        routing = Routing(hosts=hosts)
        routing.route.retryPolicy = policy(*(on or ("5xx",)), **more)
        return routing

    def test_answerIsTriedAgain(self):
        """The client sees only the second answer; the first connection can be used again."""
        routing = self.retrying()
        routing.route.includeAttemptCountRequest = True
        routing.route.includeAttemptCountResponse = True
        routing.route.includeIsTimeoutRetry = True

        stream = routing.request()
        routing.asked[0].answer(503)
        routing.reactor.advance(0.025)
        routing.asked[1].answer(200)

        self.assertEqual((stream.status, stream.flags), (200, ""))
        self.assertIsNone(routing.asked[0].encoder.reset)
        self.assertEqual(stream.headers[b"x-envoy-attempt-count"], b"2")
        sent = [asked.encoder.headers for asked in routing.asked]
        self.assertEqual([one[b"x-envoy-attempt-count"] for one in sent], [b"1", b"2"])
        self.assertNotIn(b"x-envoy-is-timeout-retry", sent[0])
        self.assertEqual(sent[1][b"x-envoy-is-timeout-retry"], b"false")
        self.assertEqual(stream.streamInfo.attemptCount, 2)
        for name, value in (
            ("upstream_rq_retry", 1),
            ("upstream_rq_retry_success", 1),
            ("retry.upstream_rq_503", 1),
            ("upstream_rq_200", 1),
        ):
            self.assertEqual(routing.value(name), value, name)
        self.assertEqual(routing.reactor.getDelayedCalls(), [])
        self.assertEqual(routing.cluster.priorities["default"].retries.inUse, 0)

    def test_answerWithABodyIsReset(self):
        routing = self.retrying()

        routing.request()
        routing.asked[0].answer(503, b"no", endStream=False)

        self.assertIs(routing.asked[0].encoder.reset, Reset.LOCAL)

    def test_exhausted(self):
        """The last answer goes to the client, flagged."""
        routing = self.retrying()

        stream = routing.request()
        routing.asked[0].answer(503)
        routing.reactor.advance(0.025)
        routing.asked[1].answer(503, b"no")

        self.assertEqual((stream.status, stream.body, stream.flags), (503, b"no", "URX"))

    def test_tooManyAtOnce(self):
        routing = self.retrying()
        retries = routing.cluster.priorities["default"].retries
        retries.most = 0

        stream = routing.request()
        routing.asked[0].answer(503)

        self.assertEqual((stream.status, stream.flags), (503, "UO"))

    def test_bodyAndTrailersAreSentAgain(self):
        routing = self.retrying()

        stream = routing.request(method=b"POST", endStream=False)
        stream.router.decodeData(b"one", False)
        stream.router.decodeData(b"two", False)
        stream.requestTrailers = HeaderMap(((b"t", b"1"),))
        stream.router.decodeTrailers(stream.requestTrailers)
        routing.asked[0].reset()
        routing.reactor.advance(0.025)

        encoder = routing.asked[1].encoder
        self.assertEqual(encoder.body, b"onetwo")
        self.assertEqual(encoder.trailers[b"t"], b"1")

    def test_restOfTheBodyFollows(self):
        """An attempt that begins before the request's end gets the rest when it comes."""
        routing = self.retrying()

        stream = routing.request(method=b"POST", endStream=False)
        stream.router.decodeData(b"one", False)
        routing.asked[0].reset()
        stream.router.decodeData(b"two", False)
        routing.reactor.advance(0.025)
        stream.router.decodeData(b"three", True)

        encoder = routing.asked[1].encoder
        self.assertEqual((encoder.body, encoder.ended), (b"onetwothree", True))

    def test_largeBody(self):
        """Over the limit there is no retry."""
        routing = self.retrying()
        routing.route.requestBufferLimit = 5

        stream = routing.request(method=b"POST", body=b"123456")
        routing.asked[0].answer(503)

        self.assertEqual((stream.status, len(routing.asked)), (503, 1))
        self.assertEqual(routing.value("retry_or_shadow_abandoned"), 1)

    def test_largeBodyWhileWaiting(self):
        """Without an attempt that takes it the request is refused."""
        routing = self.retrying()

        stream = routing.request(method=b"POST", endStream=False)
        routing.asked[0].reset()
        stream.router.decodeData(b"1" * 1001, False)

        self.assertEqual(
            stream.reply, (507, b"exceeded request buffer limit while retrying upstream")
        )
        self.assertEqual(stream.details, "request_payload_exceeded_retry_buffer_limit")
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_otherHost(self):
        """A predicate makes another host be chosen, so often as the policy says."""
        routing = self.retrying(
            hosts=2,
            hostPredicates=(lambda host, tried: host in tried,),
            hostSelectionAttempts=3,
        )
        first, second = routing.cluster.hosts
        given = iter((first, first, first, second))
        attempts = []

        def choose(context):
            attempts.append(context.attempt)
            return next(given)

        routing.cluster.chooseHost = choose

        routing.request()
        routing.asked[0].reset()
        routing.reactor.advance(0.025)

        self.assertEqual([asked.pool.host for asked in routing.asked], [first, second])
        self.assertEqual(attempts, [0, 0, 1, 2])  # balancers by hash look further for each

    def test_noHostLeft(self):
        routing = self.retrying()

        stream = routing.request()
        routing.asked[0].reset()
        routing.cluster.hosts = []
        routing.reactor.advance(0.025)

        self.assertEqual((stream.status, stream.flags), (503, "UH"))
        self.assertEqual(stream.streamInfo.attemptCount, 2)

    def test_timeoutWhileWaiting(self):
        """The route's time goes on between attempts."""
        routing = self.retrying(backOffBase=30.0, backOffMax=30.0)

        stream = routing.request()
        routing.asked[0].reset()
        routing.random.seed(1)
        routing.reactor.advance(15)

        self.assertEqual(stream.status, 504)
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_timeLeft(self):
        routing = self.retrying()

        routing.request()
        routing.reactor.advance(5)
        routing.asked[0].reset()
        routing.reactor.advance(0.025)

        left = int(routing.asked[1].encoder.headers[b"x-envoy-expected-rq-timeout-ms"])
        self.assertEqual(left, 9975)

    def test_clientGone(self):
        """Nothing is tried for nobody."""
        routing = self.retrying()

        stream = routing.request()
        routing.asked[0].reset()
        stream.router.streamEnded()
        routing.reactor.advance(1)

        self.assertEqual(len(routing.asked), 1)
        self.assertEqual(routing.cluster.priorities["default"].retries.inUse, 0)

    def test_noRetryAfterInterimHeaders(self):
        routing = self.retrying()

        stream = routing.request()
        routing.asked[0].decoder.decode1xx(HeaderMap(((b":status", b"103"),)))
        routing.asked[0].decoder.decode1xx(HeaderMap(((b":status", b"199"),)))
        routing.asked[0].answer(503)

        self.assertEqual(len(stream.interim), 1)
        self.assertEqual((stream.status, len(routing.asked)), (503, 1))
        self.assertEqual(routing.value("upstream_rq_103"), 1)
