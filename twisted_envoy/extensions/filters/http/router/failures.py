"""
The upstream did not answer, or not to the end: another attempt, a local reply, or a reset.

    reason                            status  body                         flag
    the pool or stream failed         503     upstream connect error ...   of the reset's reason
    the same, protocol error          502     the same                     UPE
    route time-out, per-try time-out  504     upstream request timeout     UT
    max_stream_duration               504     upstream max stream ...      UMSDR
    no host, no pool                  503     no healthy upstream          UH

Envoy: Router::Filter::onUpstreamReset, onResponseTimeout, onPerTryTimeoutCommon
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.outcome import failed
from twisted_envoy.extensions.filters.http.router.replies import (
    FLAGS,
    NO_HEALTHY,
    OVERLOADED,
    TIMEOUT,
    resetBody,
    resetDetails,
)
from twisted_envoy.extensions.filters.http.router.retries import (
    ATTEMPTS,
    answerRaised,
    resetRetried,
)

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.attempt import UpstreamRequest
    from twisted_envoy.extensions.filters.http.router.filter import Router

PER_TRY = 1
"""The answer's headers took too long."""
PER_TRY_IDLE = 2
"""Nothing came from the upstream for too long."""
DURATION = 3
"""The upstream stream lasted too long."""


def attemptFailed(router: Router, attempt: UpstreamRequest, reason: Reset, failure: str) -> None:
    """The attempt had no connection."""
    upstream = router.info.upstream
    upstream.transportFailureReason = failure
    if reason is Reset.OVERFLOW:
        upstream.host = None
    attemptReset(router, attempt, reason, failure)


def attemptReset(router: Router, attempt: UpstreamRequest, reason: Reset, failure: str) -> None:
    """The attempt was reset by the upstream; whatever raises, the request is answered."""
    router.attempt = None
    try:
        _retryOrAnswer(router, attempt, reason, failure)
    except Exception:
        answerRaised(router)


def _retryOrAnswer(router: Router, attempt: UpstreamRequest, reason: Reset, failure: str) -> None:
    failed(attempt.host, reason)
    if resetRetried(router, attempt, reason, False):
        return
    status = 502 if reason is Reset.PROTOCOL_ERROR else 503
    told = getattr(attempt.passthrough, "tunnelResponse", None)
    if told is not None:  # an internal listener's TCP proxy could not open its tunnel
        status = told.status
    _chargeAbort(router, attempt, status)
    details = resetDetails(reason, failure, router.responseStarted)
    said = "" if router.settings.hidesReason() else failure
    body = resetBody(reason, said, router.attempts > 1)
    _abort(router, status, FLAGS[reason], body, details, reason is Reset.OVERFLOW)


def attemptLate(router: Router, attempt: UpstreamRequest, timer: int) -> None:
    """One of the attempt's timers is over: PER_TRY, PER_TRY_IDLE or DURATION."""
    stats = router.cluster.stats
    router.attempt = None
    attempt.cancel()
    if timer == DURATION:
        stats.upstream_rq_max_duration_reached.value += 1
        if not resetRetried(router, attempt, Reset.LOCAL, False):
            body = b"upstream max stream duration reached"
            _abort(router, 504, "UMSDR", body, "upstream_max_stream_duration_reached")
        return
    attempt.host.stats.rq_timeout.value += 1
    if attempt.host.monitor is not None:
        attempt.host.monitor.timedOut(router.asked.lateStatus)
    if timer == PER_TRY:
        stats.upstream_rq_per_try_timeout.value += 1
        details = "upstream_per_try_timeout"
    else:
        stats.upstream_rq_per_try_idle_timeout.value += 1
        details = "upstream_per_try_idle_timeout"
    if not resetRetried(router, attempt, Reset.LOCAL, True):
        _chargeAbort(router, attempt, router.asked.lateStatus)
        _abortLate(router, details)


def timedOut(router: Router) -> None:
    """The route's time is over."""
    router.timer = None
    attempt, router.attempt = router.attempt, None
    if attempt is not None:
        router.cluster.stats.upstream_rq_timeout.value += 1
        for group in router.groups:
            group.upstream_rq_timeout.value += 1
        attempt.host.stats.rq_timeout.value += 1
        attempt.cancel()
        if attempt.awaitingHeaders:
            if attempt.host.monitor is not None:
                attempt.host.monitor.timedOut(router.asked.lateStatus)
            _chargeAbort(router, attempt, router.asked.lateStatus)
    _abortLate(router, "response_timeout")


def noHost(router: Router) -> None:
    """There is nobody to ask."""
    info = router.info
    router.attempts = info.attemptCount = max(router.attempts, 1)
    info.raiseFlag("UH")
    router.charge(503, None)
    router.cleanUp()
    headers = replyHeaders(router)
    router.stream.sendLocalReply(503, NO_HEALTHY, "no_healthy_upstream", headers)


def bodyTooLarge(router: Router) -> None:
    """The body cannot be kept until the next attempt."""
    router.cleanUp()
    router.stream.sendLocalReply(
        507,
        b"exceeded request buffer limit while retrying upstream",
        "request_payload_exceeded_retry_buffer_limit",
        replyHeaders(router),
    )


def replyHeaders(router: Router) -> tuple[tuple[bytes, bytes], ...]:
    """What the router adds to its local replies."""
    if router.attempts and router.route.includeAttemptCountResponse:
        return ((ATTEMPTS, b"%d" % router.attempts),)
    return ()


def _abortLate(router: Router, details: str) -> None:
    status = router.asked.lateStatus
    _abort(router, status, "UT", TIMEOUT if status == 504 else b"", details)


def _abort(
    router: Router, status: int, flag: str, body: bytes, details: str, dropped: bool = False
) -> None:
    router.info.raiseFlag(flag)
    router.cleanUp()
    headers = replyHeaders(router)
    if dropped and not router.settings.suppressesHeaders:
        headers = (OVERLOADED, *headers)
    router.stream.sendLocalReply(status, body, details, headers)


def _chargeAbort(router: Router, attempt: UpstreamRequest, status: int) -> None:
    if not router.responseStarted:
        router.charge(status, attempt.host)
        if status < 500:
            attempt.host.stats.rq_error.value += 1
