"""
What is changed of a response before it goes to the client.

Envoy: ConnectionManagerImpl::ActiveStream::encodeHeaders,
ConnectionManagerUtility::mutateResponseHeaders
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.appending import append
from twisted_envoy.http.edge.date import DateText
from twisted_envoy.http.edge.hop_by_hop import isUpgrade
from twisted_envoy.http.edge.joining import JOINED_IN_RESPONSES, joinValues
from twisted_envoy.http.edge.rules import ResponseRules
from twisted_envoy.state.request_info import RequestInfo

_ALWAYS_REMOVED = (b"keep-alive", b"proxy-connection", b"transfer-encoding")
HOPS = frozenset((b"connection", b"upgrade", *_ALWAYS_REMOVED))


class ResponseEdge:
    """Prepares responses, local replies included."""

    __slots__ = (
        *("_date", "_ifAbsent", "_overwrites", "_proxyStatus", "_requestID", "_server"),
        *("_tellsID", "_via"),
    )

    def __init__(self, rules: ResponseRules, date: DateText) -> None:
        self._date = date
        self._server = rules.server
        self._overwrites = rules.overwrites
        self._ifAbsent = rules.ifAbsent
        self._requestID = rules.requestID
        self._tellsID = rules.tellsID
        self._via = rules.via
        self._proxyStatus = rules.proxyStatus

    def prepare(
        self, headers: HeaderMap, info: RequestInfo, requestHeaders: HeaderMap | None
    ) -> None:
        """
        Change the headers of a response.

        Args:
            headers: of the response. `connection: close` is to be added after this.
            requestHeaders: after prepareRequest; None when the request could not be read.
        """
        if headers.more is not None:
            joinValues(headers, JOINED_IN_RESPONSES)
        if b"date" not in headers:
            headers[b"date"] = self._date.now()
        if self._overwrites:
            headers[b"server"] = self._server
            if headers.more is not None:
                headers.more.pop(b"server", None)
        elif self._ifAbsent and b"server" not in headers:
            headers[b"server"] = self._server
        if not HOPS.isdisjoint(headers):
            _clean(headers, requestHeaders)
        if requestHeaders is not None and (
            self._tellsID or b"x-envoy-force-trace" in requestHeaders
        ):
            if self._requestID is not None:
                self._requestID.setInResponse(headers, requestHeaders)
        if self._via:
            append(headers, b"via", self._via)
        if self._proxyStatus is not None and info.responseFlags:
            self._proxyStatus.tell(headers, info)


def _clean(headers: HeaderMap, requestHeaders: HeaderMap | None) -> None:
    if (
        b"upgrade" not in headers
        or requestHeaders is None
        or not isUpgrade(requestHeaders)
        or not isUpgrade(headers)
    ):
        headers.pop(b"connection", None)
        if headers.more is not None:
            headers.more.pop(b"connection", None)
        if b"upgrade" in headers:
            headers.remove(b"upgrade")
    for name in _ALWAYS_REMOVED:
        if name in headers:
            headers.remove(name)
