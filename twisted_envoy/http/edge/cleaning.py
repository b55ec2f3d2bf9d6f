"""
Headers of requests that are not passed on, or not believed.

Envoy: ConnectionManagerUtility::mutateRequestHeaders, cleanInternalHeaders
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.hop_by_hop import isUpgrade, sanitizeTE
from twisted_envoy.http.edge.referer import isReferer

ALWAYS_CLEANED = frozenset(
    (
        *(b"connection", b"upgrade", b"te", b"keep-alive", b"proxy-connection"),
        *(b"transfer-encoding", b"referer", b"x-envoy-internal", b"x-forwarded-client-cert"),
    )
)
"""Seldom there, and looked at in every request."""

NEVER_PASSED = ALWAYS_CLEANED - {b"connection", b"upgrade", b"te", b"referer"}

CLEANED_OF_EXTERNAL = frozenset(
    b"x-envoy-" + name
    for name in (
        *(b"retriable-status-codes", b"retriable-header-names", b"retry-on", b"retry-grpc-on"),
        *(b"max-retries", b"upstream-alt-stat-name", b"upstream-rq-timeout-ms", b"force-trace"),
        *(b"upstream-rq-per-try-timeout-ms", b"upstream-rq-timeout-alt-response", b"ip-tags"),
        *(b"expected-rq-timeout-ms", b"original-url", b"hedge-on-per-try-timeout"),
        *(b"upstream-stream-duration-ms",),
    )
)
"""What tells the router what to do; only internal requests may."""

CLEANED_OF_EDGE = CLEANED_OF_EXTERNAL | frozenset(
    (
        *(b"x-envoy-decorator-operation", b"x-envoy-downstream-service-cluster"),
        *(b"x-envoy-downstream-service-node", b"x-envoy-original-path", b"x-envoy-original-host"),
    )
)
"""What only a front proxy may say."""


def clean(headers: HeaderMap, never: frozenset[bytes] = NEVER_PASSED) -> None:
    """
    Remove what is for us alone, or not to be believed.

    Args:
        never: names of what is not passed on at all.
    """
    if not isUpgrade(headers):
        headers.remove(b"connection")
        headers.remove(b"upgrade")
    for name in never.intersection(headers):
        headers.remove(name)
    if headers.joined(b"te") not in (None, b"trailers"):
        sanitizeTE(headers)
    referer = headers.joined(b"referer")
    if referer is not None and not isReferer(referer):
        headers.remove(b"referer")
