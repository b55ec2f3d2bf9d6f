"""A request that is answered before any filter sees it."""

from __future__ import annotations


class Refusal:
    """
    What to answer.

    Args:
        status: of the local reply; body: its text; headers: more of them.
        details: `%RESPONSE_CODE_DETAILS%`.
        close: end the connection after the reply.
        flag: response flag to raise, "" for none.
        counter: the statistic of the connection manager that counts it, "" for none.
    """

    __slots__ = ("body", "close", "counter", "details", "flag", "headers", "status")

    def __init__(
        self,
        status: int,
        details: str,
        body: bytes = b"",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        close: bool = False,
        flag: str = "",
        counter: str = "",
    ) -> None:
        self.status = status
        self.details = details
        self.body = body
        self.headers = headers
        self.close = close
        self.flag = flag
        self.counter = counter


MISSING_HOST = Refusal(400, "missing_host_header")
MISSING_PATH = Refusal(404, "missing_path_rejected")
ABSOLUTE_PATH = Refusal(404, "absolute_path_rejected", counter="downstream_rq_non_relative_path")
LOW_VERSION = Refusal(426, "low_version", b"Upgrade Required", close=True, flag="DPE")
BAD_PATH = Refusal(
    400, "path_normalization_failed", counter="downstream_rq_failed_path_normalization"
)
CONNECTION_HEADER = Refusal(
    400, "http1.connection_header_rejected", b"Bad Request", close=True, flag="DPE"
)


def redirectTo(location: bytes) -> Refusal:
    """Send the client to the path that it should have asked for."""
    return Refusal(
        307,
        "path_normalization_failed",
        headers=((b"location", location),),
        counter="downstream_rq_redirected_with_normalized_path",
    )


def undetected(status: int) -> Refusal:
    """The client's address is not told, and a config wants it."""
    return Refusal(
        status,
        "rejecting_because_detection_failed",
        counter="downstream_rq_rejected_via_ip_detection",
    )
