"""
What is known of a request that was carried: the RequestInfo of its record.

All that the log formats can ask for is what a stream, a router and an attempt would have told; it
is looked up when it is asked for.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.request_id import REQUEST_ID
from twisted_envoy.state.lazy import Asked, Fresh
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import UpstreamInfo

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.exchange import Exchange
    from twisted_envoy.state.stream_info import StreamInfo

_BEGAN = Asked(attrgetter("startTime"))
_ENDED = Asked(attrgetter("endTime"))


def _upstream(info: ExchangeInfo) -> UpstreamInfo:
    exchange = info.exchange
    plan = exchange.template.carrier.plan
    pooled = exchange.pooled
    upstream = UpstreamInfo(plan.name)
    upstream.cluster = plan.cluster
    upstream.host, upstream.connection = pooled.host, pooled
    upstream.made = ((pooled.host, pooled),)
    upstream.attempts = 1
    upstream.bytesReceived = info.bytesSent
    return upstream


def _requestHeaders(info: ExchangeInfo) -> HeaderMap:
    exchange = info.exchange
    headers: HeaderMap = exchange.template.headers
    if exchange.value:
        headers = headers.copy()
        headers[REQUEST_ID] = exchange.value
    return headers


class ExchangeInfo(RequestInfo):
    """
    Of an exchange that has ended with a whole answer of status 200.

    Args:
        connection, encoder: the client's. exchange: is kept.
        now: seconds, when the answer came and went.

    Attributes:
        responseHeaders, bytesSent: to be set.
    """

    responseCode = 200
    attemptCount = 1
    responseCodeDetails = "via_upstream"
    upstreamProtocol: Any = Asked(attrgetter("exchange.pooled.protocol"))
    headersReceivedTime: Any = _BEGAN
    lastRequestByteReceivedTime: Any = _BEGAN
    firstUpstreamByteSentTime: Any = _BEGAN
    lastUpstreamByteSentTime: Any = _BEGAN
    firstUpstreamByteReceivedTime: Any = _ENDED
    firstUpstreamBodyByteReceivedTime: Any = _ENDED
    lastUpstreamByteReceivedTime: Any = _ENDED
    firstResponseByteSentTime: Any = _ENDED
    lastResponseByteSentTime: Any = _ENDED
    protocol: Any = Asked(attrgetter("exchange.template.carrier.protocol"))
    route: Any = Asked(attrgetter("exchange.template.carrier.route"))
    routeName: Any = Asked(attrgetter("exchange.template.carrier.route.name"))
    upstream: Any = Fresh(_upstream)
    requestHeaders: Any = Fresh(_requestHeaders)
    upstreamEncoders: Any = Fresh(lambda info: (info.exchange.upstream,))

    def __init__(
        self, connection: StreamInfo, encoder: Any, exchange: Exchange, now: float
    ) -> None:
        self.connection = connection
        self.encoder = encoder
        self.exchange = exchange
        self.startTime = exchange.lastActivity
        self.endTime = now
        remoteAddress = exchange.template.remoteAddress
        if remoteAddress is not None:
            self.remoteAddress = remoteAddress
