"""
The router of one request.

    event                        what happens
    decodeHeaders                cluster, times, host, pool: an attempt is started
    decodeData/Trailers          go to the attempt; kept while another attempt may need them
    attemptReady                 the attempt's stream is there: the headers as it shall have them
    attemptHeaders               the answer begins: retried, redirected, or passed on
    attemptReset                 the attempt failed: retried, or answered here
    a timer                      the same, with 504
    streamEnded                  everything is let go of

Envoy: Router::Filter
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.attempt import Answer, UpstreamRequest
from twisted_envoy.extensions.filters.http.router.choice import (
    answerWithoutUpstream,
    chooseHost,
    poolFor,
    refusal,
)
from twisted_envoy.extensions.filters.http.router.replies import (
    FLAGS,
    NO_HEALTHY,
    OVERLOADED,
    TIMEOUT,
    resetBody,
    resetDetails,
)
from twisted_envoy.extensions.filters.http.router.settings import RouterSettings
from twisted_envoy.extensions.filters.http.router.timeouts import setTimeoutHeaders, takeTimeouts
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.retry import EXHAUSTED, OVERFLOW, YES, newRetryState
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.stream_info import UpstreamInfo

_SERVICE_TIME = b"x-envoy-upstream-service-time"
_ATTEMPTS = b"x-envoy-attempt-count"


class Router(HTTPFilter):
    """
    Terminal filter.

    Args:
        settings: of the router.

    Attributes:
        info: the request's. cluster: that it goes to, None before.
        attempt: the one under way, None while there is none.
        attempts: made so far. headers: of the request, for the upstream.
        body: chunks that another attempt may need, None when nothing is kept.
        responseStarted: something of an answer was passed on.
    """

    __slots__ = (
        "_codes",
        "_context",
        "_cookie",
        "_internal",
        "_requestDone",
        "_retry",
        "_retryCall",
        "_route",
        "_timer",
        "_timeouts",
        "attempt",
        "attempts",
        "body",
        "bodySize",
        "cluster",
        "headers",
        "info",
        "mirrors",
        "responseStarted",
        "settings",
    )

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self.info: Any = None
        self.cluster: Any = None
        self.attempt: UpstreamRequest | None = None
        self.attempts = 0
        self.body: list[bytes] | None = None
        self.bodySize = 0
        self.responseStarted = False
        self.mirrors: Any = None
        self._cookie: bytes | None = None
        self._retry: Any = None
        self._retryCall: Any = None
        self._timer: Any = None
        self._requestDone: float | None = None

    # The request.

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        settings = self.settings
        stream: Any = self.stream
        route = stream.route
        settings.stats.rq_total.value += 1
        self.info = info = stream.streamInfo
        self.headers = headers
        if route is None or route.kind != "cluster":
            answerWithoutUpstream(self, route, headers)
            return
        name = route.clusterName(headers)
        cluster = settings.clusters.get(name) if name else None
        if cluster is None:
            settings.stats.no_cluster.value += 1
            info.raiseFlag("NC")
            stream.sendLocalReply(route.clusterNotFoundCode, b"", "cluster_not_found")
            return
        self._route = route
        self.cluster = cluster
        self._codes = settings.codes.of(cluster)
        self._internal = headers.get(b"x-envoy-internal") == b"true"
        info.upstream = upstream = UpstreamInfo(name)
        upstream.cluster = cluster
        if refusal(self, name):
            return
        self._context = context = LoadBalancerContext(None, route.metadataMatch)
        if route.hashPolicy is not None:
            context.hashKey, self._cookie = route.hashPolicy(headers, info)
        host = cluster.chooseHost(context)
        if host is None:
            self._noHost()
            return
        self._prepare(route, headers, info)
        if endStream:
            self._start(host, True)
            self._requestEnds()
        else:
            self._start(host, False)

    def _prepare(self, route: Any, headers: HeaderMap, info: Any) -> None:
        """Everything about the request that does not depend on the host."""
        settings = self.settings
        self._timeouts = timeouts = takeTimeouts(route, headers, settings.respectsExpected)
        expected = not settings.suppressesHeaders
        setTimeoutHeaders(timeouts, headers, 0.0, expected)
        if route.includeAttemptCountRequest:
            headers.set(_ATTEMPTS, b"1")
        route.finalizeRequest(headers, info, expected)
        policy = route.retryPolicy
        if policy is not None or b"x-envoy-retry-on" in headers:
            self._retry = newRetryState(
                policy,
                headers,
                self.cluster.stats,
                self.cluster.priorities[route.priority].retries,
                settings.runtime,
                settings.random,
            )
            if self._retry is not None:
                self.body = []

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        body = self.body
        if body is not None:
            body.append(data)
            self.bodySize += len(data)
            if self.bodySize > self._bufferLimit() and not self._giveUpBody():
                return b""
        if self.attempt is not None:
            self.attempt.encodeData(data, endStream)
        if endStream:
            self._requestEnds()
        return b""

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self.attempt is not None:
            self.attempt.encodeTrailers(trailers)
        self._requestEnds()

    def _bufferLimit(self) -> int:
        own = self._route.requestBufferLimit
        limit: int = self.stream.bufferLimit
        return limit if own is None else min(own, limit)

    def _giveUpBody(self) -> bool:
        """The body is too large to be kept: no retry. False: the request had to be answered."""
        self.cluster.stats.retry_or_shadow_abandoned.value += 1
        self.body = None
        waiting = self._retryCall is not None
        self._endRetries()
        if not waiting:
            return True
        self._cleanUp()
        self.stream.sendLocalReply(
            507,
            b"exceeded request buffer limit while retrying upstream",
            "request_payload_exceeded_retry_buffer_limit",
            self._replyHeaders(),
        )
        return False

    def _requestEnds(self) -> None:
        if self._requestDone is not None or self.cluster is None:
            return
        settings = self.settings
        self._requestDone = settings.seconds()
        attempt = self.attempt
        if attempt is None and self._retryCall is None:
            return
        timeouts = self._timeouts
        if timeouts.total and not self.stream.isTunnel:
            self._timer = settings.queue(timeouts.total).add(self._timedOut)
        if timeouts.perTry and attempt is not None and attempt.encoder is not None:
            self._startPerTry(attempt)

    # Attempts.

    def _start(self, host: Any, endStream: bool) -> None:
        self.attempts += 1
        info = self.info
        info.attemptCount = info.upstream.attempts = self.attempts
        info.upstream.host = host
        self.attempt = attempt = UpstreamRequest(self, host)
        attempt.start(poolFor(self, host, self._route), endStream)

    def attemptReady(self, attempt: UpstreamRequest, connection: Any) -> HeaderMap:
        """The attempt has a stream: what is known of it, and the headers that it shall send."""
        settings = self.settings
        info = self.info
        now = settings.seconds()
        info.upstreamProtocol = connection.protocol
        upstream = info.upstream
        upstream.host = host = connection.host
        upstream.localAddress = connection.localAddress
        upstream.remoteAddress = connection.remoteAddress
        upstream.connectionID = number = connection.connectionID
        upstream.connectionIDsAttempted.append(number)
        upstream.connectedTime = connection.connectedTime
        info.firstUpstreamByteSentTime = now
        timeouts = self._timeouts
        if timeouts.perTry and self._requestDone is not None:
            self._startPerTry(attempt)
        route = self._route
        if route.autoHostRewrite and host.hostname:
            _rewriteHost(self.headers, host.hostname.encode(), route.appendXForwardedHost)
        return self.headers

    def attemptInterim(self, attempt: UpstreamRequest, headers: HeaderMap) -> None:
        """1xx: passed on, and no retry any more."""
        self._charge(int(headers[b":status"]), None)
        self.responseStarted = True
        self._endRetries()
        self.stream.encode1xx(headers)

    def attemptHeaders(self, attempt: UpstreamRequest, headers: HeaderMap, endStream: bool) -> None:
        """The answer begins."""
        settings = self.settings
        now = settings.seconds()
        info = self.info
        info.firstUpstreamByteReceivedTime = now
        status = int(headers[b":status"])
        if self._retry is not None and self._retries(attempt, headers, status, endStream):
            return
        if attempt.perTryTimer is not None:
            attempt.perTryTimer.cancel()
            attempt.perTryTimer = None
        done = self._requestDone
        if not settings.suppressesHeaders and done is not None:
            headers.set(_SERVICE_TIME, b"%d" % ((now - done) * 1000))
        route = self._route
        if route.includeAttemptCountResponse:
            headers.set(_ATTEMPTS, b"%d" % self.attempts)
        self._charge(status, attempt.host)
        if status < 500:
            attempt.host.stats.rq_success.value += 1
        if self._cookie is not None:
            headers.add(b"set-cookie", self._cookie)
        info.responseCodeDetails = "via_upstream"
        route.finalizeResponse(headers, info)
        self.responseStarted = True
        stream = self.stream
        if endStream:
            self.attemptCompleted(attempt)
        else:
            stream.registerProducer(Answer(attempt.encoder, self.cluster.stats))
        stream.encodeHeaders(headers, endStream)

    def attemptTrailers(self, attempt: UpstreamRequest, trailers: HeaderMap) -> None:
        """The answer ends with trailers."""
        self.attemptCompleted(attempt)
        self.stream.encodeTrailers(trailers)

    def attemptCompleted(self, attempt: UpstreamRequest) -> None:
        """The last of the answer is about to be passed on."""
        now = self.settings.seconds()
        self.info.lastUpstreamByteReceivedTime = now
        done = self._requestDone
        attempt.complete(done is not None)
        self.attempt = None
        if done is not None and self.settings.dynamicStats and not self.info.isHealthCheck:
            self._codes.recordTime(int((now - done) * 1000), self._internal)
        self._cleanUp()

    def attemptReset(self, attempt: UpstreamRequest, reason: Reset, failure: str) -> None:
        """The attempt failed."""
        self.attempt = None
        info = self.info
        if failure and attempt.encoder is None:
            info.upstream.transportFailureReason = failure
        if self._retriesReset(attempt, reason):
            return
        status = 502 if reason is Reset.PROTOCOL_ERROR else 503
        self._chargeAbort(status, attempt)
        details = resetDetails(reason, failure, self.responseStarted)
        said = "" if self.settings.hidesReason() else failure
        body = resetBody(reason, said, self.attempts > 1)
        self._abort(status, FLAGS[reason], body, details, reason is Reset.OVERFLOW)

    # Retries.

    def _retries(
        self, attempt: UpstreamRequest, headers: HeaderMap, status: int, endStream: bool
    ) -> bool:
        """Whether the answer makes another attempt."""
        verdict = self._retry.answered(headers, status, self.settings.wallClock())
        if verdict == YES:
            attempt.host.stats.rq_error.value += 1
            if self.settings.dynamicStats:
                self._codes.chargeUnder("retry.", status)
            self.attempt = None
            if endStream and self._requestDone is not None:
                attempt.complete(True)
            else:
                attempt.cancel()
            self._wait(attempt)
            return True
        self._flagVerdict(verdict)
        self._endRetries()
        return False

    def _retriesReset(self, attempt: UpstreamRequest, reason: Reset) -> bool:
        """Whether the failure makes another attempt."""
        if self.responseStarted or self._retry is None:
            return False
        verdict = self._retry.wasReset(reason, attempt.sent)
        if verdict == YES:
            attempt.host.stats.rq_error.value += 1
            self._wait(attempt)
            return True
        self._flagVerdict(verdict)
        return False

    def _flagVerdict(self, verdict: int) -> None:
        if verdict == EXHAUSTED:
            self.info.raiseFlag("URX")
        elif verdict == OVERFLOW:
            self.info.raiseFlag("UO")

    def _wait(self, attempt: UpstreamRequest) -> None:
        self._context.tried.append(attempt.host)
        self._retryCall = self.settings.reactor.callLater(self._retry.wait(), self._again)

    def _again(self) -> None:
        """The back-off is over."""
        self._retryCall = None
        settings = self.settings
        headers = self.headers
        host = chooseHost(self.cluster, self._context, self._retry.policy)
        if host is None:
            self.attempts += 1
            self.info.attemptCount = self.attempts
            self._noHost()
            return
        if self._route.includeAttemptCountRequest:
            headers.set(_ATTEMPTS, b"%d" % (self.attempts + 1))
        done = self._requestDone
        elapsed = 0.0 if done is None else settings.seconds() - done
        setTimeoutHeaders(self._timeouts, headers, elapsed, not settings.suppressesHeaders)
        body = self.body
        trailers = self.stream.requestTrailers
        ended = done is not None
        self._start(host, ended and not body and trailers is None)
        if body:
            whole = b"".join(body) if len(body) > 1 else body[0]
            if self.attempt is not None:
                self.attempt.encodeData(whole, ended and trailers is None)
        if trailers is not None and self.attempt is not None:
            self.attempt.encodeTrailers(trailers)

    def _endRetries(self) -> None:
        if self._retry is not None:
            self._retry.close()
            self._retry = None
        if self._retryCall is not None:
            self._retryCall.cancel()
            self._retryCall = None

    # Time.

    def _startPerTry(self, attempt: UpstreamRequest) -> None:
        attempt.perTryTimer = self.settings.queue(self._timeouts.perTry).add(self._perTryOver)

    def _timedOut(self) -> None:
        self._timer = None
        attempt = self.attempt
        if attempt is not None:
            self.attempt = None
            self.cluster.stats.upstream_rq_timeout.value += 1
            attempt.host.stats.rq_timeout.value += 1
            if attempt.awaitingHeaders:
                self._chargeAbort(504, attempt)
            attempt.cancel()
        self._abort(504, "UT", TIMEOUT, "response_timeout", False)

    def _perTryOver(self) -> None:
        self._attemptLate(
            self.cluster.stats.upstream_rq_per_try_timeout, "upstream_per_try_timeout"
        )

    def _attemptLate(self, counter: Any, details: str) -> None:
        attempt = self.attempt
        if attempt is None:
            return
        self.attempt = None
        attempt.perTryTimer = None
        counter.value += 1
        attempt.host.stats.rq_timeout.value += 1
        attempt.cancel()
        if self._retriesReset(attempt, Reset.LOCAL):
            return
        self._chargeAbort(504, attempt)
        self._abort(504, "UT", TIMEOUT, details, False)

    # Ends.

    def _noHost(self) -> None:
        self.info.raiseFlag("UH")
        self._charge(503, None)
        self._cleanUp()
        self.stream.sendLocalReply(503, NO_HEALTHY, "no_healthy_upstream", self._replyHeaders())

    def _abort(self, status: int, flag: str, body: bytes, details: str, dropped: bool) -> None:
        self.info.raiseFlag(flag)
        self._cleanUp()
        headers = self._replyHeaders()
        if dropped and not self.settings.suppressesHeaders:
            headers = (OVERLOADED, *headers)
        self.stream.sendLocalReply(status, body, details, headers)

    def _replyHeaders(self) -> tuple[tuple[bytes, bytes], ...]:
        if self.attempts and self._route.includeAttemptCountResponse:
            return ((_ATTEMPTS, b"%d" % self.attempts),)
        return ()

    def _chargeAbort(self, status: int, attempt: UpstreamRequest) -> None:
        if not self.responseStarted:
            self._charge(status, attempt.host)

    def _charge(self, status: int, host: Any) -> None:
        """Count an answer; host: that it comes from, None for none."""
        if not self.settings.dynamicStats or self.info.isHealthCheck:
            return
        self._codes.charge(status, self._internal)
        if host is not None and status >= 500:
            host.stats.rq_error.value += 1

    def _cleanUp(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._retry is not None:
            self._endRetries()
        self.body = None

    def streamEnded(self) -> None:
        attempt, self.attempt = self.attempt, None
        if attempt is not None:
            attempt.cancel()
        self._cleanUp()


def _rewriteHost(headers: HeaderMap, name: bytes, forwarded: bool) -> None:
    """The upstream host's own name for :authority."""
    old = headers.get(b":authority")
    if old == name:
        return
    if forwarded and old is not None:
        headers.add(b"x-forwarded-host", old)
    headers.set(b":authority", name)
