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
from twisted_envoy.codec.http import CODES
from twisted_envoy.extensions.filters.http.router.asked import Asked
from twisted_envoy.extensions.filters.http.router.attempt import UpstreamRequest
from twisted_envoy.extensions.filters.http.router.carrier import carrierOf
from twisted_envoy.extensions.filters.http.router.choice import (
    answerWithoutUpstream,
    headersFor,
    notForwarded,
    poolFor,
    refused,
)
from twisted_envoy.extensions.filters.http.router.failures import bodyTooLarge, noHost, timedOut
from twisted_envoy.extensions.filters.http.router.plans import readyOf, replyAtOnce, sendPlainly
from twisted_envoy.extensions.filters.http.router.redirect import redirected
from twisted_envoy.extensions.filters.http.router.replies import upgradeRefused
from twisted_envoy.extensions.filters.http.router.retries import ATTEMPTS, answerRetried
from twisted_envoy.extensions.filters.http.router.server_names import nameServer
from twisted_envoy.extensions.filters.http.router.settings import RouterSettings
from twisted_envoy.extensions.filters.http.router.shadow import chosenMirrors, sendCopy
from twisted_envoy.extensions.filters.http.router.stats import chargeAnswer, groupsOf, recordTime
from twisted_envoy.extensions.filters.http.router.timeouts import Timeouts
from twisted_envoy.extensions.filters.http.router.wishes import WISHES, takeWishes
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.retry import newRetryState
from twisted_envoy.http.routes.entry import noResponseEdits
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.stream_info import UpstreamInfo

_SERVICE_TIME = b"x-envoy-upstream-service-time"

_UNASKED = Asked()


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
        asked: what the request's own headers ask for. internal: it came from inside.
        requestDone: seconds when all of it was there, None before.
        retry, retryCall: the RetryState, None for none; the timer of the next attempt.
        route, timeouts, context, codes: of the request, set with cluster.
        groups: that count it beside its cluster, each a GroupStats.
        timer: of the route's time-out.
    """

    __slots__ = (
        *("_cookie", "_mirrors", "asked"),
        "attempt",
        "attempts",
        "body",
        "bodySize",
        "cluster",
        "codes",
        "context",
        "groups",
        "headers",
        "info",
        "internal",
        "requestDone",
        "responseStarted",
        "retry",
        "retryCall",
        "route",
        "settings",
        "timeouts",
        "timer",
    )

    timeouts: Timeouts
    readyReply, carrier = readyOf, carrierOf

    def __init__(self, settings: RouterSettings) -> None:
        self.settings = settings
        self.info: Any = None
        self.cluster: Any = None
        self.asked = _UNASKED
        self.internal = False
        self.groups: tuple[Any, ...] = ()
        self.attempt: UpstreamRequest | None = None
        self.attempts = self.bodySize = 0
        self.body: list[bytes] | None = None
        self.responseStarted = False
        self._cookie: bytes | None = None
        self._mirrors: tuple[Any, ...] = ()
        self.retry: Any = None
        self.retryCall: Any = None
        self.timer: Any = None
        self.requestDone: float | None = None

    # The request.

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        settings = self.settings
        stream: Any = self.stream
        route = stream.route
        settings.stats.rq_total.value += 1
        self.info = stream.streamInfo
        self.headers = headers
        plan = settings.plans.get(route) or settings.planOf(route)
        if plan.reply is not None and replyAtOnce(self, plan.reply, headers):
            return
        if plan.isPlain and not stream.isTunnel and WISHES.isdisjoint(headers):
            if not settings.runtime.values or plan.maintenance not in settings.runtime.values:
                sendPlainly(self, plan, headers, endStream)
                return
        self._decode(route, headers, endStream)

    def _decode(self, route: Any, headers: HeaderMap, endStream: bool) -> None:
        """Of a request that may ask for anything, on a route that may say anything."""
        settings = self.settings
        stream: Any = self.stream
        info = self.info
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
        self.route = route
        self.cluster = cluster
        self.codes = settings.codes.of(cluster)
        self.groups = groupsOf(route, headers, info)
        self.internal = headers.get(b"x-envoy-internal") == b"true"
        info.upstream = upstream = UpstreamInfo(name)
        upstream.cluster = cluster
        if refused(self, headers, name):
            return
        self.context = context = LoadBalancerContext(None, route.metadataMatch, info, headers)
        if route.hashPolicy is not None:
            context.hashKey, self._cookie = route.hashPolicy(headers, info)
        host = cluster.chooseHost(context)
        if host is not None and notForwarded(self):
            return
        names = None if cluster.http is None else cluster.http.settings.serverNames
        if names is not None:
            self._prepare(route, headers, info)
            nameServer(names, headers, info)
        pool = None if host is None else poolFor(self, host, route, headers)
        if pool is None:
            noHost(self)
            return
        if names is None:
            self._prepare(route, headers, info)
        self.start(host, pool, endStream)
        if endStream:
            self.requestEnds()
        elif stream.isTunnel and info.upgradeProtocol == "websocket" and self.timeouts.total:
            self.timer = settings.queue(self.timeouts.total).add(self._timedOut)

    def _prepare(self, route: Any, headers: HeaderMap, info: Any) -> None:
        """Everything about the request that does not depend on the host."""
        settings = self.settings
        takeWishes(self, route, headers)
        if route.includeAttemptCountRequest:
            headers.set(ATTEMPTS, b"1")
        route.finalizeRequest(headers, info, not settings.suppressesHeaders)
        shared = (self.cluster, route.priority, settings.runtime, settings.random)
        self.retry = newRetryState(route.retryPolicy, headers, *shared, self.groups)
        if route.mirrors:
            self._mirrors = chosenMirrors(route.mirrors, headers, settings.random)
        if self.retry is not None or self._mirrors or route.internalRedirect is not None:
            self.body = []

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        if self.settings.rejectsEarlyData and self._isEarly():
            self.streamEnded()
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
            self.requestEnds()
        return b""

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self.attempt is not None:
            self.attempt.encodeTrailers(trailers)
        self.requestEnds()

    def _isEarly(self) -> bool:
        return not self.responseStarted and self.headers.get(b":method") == b"CONNECT"

    def _bufferLimit(self) -> int:
        own = self.route.requestBufferLimit
        limit: int = self.stream.bufferLimit
        return limit if own is None else own

    def _giveUpBody(self) -> bool:
        """The body is too large to be kept: no retry. False: the request had to be answered."""
        self.cluster.stats.retry_or_shadow_abandoned.value += 1
        self.body = None
        self._mirrors = ()
        waiting = self.retryCall is not None
        self.endRetries()
        if waiting:
            bodyTooLarge(self)
        return not waiting

    def requestEnds(self) -> None:
        """All of the request is there."""
        if self.requestDone is not None or self.cluster is None:
            return
        settings = self.settings
        self.requestDone = settings.seconds()
        attempt = self.attempt
        if attempt is None and self.retryCall is None:
            return
        timeouts = self.timeouts
        if self._mirrors:
            self._sendCopies()
        if timeouts.total and not self.stream.isTunnel:
            queue = settings.queues.get(timeouts.total) or settings.queue(timeouts.total)
            self.timer = queue.add(self._timedOut, self.requestDone)
        if timeouts.perTry and attempt is not None:
            attempt.requestEnds(timeouts.perTry)

    def _sendCopies(self) -> None:
        body = b"".join(self.body or ())
        trailers = self.stream.requestTrailers
        total = self.timeouts.total
        for mirror in self._mirrors:
            sendCopy(self.settings, mirror, self.headers, body, trailers, self.info, total)

    # Attempts.

    def start(self, host: Any, pool: Any, endStream: bool) -> None:
        self.attempts += 1
        info = self.info
        upstream = info.upstream
        info.attemptCount = upstream.attempts = self.attempts
        upstream.host, upstream.connection, upstream.made = host, None, ()
        info.upstreamProtocol = ""
        self.attempt = attempt = UpstreamRequest(self, host)
        attempt.start(pool, endStream)

    def attemptReady(self, attempt: UpstreamRequest, connection: Any) -> HeaderMap:
        """The attempt has a stream: what is known of it, and the headers that it shall send."""
        settings = self.settings
        info = self.info
        info.upstreamProtocol = protocol = connection.protocol
        upstream = info.upstream
        upstream.connection = connection
        upstream.made = ((attempt.host, connection),)
        if self.attempts > 1:
            upstream.transportFailureReason = ""  # of an attempt before
        info.firstUpstreamByteSentTime = settings.seconds()
        timeouts = self.timeouts
        duration = self.asked.duration
        if duration is None:
            http = self.cluster.http
            duration = 0.0 if http is None else http.settings.common.maxStreamDuration or 0.0
        if timeouts.perTry or timeouts.perTryIdle or duration:
            attempt.startTimers(timeouts, duration, self.requestDone is not None)
        if settings.logs:
            attempt.startRecords()
        for group in self.groups:
            group.upstream_rq_total.value += 1
        if self.route.autoHostRewrite or protocol == "HTTP/2":
            return headersFor(self.headers, self.route, attempt.host, protocol)
        return self.headers

    def attemptInterim(self, attempt: UpstreamRequest, headers: HeaderMap) -> None:
        """1xx: the first is passed on, and no retry any more."""
        if self.responseStarted:
            return
        self.charge(int(headers[b":status"]), None)
        self.responseStarted = True
        self.endRetries()
        self.stream.encode1xx(headers)

    def attemptHeaders(self, attempt: UpstreamRequest, headers: HeaderMap, endStream: bool) -> None:
        """The answer begins."""
        info = self.info
        info.firstUpstreamByteReceivedTime = now = self.settings.seconds()
        text = headers[b":status"]
        status = CODES.get(text) or int(text)
        if self.retry is not None and answerRetried(self, attempt, headers, status, endStream):
            return
        route = self.route
        if route.internalRedirect is not None and redirected(self, headers, status, endStream):
            return
        stream: Any = self.stream
        if stream.isTunnel:
            if upgradeRefused(self, attempt, headers, status):
                return
            status = int(headers[b":status"])
        done = self.requestDone
        if done is not None and not self.settings.suppressesHeaders:
            headers[_SERVICE_TIME] = b"%d" % int((now - done) * 1000)
            if headers.more is not None:
                headers.more.pop(_SERVICE_TIME, None)
        if self.settings.dynamicStats and not info.isHealthCheck:
            chargeAnswer(self, status, attempt.host, headers)
        if status < 500:
            attempt.host.stats.rq_success.value += 1
        if self._cookie is not None:
            headers.add(b"set-cookie", self._cookie)
        info.responseCode = status
        info.responseCodeDetails = "via_upstream"
        info.responseHeaders = headers  # for formats in what is added
        if route.finalizeResponse is not noResponseEdits:
            route.finalizeResponse(headers, info)
        if route.includeAttemptCountResponse:
            headers.set(ATTEMPTS, b"%d" % self.attempts)
        self.responseStarted = True
        if endStream:
            self.attemptCompleted(attempt, now)
        else:
            stream.registerProducer(attempt)
        stream.encodeHeaders(headers, endStream)

    def attemptCompleted(self, attempt: UpstreamRequest, now: float) -> None:
        """The last of the answer is about to be passed on."""
        self.info.lastUpstreamByteReceivedTime = now
        done = self.requestDone
        attempt.complete(done is not None)
        self.attempt = None
        if done is not None and self.settings.dynamicStats and not self.info.isHealthCheck:
            recordTime(self, int((now - done) * 1000), attempt.host)
        self.cleanUp()

    # Ends.

    def _timedOut(self) -> None:
        timedOut(self)

    def noHost(self) -> None:
        """There is nobody to ask."""
        noHost(self)

    def endRetries(self) -> None:
        """No further attempt."""
        if self.retry is not None:
            self.retry.close()
            self.retry = None
        if self.retryCall is not None:
            self.retryCall.cancel()
            self.retryCall = None

    def charge(self, status: int, host: Any) -> None:
        """Count an answer; host: that it comes from, None for none."""
        if self.settings.dynamicStats and not self.info.isHealthCheck:
            chargeAnswer(self, status, host)

    def cleanUp(self) -> None:
        """Nothing more is tried, and no time counts any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.retry is not None:
            self.endRetries()
        self.body = None

    def streamEnded(self) -> None:
        attempt = self.attempt
        if attempt is not None:
            self.attempt = None
            attempt.cancel()
        if self.timer is not None or self.retry is not None or self.retryCall is not None:
            self.cleanUp()
        self.body = None
