"""
The conditions under which a request is tried again, as bits; their names are Envoy's.

Envoy: Router::RetryStateImpl::parseRetryOn, parseRetryGrpcOn
"""

from __future__ import annotations

from collections.abc import Iterable

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
ALL_CONDITIONS = {**HTTP_CONDITIONS, **GRPC_CONDITIONS}


def conditionsOf(names: Iterable[str], known: dict[str, int]) -> int:
    """The bits of those names that are known; others are ignored, as Envoy does."""
    found = 0
    for name in names:
        found |= known.get(name, 0)
    return found


def listed(value: bytes) -> list[str]:
    """The names in a header's comma-separated list; what is empty is left out."""
    names = (name.strip() for name in value.decode("latin-1").split(","))
    return [name for name in names if name]
