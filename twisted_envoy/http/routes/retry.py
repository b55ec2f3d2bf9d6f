"""
`config.route.v3.RetryPolicy`: when and how requests are tried again.

Envoy: source/common/router/retry_policy_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from twisted_envoy.network.matchers import HeaderMatch, buildHeaderMatch

HostPredicate = Callable[[Any, Sequence[Any]], bool]
"""(a host, hosts tried before) -> shall another host be chosen instead?"""


class ResetHeader(NamedTuple):
    """A response header that says when to try again: in seconds, or as seconds since 1970."""

    name: bytes
    isTimestamp: bool


class RateLimitedBackOff(NamedTuple):
    """Back-off by response headers; most: seconds that they may ask for."""

    headers: tuple[ResetHeader, ...]
    most: float


class RetrySettings:
    """
    A retry policy.

    Attributes:
        on: words of retry_on. numRetries: how many at most.
        statusCodes: of `retriable-status-codes`. headers: of responses, of `retriable-headers`.
        requestHeaders: one of them has to match the request, if there are any.
        perTryTimeout, perTryIdleTimeout: seconds; None: not set.
        backOffBase, backOffMax: seconds; None: 25 ms, and 10 times the base.
        rateLimitedBackOff: None for none.
        hostPredicates: see HostPredicate. hostSelectionAttempts: how often to choose.
        newPriority: makes an IRetryPriority of the hosts that were tried; None for none.
    """

    __slots__ = (
        "backOffBase",
        "backOffMax",
        "headers",
        "hostPredicates",
        "hostSelectionAttempts",
        "newPriority",
        "numRetries",
        "on",
        "perTryIdleTimeout",
        "perTryTimeout",
        "rateLimitedBackOff",
        "requestHeaders",
        "statusCodes",
    )

    def __init__(self) -> None:
        self.on: frozenset[str] = frozenset()
        self.numRetries = 1
        self.statusCodes: frozenset[int] = frozenset()
        self.headers: tuple[HeaderMatch, ...] = ()
        self.requestHeaders: tuple[HeaderMatch, ...] = ()
        self.perTryTimeout: float | None = None
        self.perTryIdleTimeout: float | None = None
        self.backOffBase: float | None = None
        self.backOffMax: float | None = None
        self.rateLimitedBackOff: RateLimitedBackOff | None = None
        self.hostPredicates: tuple[HostPredicate, ...] = ()
        self.hostSelectionAttempts = 1
        self.newPriority: Callable[[list[Any]], Any] | None = None


def buildRetry(view: Any, context: Any) -> RetrySettings:
    """
    Read a RetryPolicy.

    Raises:
        ConfigError: what cannot be obeyed.
    """
    settings = RetrySettings()
    settings.on = frozenset(filter(None, (word.strip() for word in view.retry_on.split(","))))
    if view.num_retries is not None:
        settings.numRetries = view.num_retries
    settings.perTryTimeout = view.per_try_timeout
    if view.has("per_try_idle_timeout"):
        settings.perTryIdleTimeout = view.per_try_idle_timeout
    if view.has("retriable_status_codes"):
        settings.statusCodes = frozenset(view.retriable_status_codes)
    if view.has("retriable_headers"):
        settings.headers = tuple(buildHeaderMatch(one) for one in view.retriable_headers)
    if view.has("retriable_request_headers"):
        settings.requestHeaders = tuple(
            buildHeaderMatch(one) for one in view.retriable_request_headers
        )
    if view.has("retry_back_off"):
        _readBackOff(settings, view.retry_back_off)
    if view.has("rate_limited_retry_back_off"):
        settings.rateLimitedBackOff = _rateLimited(view.rate_limited_retry_back_off)
    if view.has("retry_host_predicate"):
        settings.hostPredicates = tuple(
            context.build(one, "retry.host") for one in view.retry_host_predicate
        )
    if view.has("retry_priority"):
        settings.newPriority = context.build(view.retry_priority, "retry.priority")
    if view.has("host_selection_retry_max_attempts"):
        settings.hostSelectionAttempts = view.host_selection_retry_max_attempts or 1
    return settings


def _readBackOff(settings: RetrySettings, view: Any) -> None:
    # Envoy counts milliseconds here, and one at least.
    settings.backOffBase = max(view.base_interval, 0.001)
    settings.backOffMax = view.max_interval
    if settings.backOffMax is not None:
        settings.backOffMax = max(settings.backOffMax, 0.001)
        if settings.backOffMax < settings.backOffBase:
            raise view.error(
                "retry_policy.max_interval must greater than or equal to the base_interval"
            )


def _rateLimited(view: Any) -> RateLimitedBackOff:
    headers = tuple(
        ResetHeader(one.name.lower().encode(), one.format == "UNIX_TIMESTAMP")
        for one in view.reset_headers
    )
    most = view.max_interval
    return RateLimitedBackOff(headers, 300.0 if most is None else most)
