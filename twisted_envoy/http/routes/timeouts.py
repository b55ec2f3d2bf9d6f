"""`RouteAction.MaxStreamDuration`."""

from __future__ import annotations

from typing import Any, NamedTuple


class MaxStreamDuration(NamedTuple):
    """
    How long a stream may last; seconds, None: not set.

    Attributes:
        maxStreamDuration: 0.0 for no limit. grpcTimeoutHeaderMax: the most that grpc-timeout may
            ask for; 0.0 for anything. grpcTimeoutHeaderOffset: is taken off what it asks for.
    """

    maxStreamDuration: float | None
    grpcTimeoutHeaderMax: float | None
    grpcTimeoutHeaderOffset: float | None


def buildMaxStreamDuration(view: Any) -> MaxStreamDuration:
    """Read one."""
    return MaxStreamDuration(
        view.max_stream_duration, view.grpc_timeout_header_max, view.grpc_timeout_header_offset
    )
