"""
The router of one request.

    event                        what happens
    decodeHeaders                cluster, times, host, pool: an attempt is started
    decodeData/Trailers          go to the attempt; kept while another attempt may need them
    attemptReady                 the attempt's stream is there: the headers as it shall have them
    attemptHeaders               the answer begins: retried, redirected, or passed on
    attemptReset, attemptLate    the attempt failed: retried, or answered here
    the route's time is over     the same, with 504
    streamEnded                  everything is let go of

Envoy: Router::Filter
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.asked import Asked, takeAsked
from twisted_envoy.extensions.filters.http.router.attempt import (
    DURATION,
    PER_TRY,
    UpstreamRequest,
)
from twisted_envoy.extensions.filters.http.router.choice import (
    answerWithoutUpstream,
    chooseHost,
    headersFor,
    poolFor,
    refused,
)
from twisted_envoy.extensions.filters.http.router.redirect import followRedirect
from twisted_envoy.extensions.filters.http.router.replies import (
    FLAGS,
    NO_HEALTHY,
    OVERLOADED,
    TIMEOUT,
    resetBody,
    resetDetails,
)
from twisted_envoy.extensions.filters.http.router.settings import RouterSettings
from twisted_envoy.extensions.filters.http.router.shadow import chosenMirrors, sendCopy
from twisted_envoy.extensions.filters.http.router.timeouts import setTimeoutHeaders, takeTimeouts
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.retry import EXHAUSTED, OVERFLOW, YES, newRetryState
from twisted_envoy.http.upgrade import isUpgrade, responseFromHTTP2
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.stream_info import UpstreamInfo

_SERVICE_TIME = b"x-envoy-upstream-service-time"
_ATTEMPTS = b"x-envoy-attempt-count"
_TIMEOUT_RETRY = b"x-envoy-is-timeout-retry"

_UNASKED = Asked()

_LATE = {
    PER_TRY: "upstream_per_try_timeout",
    DURATION: "upstream_max_stream_duration_reached",
}


class Router(HTTPFilter):
    """
    Terminal filter.

    Args:
        settings: of the router.

    Attributes:
        info: the request's. cluster: that it goes to, None before.
        attempt: the one under way, None while there is none; attempts: made so far.
        headers: of the request, for the upstream.
        body: chunks that another attempt or a copy may need, None when nothing is kept.
        responseStarted: something of an answer was passed on.
        asked: what the request's own headers ask for.
    """

    __slots__ = (
        "_codes",
        "_context",
        "_cookie",
        "_internal",
        "_mirrors",
        "_requestDone",
        "_retry",
        "_retryCall",
        "_route",
        "_timeouts",
        "_timer",
        "asked",
        "attempt",
        "attempts",
        "body",
        "bodySize",
        "cluster",
        "headers",
        "info",
        "responseStarted",
        "settings",
    )

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self.info: Any = None
        self.cluster: Any = None
        self.asked = _UNASKED
        self.attempt: UpstreamRequest | None = None
        self.attempts = self.bodySize = 0
        self.body: list[bytes] | None = None
        self.responseStarted = False
        self._cookie: bytes | None = None
        self._mirrors: tuple[Any, ...] = ()
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
        if refused(self, headers, name):
            return
        self._context = context = LoadBalancerContext(None, route.metadataMatch)
        if route.hashPolicy is not None:
            context.hashKey, self._cookie = route.hashPolicy(headers, info)
        host = cluster.chooseHost(context)
        pool = None if host is None else poolFor(self, host, route, headers)
        if pool is None:
            self._noHost()
            return
        self._prepare(route, headers, info)
        self._start(host, pool, endStream)
        if endStream:
            self._requestEnds()

    def _prepare(self, route: Any, headers: HeaderMap, info: Any) -> None:
        """Everything about the request that does not depend on the host."""
        settings = self.settings
        asked = takeAsked(headers)
        if asked is not None:
            self.asked = asked
        self._timeouts = timeouts = takeTimeouts(route, headers, settings.respectsExpected)
        expected = not settings.suppressesHeaders
        setTimeoutHeaders(timeouts, headers, 0.0, expected)
        if route.includeAttemptCountRequest:
            headers.set(_ATTEMPTS, b"1")
        route.finalizeRequest(headers, info, expected)
        self._retry = newRetryState(
            route.retryPolicy,
            headers,
            self.cluster,
            route.priority,
            settings.runtime,
            settings.random,
        )
        if route.mirrors:
            self._mirrors = chosenMirrors(route.mirrors, headers, settings.random)
        if self._retry is not None or self._mirrors or route.internalRedirect is not None:
            self.body = []

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        if self.settings.rejectsEarlyData and self._isEarly():
            self._cleanUp()
            self.stream.sendLocalReply(400, b"", "early_connect_data")
            return b""
        body = self.body
        if body is not None and data:
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

    def _isEarly(self) -> bool:
        return not self.responseStarted and self.headers.get(b":method") == b"CONNECT"

    def _bufferLimit(self) -> int:
        own = self._route.requestBufferLimit
        limit: int = self.stream.bufferLimit
        return limit if own is None else own

    def _giveUpBody(self) -> bool:
        """The body is too large to be kept: no retry. False: the request had to be answered."""
        self.cluster.stats.retry_or_shadow_abandoned.value += 1
        self.body = None
        self._mirrors = ()
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
        if self._mirrors:
            self._sendCopies()
        if timeouts.total and not self.stream.isTunnel:
            self._timer = settings.queue(timeouts.total).add(self._timedOut)
        if timeouts.perTry and attempt is not None:
            attempt.requestEnds(timeouts.perTry)

    def _sendCopies(self) -> None:
        body = b"".join(self.body or ())
        trailers = self.stream.requestTrailers
        total = self._timeouts.total
        for mirror in self._mirrors:
            sendCopy(self.settings, mirror, self.headers, body, trailers, self.info, total)

    # Attempts.

    def _start(self, host: Any, pool: Any, endStream: bool) -> None:
        self.attempts += 1
        info = self.info
        upstream = info.upstream
        info.attemptCount = upstream.attempts = self.attempts
        upstream.host = host
        upstream.hostsAttempted.append(addressText(host.address))
        if host.hostname:
            upstream.hostNamesAttempted.append(host.hostname)
        self.attempt = attempt = UpstreamRequest(self, host)
        attempt.start(pool, endStream)

    def attemptReady(self, attempt: UpstreamRequest, connection: Any) -> HeaderMap:
        """The attempt has a stream: what is known of it, and the headers that it shall send."""
        settings = self.settings
        info = self.info
        info.upstreamProtocol = protocol = connection.protocol
        upstream = info.upstream
        upstream.localAddress = connection.localAddress
        upstream.remoteAddress = connection.remoteAddress
        upstream.connectionID = number = connection.connectionID
        upstream.connectionIDsAttempted.append(number)
        upstream.connectedTime = connection.connectedTime
        info.firstUpstreamByteSentTime = settings.seconds()
        timeouts = self._timeouts
        duration = self.asked.duration
        if duration is None:
            http = self.cluster.http
            duration = 0.0 if http is None else http.settings.common.maxStreamDuration or 0.0
        if timeouts.perTry or timeouts.perTryIdle or duration:
            attempt.startTimers(timeouts, duration, self._requestDone is not None)
        if settings.logs:
            attempt.startRecords()
        return headersFor(self.headers, self._route, attempt.host, protocol)

    def attemptInterim(self, attempt: UpstreamRequest, headers: HeaderMap) -> None:
        """1xx: passed on, and no retry any more."""
        self.charge(int(headers[b":status"]), None)
        self.responseStarted = True
        self._endRetries()
        self.stream.encode1xx(headers)

    def attemptHeaders(self, attempt: UpstreamRequest, headers: HeaderMap, endStream: bool) -> None:
        """The answer begins."""
        info = self.info
        info.firstUpstreamByteReceivedTime = now = self.settings.seconds()
        status = int(headers[b":status"])
        if self._retry is not None and self._retries(attempt, headers, status, endStream):
            return
        route = self._route
        if route.internalRedirect is not None and followRedirect(self, route, headers, status):
            self.attempt = None
            attempt.cancel()
            self._cleanUp()
            return
        stream: Any = self.stream
        if stream.isTunnel and self._upgrades(attempt, headers, status):
            return
        done = self._requestDone
        if done is not None and not self.settings.suppressesHeaders:
            headers.set(_SERVICE_TIME, b"%d" % ((now - done) * 1000))
        if route.includeAttemptCountResponse:
            headers.set(_ATTEMPTS, b"%d" % self.attempts)
        self.charge(status, attempt.host)
        if status < 500:
            attempt.host.stats.rq_success.value += 1
        if self._cookie is not None:
            headers.add(b"set-cookie", self._cookie)
        info.responseCodeDetails = "via_upstream"
        route.finalizeResponse(headers, info)
        self.responseStarted = True
        if endStream:
            self.attemptCompleted(attempt)
        else:
            stream.registerProducer(attempt)
        stream.encodeHeaders(headers, endStream)

    def _upgrades(self, attempt: UpstreamRequest, headers: HeaderMap, status: int) -> bool:
        """Spell the answer to an upgrade as HTTP/1.1 does; True: it was none and is refused."""
        request = self.headers
        if not isUpgrade(request):
            return False
        if self.info.upstreamProtocol == "HTTP/2":
            responseFromHTTP2(headers, request[b"upgrade"])
        elif 200 <= status < 300 and request[b"upgrade"].lower() == b"websocket":
            self.attempt = None
            self.charge(status, attempt.host)
            attempt.cancel()
            self._cleanUp()
            dropped = (b":status", b"content-length", b"transfer-encoding")
            more = tuple(pair for pair in headers.pairs() if pair[0] not in dropped)
            self.stream.sendLocalReply(status, b"", "websocket_handshake_unsuccessful", more)
            return True
        return False

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

    def attemptFailed(self, attempt: UpstreamRequest, reason: Reset, failure: str) -> None:
        """The attempt had no connection."""
        self.info.upstream.transportFailureReason = failure
        self.attemptReset(attempt, reason, failure)

    def attemptReset(self, attempt: UpstreamRequest, reason: Reset, failure: str) -> None:
        """The attempt was reset by the upstream."""
        self.attempt = None
        if self._retriesReset(attempt, reason, False):
            return
        status = 502 if reason is Reset.PROTOCOL_ERROR else 503
        self._chargeAbort(status, attempt)
        details = resetDetails(reason, failure, self.responseStarted)
        said = "" if self.settings.hidesReason() else failure
        body = resetBody(reason, said, self.attempts > 1)
        self._abort(status, FLAGS[reason], body, details, reason is Reset.OVERFLOW)

    def attemptLate(self, attempt: UpstreamRequest, timer: int) -> None:
        """One of the attempt's timers is over: PER_TRY, PER_TRY_IDLE or DURATION."""
        stats = self.cluster.stats
        self.attempt = None
        attempt.cancel()
        if timer == DURATION:
            stats.upstream_rq_max_duration_reached.value += 1
            if not self._retriesReset(attempt, Reset.LOCAL, False):
                body = b"upstream max stream duration reached"
                self._abort(408, "UMSDR", body, _LATE[timer], False)
            return
        attempt.host.stats.rq_timeout.value += 1
        if timer == PER_TRY:
            stats.upstream_rq_per_try_timeout.value += 1
        else:
            stats.upstream_rq_per_try_idle_timeout.value += 1
        if not self._retriesReset(attempt, Reset.LOCAL, True):
            self._abortLate(attempt, _LATE.get(timer, "upstream_per_try_idle_timeout"))

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
            self._wait(attempt, False)
            return True
        self._flagVerdict(verdict)
        self._endRetries()
        return False

    def _retriesReset(self, attempt: UpstreamRequest, reason: Reset, late: bool) -> bool:
        """Whether the failure makes another attempt; late: it was a time-out."""
        if self.responseStarted or self._retry is None:
            return False
        verdict = self._retry.wasReset(reason, attempt.sent)
        if verdict == YES:
            attempt.host.stats.rq_error.value += 1
            self._wait(attempt, late)
            return True
        self._flagVerdict(verdict)
        return False

    def _flagVerdict(self, verdict: int) -> None:
        if verdict == EXHAUSTED:
            self.info.raiseFlag("URX")
        elif verdict == OVERFLOW:
            self.info.raiseFlag("UO")

    def _wait(self, attempt: UpstreamRequest, late: bool) -> None:
        self._context.tried.append(attempt.host)
        if self._route.includeIsTimeoutRetry:
            self.headers.set(_TIMEOUT_RETRY, b"true" if late else b"false")
        self._retryCall = self.settings.reactor.callLater(self._retry.wait(), self._again)

    def _again(self) -> None:
        """The back-off is over."""
        self._retryCall = None
        settings = self.settings
        headers = self.headers
        route = self._route
        host = chooseHost(self.cluster, self._context, self._retry.policy)
        pool = None if host is None else poolFor(self, host, route, headers)
        if pool is None:
            self.attempts += 1
            self.info.attemptCount = self.attempts
            self._noHost()
            return
        if route.includeAttemptCountRequest:
            headers.set(_ATTEMPTS, b"%d" % (self.attempts + 1))
        done = self._requestDone
        elapsed = 0.0 if done is None else settings.seconds() - done
        setTimeoutHeaders(self._timeouts, headers, elapsed, not settings.suppressesHeaders)
        body = b"".join(self.body or ())
        trailers = self.stream.requestTrailers
        ended = done is not None
        self._start(host, pool, ended and not body and trailers is None)
        if body and self.attempt is not None:
            self.attempt.encodeData(body, ended and trailers is None)
        if trailers is not None and self.attempt is not None:
            self.attempt.encodeTrailers(trailers)

    def _endRetries(self) -> None:
        if self._retry is not None:
            self._retry.close()
            self._retry = None
        if self._retryCall is not None:
            self._retryCall.cancel()
            self._retryCall = None

    # Ends.

    def _timedOut(self) -> None:
        self._timer = None
        attempt, self.attempt = self.attempt, None
        if attempt is not None:
            self.cluster.stats.upstream_rq_timeout.value += 1
            attempt.host.stats.rq_timeout.value += 1
            attempt.cancel()
        self._abortLate(attempt, "response_timeout")

    def _abortLate(self, attempt: UpstreamRequest | None, details: str) -> None:
        status = self.asked.lateStatus
        if attempt is not None and attempt.awaitingHeaders:
            self._chargeAbort(status, attempt)
        self._abort(status, "UT", TIMEOUT if status == 504 else b"", details, False)

    def _noHost(self) -> None:
        self.info.raiseFlag("UH")
        self.charge(503, None)
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
            self.charge(status, attempt.host)
            if status < 500:
                attempt.host.stats.rq_error.value += 1

    def charge(self, status: int, host: Any) -> None:
        """Count an answer; host: that it comes from, None for none."""
        if not self.settings.dynamicStats or self.info.isHealthCheck:
            return
        self._codes.charge(status, self._internal)
        if self.asked.altStat:
            self._codes.chargeUnder(self.asked.altStat, status)
        if self.info.virtualClusterName:
            name = self._route.virtualHost.name
            self._codes.chargeVirtualCluster(name, self.info.virtualClusterName, status)
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
