"""
`proxy-status`: what went wrong here, for the client.

Envoy: HttpConnectionManager.ProxyStatusConfig, source/common/stream_info/utility.cc; RFC 9209
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.appending import append
from twisted_envoy.state.request_info import RequestInfo

_ERRORS = (
    *(("LH", "destination_unavailable"), ("UH", "destination_unavailable")),
    *(("UT", "http_response_timeout"), ("LR", "connection_timeout")),
    *(("UR", "connection_terminated"), ("UF", "connection_refused")),
    *(("UC", "connection_terminated"), ("UO", "connection_limit_reached")),
    *(("NR", "destination_not_found"), ("FI", "http_request_error")),
    *(("RL", "connection_limit_reached"), ("RLSE", "connection_limit_reached")),
    *(("URX", "destination_unavailable"), ("SI", "http_response_timeout")),
    *(("IH", "http_request_error"), ("UMSDR", "http_response_timeout")),
    *(("NFCF", "proxy_configuration_error"), ("UPE", "http_protocol_error")),
    *(("NC", "destination_unavailable"), ("DF", "dns_error")),
)
"""Flag -> error; the first that was raised counts."""

_STATUSES = {
    **{"destination_not_found": 500, "destination_unavailable": 503, "dns_error": 502},
    **{"connection_refused": 502, "connection_terminated": 502, "connection_timeout": 504},
    **{"connection_limit_reached": 503, "http_response_timeout": 504, "http_protocol_error": 502},
    **{"proxy_configuration_error": 500},
}


class ProxyStatus:
    """
    Adds the header.

    Args:
        name: of this proxy.
        details, termination, flags: tell response code details, why the connection ended, flags.
        recommends: the response gets the status that the RFC recommends.
    """

    __slots__ = ("_details", "_flags", "_name", "_recommends", "_termination")

    def __init__(
        self, name: str, details: bool, termination: bool, flags: bool, recommends: bool
    ) -> None:
        self._name = name
        self._details = details
        self._termination = termination
        self._flags = flags
        self._recommends = recommends

    def tell(self, headers: HeaderMap, info: RequestInfo) -> None:
        """Add the header to a response, when there is something to tell."""
        raised = info.responseFlags
        error = next((text for flag, text in _ERRORS if flag in raised), None)
        if error is None:
            return
        value = f"{self._name}; error={error}"
        if self._details:
            parts = [info.responseCodeDetails] if info.responseCodeDetails else []
            if self._termination and info.connectionTerminationDetails:
                parts.append(info.connectionTerminationDetails)
            if self._flags:
                parts.append(",".join(raised))
            if parts:
                value += f'; details="{"; ".join(parts)}"'
        append(headers, b"proxy-status", value.encode("utf-8", "surrogateescape"))
        status = _STATUSES.get(error)
        if self._recommends and status is not None:
            headers[b":status"] = b"%d" % status
            info.responseCode = status
