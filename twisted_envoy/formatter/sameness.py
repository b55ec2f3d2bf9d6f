"""
How long what a command says stays the same.

Most records of a busy connection are like the one before: a line of which most is known can be made
from less. What is not said here to stay the same may be different each time.
"""

from __future__ import annotations

from twisted_envoy.formatter.parser import Command

REQUEST = 1
"""For requests with the same headers but x-request-id, which come over one connection without a
body, take one route, to one host, and are answered with one status, whole."""
REPLY = 2
"""For those that were sent on at once, and get the same headers and as long a body, all of it at
once, after as many whole milliseconds."""
ANSWER = 3
"""For those that get the same answer, headers and body, in the same time, without an upstream."""
EACH = 4
"""Until the next record."""

_ADDRESSES = ("ADDRESS", "ADDRESS_WITHOUT_PORT", "PORT")
_SIDES = ("LOCAL", "REMOTE", "DIRECT_LOCAL", "DIRECT_REMOTE")
_OF_REQUEST = frozenset(
    (
        *("ACCESS_LOG_TYPE", "BYTES_RECEIVED", "BYTES_RETRANSMITTED", "CONNECTION_ID"),
        *("CONNECTION_TERMINATION_DETAILS", "CUSTOM_FLAGS", "DOWNSTREAM_CX_RTT", "ENVIRONMENT"),
        *("DOWNSTREAM_DETECTED_CLOSE_TYPE", "DOWNSTREAM_LOCAL_CLOSE_REASON", "FILTER_CHAIN_NAME"),
        *("HOSTNAME", "LISTENER_NAME", "PACKETS_RETRANSMITTED", "PATH", "PROTOCOL", "QUERY_PARAM"),
        *("QUERY_PARAMS", "REQUESTED_SERVER_NAME", "RESPONSE_CODE", "RESPONSE_CODE_DETAILS"),
        *("RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG", "ROUTE_NAME", "UPSTREAM_CLUSTER"),
        *("SPAN_ID", "TRACE_ID", "UPSTREAM_CLUSTER_RAW", "UPSTREAM_REQUEST_ATTEMPT_COUNT"),
        *("UPSTREAM_DETECTED_CLOSE_TYPE", "UPSTREAM_LOCAL_CLOSE_REASON"),
        "UPSTREAM_TRANSPORT_FAILURE_REASON",
        *("UPSTREAM_HOST", "UPSTREAM_HOST_NAME", "UPSTREAM_HOST_NAME_WITHOUT_PORT"),
        *("UPSTREAM_HOSTS_ATTEMPTED", "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT"),
        *("UPSTREAM_HOST_NAMES_ATTEMPTED", "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT"),
        *("VIRTUAL_CLUSTER_NAME", "TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT"),
        *(f"DOWNSTREAM_{side}_{what}" for side in _SIDES for what in _ADDRESSES),
    )
)
_OF_REPLY = frozenset(
    (
        *("BYTES_SENT", "DURATION", "GRPC_STATUS", "GRPC_STATUS_NUMBER", "REQUEST_DURATION"),
        *("REQUEST_TX_DURATION", "RESP", "RESPONSE_DURATION", "RESPONSE_HEADER"),
        *("RESPONSE_HEADERS_BYTES", "RESPONSE_TX_DURATION", "ROUNDTRIP_DURATION"),
    )
)
_OF_ANSWER = frozenset(
    (
        *("COMMON_DURATION", "UPSTREAM_CONNECTION_ID", "UPSTREAM_PROTOCOL"),
        *("UPSTREAM_WIRE_BYTES_RECEIVED", "UPSTREAM_WIRE_BYTES_SENT"),
        *(f"UPSTREAM_{side}_{what}" for side in ("LOCAL", "REMOTE") for what in _ADDRESSES),
    )
)
_OF_HEADERS = frozenset(("REQ", "REQUEST_HEADER", "STREAM_INFO_REQ"))


def samenessOf(command: Command) -> int:
    """One of the above, for a built-in command."""
    name = command.name
    if name in _OF_REQUEST:
        return REQUEST
    if name in _OF_REPLY:
        return REPLY
    if name in _OF_ANSWER:
        return ANSWER
    if name in _OF_HEADERS and "X-REQUEST-ID" not in command.arguments.upper():
        return REQUEST
    return EACH
