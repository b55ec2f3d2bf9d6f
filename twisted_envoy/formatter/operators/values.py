"""Bytes of headers as text, and the answers of gRPC: what several operators need."""

from __future__ import annotations

from twisted_envoy.state.stream_info import StreamInfo

GRPC_STATUSES: tuple[str, ...] = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
"""Names of the gRPC statuses, by number."""

_OF_HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_UNKNOWN = 2


def headerText(value: bytes) -> str:
    """A header's value; what is no UTF-8 stays what it is, as surrogates (`surrogateescape`)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8", "surrogateescape")


def isGRPC(headers: object) -> bool:
    """Is it a gRPC message: content-type `application/grpc`, or that with `+` and more?"""
    if not isinstance(headers, dict):
        return False
    kind: bytes = headers.get(b"content-type", b"")
    return kind.startswith(b"application/grpc") and kind[16:17] in (b"", b"+")


def grpcStatusOfHTTP(code: int) -> int:
    """The gRPC status of an HTTP status, as gRPC's own documents have it."""
    return _OF_HTTP.get(code, _UNKNOWN)


def grpcStatusOf(info: StreamInfo) -> int | None:
    """
    What a request was answered with: of the trailers, else the headers, else the HTTP status.

    Returns:
        -1 for a status that is no number; None before there is anything.
    """
    for headers in (info.responseTrailers, info.responseHeaders):
        found: bytes | None = None if headers is None else headers.get(b"grpc-status")
        if found is not None:
            return int(found) if found.isdigit() else -1
    return grpcStatusOfHTTP(info.responseCode) if info.responseCode else None
