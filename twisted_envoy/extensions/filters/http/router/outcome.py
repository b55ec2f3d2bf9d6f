"""
What an attempt's outcome says of its host: to outlier detection, and to active health checks.

Envoy: Router::Filter::onUpstreamHeaders, updateOutlierDetection
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset

_IMMEDIATE = b"x-envoy-immediate-health-check-fail"
_STATUS = b"grpc-status"
_GRPC = b"application/grpc"
_INVALID = 500
_STATUSES = (200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401)
"""By gRPC status."""


def answered(host: Any, request: HeaderMap, headers: HeaderMap) -> None:
    """The host has answered; gRPC says in its own way how that went."""
    monitor = host.monitor
    if monitor is not None:
        status = int(headers[b":status"])
        said = headers.get(_STATUS)
        if said is not None and (request.get(b"content-type") or b"").startswith(_GRPC):
            number = int(said) if said.isdigit() and len(said) < 3 else len(_STATUSES)
            status = _STATUSES[number] if number < len(_STATUSES) else _INVALID
        monitor.responded(status)
    if host.passiveHealth is not None and _IMMEDIATE in headers:
        host.passiveHealth()


def failed(host: Any, reason: Reset) -> None:
    """No connection, or the stream was reset; a limit of our own says nothing of the host."""
    if host.monitor is not None and reason is not Reset.OVERFLOW:
        host.monitor.connectFailed()
