"""
From the protocol options of a config to what codecs and connections are told.

Used by connection managers and clusters alike. What is read is obeyed; what is not stays unread
and is reported.

Envoy: config.core.v3.HttpProtocolOptions, Http1ProtocolOptions, Http2ProtocolOptions
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommonHTTPOptions:
    """
    `HttpProtocolOptions`; None is not set.

    Attributes:
        idleTimeout, maxConnectionDuration, maxStreamDuration: seconds; 0 is never.
        maxConnectionDurationJitter: a share of 1 that is added at most.
        maxRequestsPerConnection: 0 is no limit.
    """

    idleTimeout: float | None = None
    maxConnectionDuration: float | None = None
    maxConnectionDurationJitter: float | None = None
    maxStreamDuration: float | None = None
    maxRequestsPerConnection: int = 0
    maxHeadersCount: int | None = None
    maxResponseHeadersKB: int | None = None
    underscores: str = "ALLOW"
