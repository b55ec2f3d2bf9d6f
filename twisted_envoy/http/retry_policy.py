"""
What the config says of retries: when, how often, how long to wait.

Envoy: config.route.v3.RetryPolicy
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.matchers import buildHeaderMatch

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

RETRY_5XX = 1 << 0
GATEWAY_ERROR = 1 << 1
CONNECT_FAILURE = 1 << 2
RETRIABLE_4XX = 1 << 3
REFUSED_STREAM = 1 << 4
RETRIABLE_STATUS_CODES = 1 << 5
RESET = 1 << 6
RETRIABLE_HEADERS = 1 << 7
ENVOY_RATE_LIMITED = 1 << 8
RESET_BEFORE_REQUEST = 1 << 9
HTTP3_POST_CONNECT_FAILURE = 1 << 10
GRPC_CANCELLED = 1 << 11
GRPC_DEADLINE_EXCEEDED = 1 << 12
GRPC_RESOURCE_EXHAUSTED = 1 << 13
GRPC_UNAVAILABLE = 1 << 14
GRPC_INTERNAL = 1 << 15

HTTP_CONDITIONS = {
    "5xx": RETRY_5XX,
    "gateway-error": GATEWAY_ERROR,
    "connect-failure": CONNECT_FAILURE,
    "retriable-4xx": RETRIABLE_4XX,
    "refused-stream": REFUSED_STREAM,
    "retriable-status-codes": RETRIABLE_STATUS_CODES,
    "retriable-headers": RETRIABLE_HEADERS,
    "reset": RESET,
    "reset-before-request": RESET_BEFORE_REQUEST,
    "envoy-ratelimited": ENVOY_RATE_LIMITED,
    "http3-post-connect-failure": HTTP3_POST_CONNECT_FAILURE,
}
GRPC_CONDITIONS = {
    "cancelled": GRPC_CANCELLED,
    "deadline-exceeded": GRPC_DEADLINE_EXCEEDED,
    "internal": GRPC_INTERNAL,
    "resource-exhausted": GRPC_RESOURCE_EXHAUSTED,
    "unavailable": GRPC_UNAVAILABLE,
}
GRPC_STATUS_CONDITIONS = {
    b"1": GRPC_CANCELLED,
    b"4": GRPC_DEADLINE_EXCEEDED,
    b"8": GRPC_RESOURCE_EXHAUSTED,
    b"13": GRPC_INTERNAL,
    b"14": GRPC_UNAVAILABLE,
}
ANY_GRPC = sum(GRPC_CONDITIONS.values())

_HOST_PREDICATES = {
    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate": "previous_hosts",
    "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate": "canary_hosts",
}


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """
    Of a route or virtual host.

    Attributes:
        on: the conditions, as bits.
        numRetries: None for the default of 1.
        perTryTimeout, perTryIdleTimeout: seconds, 0 for none.
        statusCodes: for retriable-status-codes.
        headers: of a response, for retriable-headers; one that matches is enough.
        requestHeaders: when there are any, one of them must match the request.
        baseInterval, maxInterval: seconds, None for what runtime says and ten times that.
        resetHeaders: (lower-case name, whether it is a Unix timestamp) of rate-limited back-off.
        resetMaxInterval: seconds; longer ones are ignored.
        avoidsTried: hosts that were tried already are avoided.
        hostAttempts: how often another host is asked for when one is to be avoided.
    """

    on: int = 0
    numRetries: int | None = None
    perTryTimeout: float = 0.0
    perTryIdleTimeout: float = 0.0
    statusCodes: frozenset[int] = frozenset()
    headers: tuple[Callable[[HeaderMap], bool], ...] = ()
    requestHeaders: tuple[Callable[[HeaderMap], bool], ...] = ()
    baseInterval: float | None = None
    maxInterval: float | None = None
    resetHeaders: tuple[tuple[bytes, bool], ...] = ()
    resetMaxInterval: float = 300.0
    avoidsTried: bool = False
    hostAttempts: int = 1


def conditionsOf(names: Iterable[str], known: dict[str, int]) -> int:
    """The bits of those names that are known; others are ignored, as Envoy does."""
    found = 0
    for name in names:
        found |= known.get(name.strip(), 0)
    return found


def buildRetryPolicy(view: View) -> RetrySettings:
    """
    Read a route.v3.RetryPolicy.

    Raises:
        ConfigError: max_interval below base_interval; a predicate that is none of ours.
    """
    names = view.retry_on.split(",")
    base, most = _backOff(view)
    resetHeaders, resetMax = _rateLimited(view)
    avoids = _avoidsTried(view)
    number = view.num_retries
    return RetrySettings(
        on=conditionsOf(names, HTTP_CONDITIONS) | conditionsOf(names, GRPC_CONDITIONS),
        numRetries=None if number is None else number,
        perTryTimeout=view.per_try_timeout or 0.0,
        perTryIdleTimeout=view.per_try_idle_timeout or 0.0,
        statusCodes=frozenset(view.retriable_status_codes),
        headers=tuple(buildHeaderMatch(one) for one in view.retriable_headers),
        requestHeaders=tuple(buildHeaderMatch(one) for one in view.retriable_request_headers),
        baseInterval=base,
        maxInterval=most,
        resetHeaders=resetHeaders,
        resetMaxInterval=resetMax,
        avoidsTried=avoids,
        hostAttempts=view.host_selection_retry_max_attempts or 1,
    )


def _backOff(view: View) -> tuple[float | None, float | None]:
    backOff = view.retry_back_off
    if backOff is None:
        return None, None
    base: float = max(backOff.base_interval, 0.001)  # Envoy's timers cannot wait less
    most: float | None = backOff.max_interval
    if most is not None and most < base:
        raise backOff.error(
            "retry_policy.max_interval must greater than or equal to the base_interval"
        )
    return base, most


def _rateLimited(view: View) -> tuple[tuple[tuple[bytes, bool], ...], float]:
    limited = view.rate_limited_retry_back_off
    if limited is None:
        return (), 300.0
    headers = tuple(
        (one.name.lower().encode(), one.format == "UNIX_TIMESTAMP")
        for one in limited.reset_headers
    )
    most = limited.max_interval
    return headers, 300.0 if most is None else most


def _avoidsTried(view: View) -> bool:
    """Whether previous_hosts is among the predicates; no host of ours is a canary."""
    avoids = False
    for predicate in view.retry_host_predicate:
        config: Any = predicate.typed_config
        kind = _HOST_PREDICATES.get("" if config is None else config.typeName)
        if kind is None:
            raise predicate.error(
                f"Didn't find a registered implementation for '{predicate.name}'", "typed_config"
            )
        config.open()
        avoids = avoids or kind == "previous_hosts"
    return avoids
