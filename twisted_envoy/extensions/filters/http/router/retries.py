"""
Another attempt: whether there is one, when, and how it begins.

Envoy: Router::Filter::maybeRetryReset, doRetry
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.choice import chooseHost, poolFor
from twisted_envoy.extensions.filters.http.router.timeouts import setTimeoutHeaders
from twisted_envoy.http.retry import EXHAUSTED, OVERFLOW, YES

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.attempt import UpstreamRequest
    from twisted_envoy.extensions.filters.http.router.filter import Router

ATTEMPTS = b"x-envoy-attempt-count"

_log = Logger("router")

_TIMEOUT_RETRY = b"x-envoy-is-timeout-retry"


def answerRetried(
    router: Router, attempt: UpstreamRequest, headers: HeaderMap, status: int, endStream: bool
) -> bool:
    """Whether the answer makes another attempt; the attempt is over then."""
    verdict = router.retry.answered(headers, status, router.settings.wallClock())
    if verdict == YES:
        attempt.host.stats.rq_error.value += 1
        if router.settings.dynamicStats:
            router.codes.chargeUnder("retry.", status)
        router.attempt = None
        if endStream and router.requestDone is not None:
            attempt.complete(True)
        else:
            attempt.cancel()
        _wait(router, attempt, False)
        return True
    _flag(router, verdict)
    router.endRetries()
    return False


def resetRetried(router: Router, attempt: UpstreamRequest, reason: Reset, late: bool) -> bool:
    """Whether the failure makes another attempt; late: it was a time-out."""
    if router.responseStarted or router.retry is None:
        return False
    verdict = router.retry.wasReset(reason, attempt.sent)
    if verdict == YES:
        attempt.host.stats.rq_error.value += 1
        _wait(router, attempt, late)
        return True
    _flag(router, verdict)
    return False


def _flag(router: Router, verdict: int) -> None:
    if verdict == EXHAUSTED:
        router.info.raiseFlag("URX")
    elif verdict == OVERFLOW:
        router.info.raiseFlag("UO")


def _wait(router: Router, attempt: UpstreamRequest, late: bool) -> None:
    router.context.tried.append(attempt.host)
    if router.route.includeIsTimeoutRetry:
        router.headers.set(_TIMEOUT_RETRY, b"true" if late else b"false")
    delay = router.retry.wait()
    router.retryCall = router.settings.reactor.callLater(delay, _again, router)


def _again(router: Router) -> None:
    """The back-off is over."""
    router.retryCall = None
    try:
        _tryAgain(router)
    except Exception:
        answerRaised(router)


def answerRaised(router: Router) -> None:
    """Something of ours, or of an extension, raised between two attempts: answer the request."""
    _log.failure("the router raised; the request is answered")
    router.cleanUp()
    router.stream.sendLocalReply(500, b"", "filter_raised")


def _tryAgain(router: Router) -> None:
    settings = router.settings
    headers = router.headers
    route = router.route
    policy, context = router.retry.policy, router.context
    if policy.newPriority is not None and context.priorities is None:
        context.priorities = policy.newPriority(context.tried)
    host = chooseHost(router.cluster, context, policy)
    pool = None if host is None else poolFor(router, host, route, headers)
    if pool is None:
        router.attempts += 1
        router.noHost()
        return
    if route.includeAttemptCountRequest:
        headers.set(ATTEMPTS, b"%d" % (router.attempts + 1))
    done = router.requestDone
    elapsed = 0.0 if done is None else settings.seconds() - done
    setTimeoutHeaders(router.timeouts, headers, elapsed, not settings.suppressesHeaders)
    body = b"".join(router.body or ())
    trailers: Any = router.stream.requestTrailers
    ended = done is not None
    router.start(host, pool, ended and not body and trailers is None)
    if body and router.attempt is not None:
        router.attempt.encodeData(body, ended and trailers is None)
    if trailers is not None and router.attempt is not None:
        router.attempt.encodeTrailers(trailers)
