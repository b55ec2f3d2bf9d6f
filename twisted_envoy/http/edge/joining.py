"""
Headers that Envoy keeps one value of: several become one, with a comma.

Envoy: the inline headers of envoy/http/header_map.h and of its filters
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap

_BOTH = (
    *(b"cache-control", b"content-encoding", b"content-type", b"proxy-status", b"via"),
    *(b"x-envoy-attempt-count", b"x-envoy-decorator-operation", b"x-request-id"),
)

JOINED_IN_REQUESTS = frozenset(
    (
        *_BOTH,
        *(b"accept", b"accept-encoding", b"access-control-request-headers", b"authorization"),
        *(b"access-control-request-method", b"grpc-accept-encoding", b"grpc-timeout"),
        *(b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"te"),
        *(b"if-unmodified-since", b"origin", b"pragma", b"referer", b"user-agent"),
        *(b"x-client-trace-id", b"x-envoy-downstream-service-cluster", b"x-envoy-force-trace"),
        *(b"x-envoy-downstream-service-node", b"x-envoy-external-address", b"x-envoy-ip-tags"),
        *(b"x-envoy-is-timeout-retry", b"x-envoy-original-host", b"x-envoy-original-path"),
        *(b"x-envoy-original-url", b"x-forwarded-for", b"x-forwarded-host"),
        *(b"x-forwarded-port", b"x-forwarded-proto"),
    )
)

JOINED_IN_RESPONSES = frozenset(
    (
        *_BOTH,
        *(b"access-control-allow-credentials", b"access-control-allow-headers", b"age"),
        *(b"access-control-allow-methods", b"access-control-allow-origin", b"date", b"etag"),
        *(b"access-control-expose-headers", b"access-control-max-age", b"expires"),
        *(b"grpc-message", b"grpc-status", b"last-modified", b"location", b"server", b"vary"),
        *(b"x-envoy-degraded", b"x-envoy-immediate-health-check-fail", b"x-envoy-ratelimited"),
        *(b"x-envoy-upstream-canary", b"x-envoy-upstream-healthchecked-cluster"),
        b"x-envoy-upstream-service-time",
    )
)


def joinValues(headers: HeaderMap, names: frozenset[bytes]) -> None:
    """Make one value of those that each of these names has."""
    if headers.more:
        for name in names.intersection(headers.more):
            headers.set(name, headers.joined(name) or b"")
