"""
Whether a request is tried again, and when: decisions and counters, no timers and no transports.

    state       event                             next
    idle        answer or reset to be retried     waiting: wait() seconds, one of `retries` taken
    waiting     the time is over: again()         idle, and the one is still taken
    idle        the next answer or reset          the one is given back, then as above
    any         close()                           the one is given back

Envoy: Router::RetryStateImpl
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.http.numbers import UINT32, wholeNumber
from twisted_envoy.http.retry_conditions import (
    ALL_CONDITIONS,
    ANY_GRPC,
    CONNECT_FAILURE,
    ENVOY_RATE_LIMITED,
    GATEWAY_ERROR,
    GRPC_CONDITIONS,
    GRPC_STATUS_CONDITIONS,
    HTTP_CONDITIONS,
    REFUSED_STREAM,
    RESET,
    RESET_BEFORE_REQUEST,
    RETRIABLE_4XX,
    RETRIABLE_HEADERS,
    RETRIABLE_STATUS_CODES,
    RETRY_5XX,
    conditionsOf,
    listed,
)
from twisted_envoy.http.routes.group_stats import GroupStats
from twisted_envoy.http.routes.retry import RateLimitedBackOff, RetrySettings

NO = 0
"""It is not to be retried."""
YES = 1
"""It is: after RetryState.wait() seconds."""
EXHAUSTED = 2
"""It would be, but it was tried often enough (flag URX)."""
OVERFLOW = 3
"""It would be, but too many retries are under way (flag UO)."""

NO_POLICY = RetrySettings()

_CONNECT_FAILURES = frozenset(
    (
        Reset.LOCAL_CONNECTION_FAILURE,
        Reset.REMOTE_CONNECTION_FAILURE,
        Reset.CONNECTION_TIMEOUT,
    )
)

RETRY_HEADERS = (
    b"x-envoy-retry-on",
    b"x-envoy-retry-grpc-on",
    b"x-envoy-max-retries",
    b"x-envoy-hedge-on-per-try-timeout",
    b"x-envoy-retriable-header-names",
    b"x-envoy-retriable-status-codes",
    b"x-envoy-upstream-rq-per-try-timeout-ms",
)


class RetryResources(Protocol):
    """What of a cluster retries need: circuit_breaker.Resource or a retry budget."""

    full: bool

    def take(self) -> None: ...

    def give(self) -> None: ...


class Random(Protocol):
    """A random.Random."""

    def random(self) -> float: ...


def newRetryState(
    policy: RetrySettings | None,
    headers: HeaderMap,
    cluster: Any,
    priority: str,
    runtime: Any,
    random: Random,
    groups: tuple[GroupStats, ...] = (),
) -> RetryState | None:
    """
    What decides about one request; None when it is never retried.

    The headers that ask for retries are taken out of the request.

    Args:
        cluster: has `stats`, and `retryResources(priority)` or circuit breakers.
        runtime: server.Runtime.
        groups: count retries beside the cluster.
    """
    state = None
    if (
        (policy is not None and policy.on)
        or b"x-envoy-retry-on" in headers
        or b"x-envoy-retry-grpc-on" in headers
    ):
        resources = cluster.priorities[priority].retries
        state = RetryState(policy or NO_POLICY, headers, cluster.stats, resources, runtime, random)
        state.groups = groups
        if not state.on:
            state = None
    for name in RETRY_HEADERS:
        if name in headers:
            headers.remove(name)
    return state


class RetryState:
    """
    Of one request; see newRetryState.

    Attributes:
        on: the conditions, as bits.
        remaining: retries that are left.
        policy: where it comes from.
    """

    __slots__ = (
        "_base",
        "_bound",
        "_fixedWait",
        "_most",
        "_random",
        "_resources",
        "_retried",
        "_runtime",
        "_stats",
        "_taken",
        "groups",
        "headers",
        "on",
        "policy",
        "remaining",
        "statusCodes",
    )

    def __init__(
        self,
        policy: RetrySettings,
        headers: HeaderMap,
        stats: Any,
        resources: RetryResources,
        runtime: Any,
        random: Random,
    ) -> None:
        self.policy = policy
        self._stats = stats
        self.groups: tuple[GroupStats, ...] = ()
        self._resources = resources
        self._runtime = runtime
        self._random = random
        self._taken = self._retried = False
        self._fixedWait: float | None = None
        self._base = self._bound = self._most = 0.0
        self.on = conditionsOf(policy.on, ALL_CONDITIONS)
        self.remaining = policy.numRetries
        self.statusCodes = policy.statusCodes
        self.headers: tuple[Callable[[HeaderMap], bool], ...] = policy.headers
        self._obeyHeaders(headers)

    def _obeyHeaders(self, headers: HeaderMap) -> None:
        """What the request itself asks for."""
        on = headers.get(b"x-envoy-retry-on")
        if on is not None:
            self.on |= conditionsOf(listed(on), HTTP_CONDITIONS)
        on = headers.get(b"x-envoy-retry-grpc-on")
        if on is not None:
            self.on |= conditionsOf(listed(on), GRPC_CONDITIONS)
        wanted = self.policy.requestHeaders
        if wanted and not any(match(headers) for match in wanted):
            self.on = 0
        most = headers.get(b"x-envoy-max-retries")
        if most is not None:
            number = wholeNumber(most, UINT32)
            self.remaining = self.remaining if number is None else number
        codes = headers.get(b"x-envoy-retriable-status-codes")
        if codes is not None:
            found = [wholeNumber(one, UINT32) for one in codes.split(b",")]
            self.statusCodes = self.statusCodes | {one for one in found if one is not None}
        names = headers.get(b"x-envoy-retriable-header-names")
        if names is not None:
            self.headers = (
                *self.headers,
                *(_presence(one.strip().lower()) for one in names.split(b",")),
            )

    # Decisions.

    def answered(self, response: HeaderMap, status: int, now: float) -> int:
        """
        A response has come.

        Args:
            now: seconds since the epoch, for reset headers.
        Returns:
            NO, YES, EXHAUSTED or OVERFLOW.
        """
        again = self._wantsAgain(response, status)
        if again and self.policy.rateLimitedBackOff is not None:
            self._fixedWait = _resetInterval(self.policy.rateLimitedBackOff, response, now)
        return self._decide(again)

    def wasReset(self, reason: Reset, started: bool) -> int:
        """
        The request failed without a response.

        Args:
            started: something of the request was sent.
        Returns:
            NO, YES, EXHAUSTED or OVERFLOW.
        """
        on = self.on
        if reason is Reset.OVERFLOW:
            again = False
        elif on & (RESET | RETRY_5XX | GATEWAY_ERROR):
            again = True
        elif on & RESET_BEFORE_REQUEST and not started:
            again = True
        elif on & REFUSED_STREAM and reason is Reset.REMOTE_REFUSED:
            again = True
        else:
            again = bool(on & CONNECT_FAILURE) and reason in _CONNECT_FAILURES
        return self._decide(again)

    def _wantsAgain(self, response: HeaderMap, status: int) -> bool:
        on = self.on
        if b"x-envoy-ratelimited" in response:
            return bool(on & ENVOY_RATE_LIMITED)
        if (
            (on & RETRY_5XX and 500 <= status < 600)
            or (on & GATEWAY_ERROR and 502 <= status <= 504)
            or (on & RETRIABLE_4XX and status == 409)
            or (on & RETRIABLE_STATUS_CODES and status in self.statusCodes)
            or (on & RETRIABLE_HEADERS and any(match(response) for match in self.headers))
        ):
            return True
        if on & ANY_GRPC:
            return bool(on & GRPC_STATUS_CONDITIONS.get(response.get(b"grpc-status", b""), 0))
        return False

    def _decide(self, again: bool) -> int:
        counted = (self._stats, *self.groups)
        if self._retried and not again:
            for stats in counted:
                stats.upstream_rq_retry_success.value += 1
        self._retried = False
        self._giveBack()
        if not again:
            return NO
        if not self.remaining:
            for stats in counted:
                stats.upstream_rq_retry_limit_exceeded.value += 1
            return EXHAUSTED
        self.remaining -= 1
        if self._resources.full:
            for stats in counted:
                stats.upstream_rq_retry_overflow.value += 1
            return OVERFLOW
        share = self._runtime.percent("upstream.use_retry", 100.0)
        if share < 100.0 and self._random.random() * 100.0 >= share:
            return NO
        self._resources.take()
        self._taken = self._retried = True
        for stats in counted:
            stats.upstream_rq_retry.value += 1
        return YES

    # Back-off.

    def wait(self) -> float:
        """Seconds until the next attempt, after YES."""
        fixed, self._fixedWait = self._fixedWait, None
        if fixed is not None:
            self._stats.upstream_rq_retry_backoff_ratelimited.value += 1
            return fixed + self._random.random() * fixed / 2
        self._stats.upstream_rq_retry_backoff_exponential.value += 1
        if not self._base:
            self._setBackOff()
        bound = self._bound
        self._bound = min(bound * 2, self._most)
        return self._random.random() * bound

    def _setBackOff(self) -> None:
        policy = self.policy
        base = policy.backOffBase
        if base is None:
            configured = self._runtime.integer("upstream.base_retry_backoff_ms")
            base = (25 if configured is None else max(configured, 1)) / 1000
        self._base = self._bound = base
        most = policy.backOffMax
        self._most = base * 10 if most is None else most

    # Resources.

    def close(self) -> None:
        """No retry any more; may be called twice."""
        self._giveBack()

    def _giveBack(self) -> None:
        if self._taken:
            self._taken = False
            self._resources.give()


def _presence(name: bytes) -> Callable[[HeaderMap], bool]:
    return lambda headers: name in headers


def _resetInterval(limits: RateLimitedBackOff, response: HeaderMap, now: float) -> float | None:
    """Seconds that the upstream asks us to wait; None when it does not say."""
    for name, isTimestamp in limits.headers:
        value = wholeNumber(response.get(name, b""))
        if value is None:
            continue
        seconds = value - now if isTimestamp else float(value)
        if 0.001 < seconds <= limits.most:
            return seconds
    return None
