"""
What a request's x-envoy-upstream-* headers ask of the router, and whether they are well-formed.

Envoy: Router::Filter::decodeHeaders, FilterUtility::StrictHeaderChecker
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.numbers import wholeNumber
from twisted_envoy.http.retry_conditions import GRPC_CONDITIONS, HTTP_CONDITIONS, listed
from twisted_envoy.values import dataclass

_ALT_RESPONSE = b"x-envoy-upstream-rq-timeout-alt-response"
_DURATION = b"x-envoy-upstream-stream-duration-ms"
_ALT_STAT = b"x-envoy-upstream-alt-stat-name"

HEADERS = frozenset((_ALT_RESPONSE, _DURATION, _ALT_STAT))
"""What takeAsked takes."""

_LISTS = {
    b"x-envoy-retry-on": HTTP_CONDITIONS,
    b"x-envoy-retry-grpc-on": GRPC_CONDITIONS,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What is asked for.

    Attributes:
        lateStatus: of the answer after a time-out.
        duration: seconds that the upstream stream may last; None for the cluster's.
        altStat: answers are counted under this prefix too, "" for none.
    """

    lateStatus: int = 504
    duration: float | None = None
    altStat: str = ""


def takeAsked(headers: HeaderMap) -> Asked | None:
    """Take such headers out of a request; None when there are none."""
    if not (_ALT_RESPONSE in headers or _DURATION in headers or _ALT_STAT in headers):
        return None
    duration = wholeNumber(headers.get(_DURATION, b""))
    alt = headers.get(_ALT_STAT, b"").decode("latin-1")
    asked = Asked(
        204 if _ALT_RESPONSE in headers else 504,
        None if duration is None else duration / 1000,
        alt + "." if alt else "",
    )
    for name in (_ALT_RESPONSE, _DURATION, _ALT_STAT):
        headers.remove(name)
    return asked


def firstMalformed(headers: HeaderMap, names: tuple[bytes, ...]) -> bytes | None:
    """The first of those headers whose value means nothing, None when there is none such."""
    for name in names:
        value = headers.get(name)
        if value is None:
            continue
        known = _LISTS.get(name)
        if known is None:
            if wholeNumber(value) is None:
                return name
        elif not all(word in known for word in listed(value)):
            return name
    return None
