"""
What a client is told when the upstream did not answer: texts, details, flags.

Envoy: Router::Filter::onUpstreamReset, StreamInfo::ResponseCodeDetails
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.http.upgrade import isUpgrade, responseFromHTTP2

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router

CONNECT_ERROR = b"upstream connect error or disconnect/reset before headers. "
TIMEOUT = b"upstream request timeout"
NO_HEALTHY = b"no healthy upstream"

_OF_THE_BODY = (b":status", b"content-length", b"content-type", b"transfer-encoding")

OVERLOADED = (b"x-envoy-overloaded", b"true")

FLAGS = {
    Reset.LOCAL_CONNECTION_FAILURE: "UF",
    Reset.REMOTE_CONNECTION_FAILURE: "UF",
    Reset.CONNECTION_TIMEOUT: "UF",
    Reset.CONNECTION_TERMINATION: "UC",
    Reset.LOCAL: "LR",
    Reset.LOCAL_REFUSED: "LR",
    Reset.OVERFLOW: "UO",
    Reset.REMOTE: "UR",
    Reset.REMOTE_NO_ERROR: "UR",
    Reset.REMOTE_REFUSED: "UR",
    Reset.CONNECT_ERROR: "UR",
    Reset.PROTOCOL_ERROR: "UPE",
    Reset.OVERLOAD_MANAGER: "OM",
}


def resetDetails(reason: Reset, failure: str, responseStarted: bool) -> str:
    """
    `%RESPONSE_CODE_DETAILS%` of a request whose upstream stream was reset.

    Args:
        failure: the transport failure reason, or empty.
    """
    when = "after" if responseStarted else "before"
    text = f"{reason.value}|{failure}" if failure else reason.value
    return f"upstream_reset_{when}_response_started{{{text}}}".replace(" ", "_")


def resetBody(reason: Reset, failure: str, retried: bool) -> bytes:
    """
    The text of the answer.

    Args:
        failure: what is said of the transport failure, nothing when empty.
    """
    again = b"retried and the latest " if retried else b""
    text = CONNECT_ERROR + again + b"reset reason: " + reason.value.encode()
    if failure:
        text += b", transport failure reason: " + failure.encode("utf-8", "replace")
    return text


def upgradeRefused(router: Router, attempt: Any, headers: HeaderMap, status: int) -> bool:
    """Spell the answer to an upgrade as HTTP/1.1 does; True: it was none, and is refused."""
    request = router.headers
    if not isUpgrade(request) or request[b":method"] == b"CONNECT":
        return False
    if status in (101, 200) and router.timer is not None:
        router.timer.cancel()
        router.timer = None
    if router.info.upstreamProtocol == "HTTP/2":
        responseFromHTTP2(headers, request[b"upgrade"])
    elif 200 <= status < 300 and request[b"upgrade"].lower() == b"websocket":
        router.attempt = None
        attempt.cancel()
        router.cleanUp()
        more = tuple(pair for pair in headers.pairs() if pair[0] not in _OF_THE_BODY)
        router.stream.sendLocalReply(status, b"", "websocket_handshake_unsuccessful", more)
        return True
    return False
