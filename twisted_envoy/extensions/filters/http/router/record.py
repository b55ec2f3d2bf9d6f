"""
What is known of a request that was carried: the RequestInfo of its record.

All that the log formats can ask for is what a stream, a router and an attempt would have told; it
is looked up when it is asked for.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from twisted_envoy.http.edge.request_id import idOf, withID
from twisted_envoy.state.lazy import Asked, Fresh
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import UpstreamInfo

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.exchange import Exchange
    from twisted_envoy.state.stream_info import StreamInfo

_BEGAN = Asked(attrgetter("startTime"))
_ENDED = Asked(attrgetter("endTime"))


class ExchangeUpstream(UpstreamInfo):
    """
    The upstream side of it.

    Args:
        info: the request's.
    """

    attempts = 1
    clusterName: Any = Asked(attrgetter("info.exchange.template.carrier.plan.name"))
    cluster: Any = Asked(attrgetter("info.exchange.template.carrier.plan.cluster"))
    connection: Any = Asked(attrgetter("info.exchange.pooled"))
    host: Any = Asked(attrgetter("info.exchange.pooled.host"))
    made: Any = Asked(lambda upstream: ((upstream.host, upstream.connection),))
    bytesReceived: Any = Asked(attrgetter("info.bytesSent"))

    def __init__(self, info: ExchangeInfo) -> None:
        self.info = info


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
    protocol: Any = Asked(attrgetter("template.carrier.protocol"))
    route: Any = Asked(attrgetter("template.carrier.route"))
    routeName: Any = Asked(attrgetter("template.carrier.route.name"))
    upstream: Any = Fresh(ExchangeUpstream)
    template: Any = Asked(attrgetter("exchange.template"))
    requestHeaders: Any = Fresh(lambda info: withID(info.template.headers, info.exchange.value))
    requestID: Any = Asked(lambda info: idOf(info.template.headers, info.exchange.value))
    upstreamEncoders: Any = Asked(lambda info: (info.exchange.upstream,))

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
