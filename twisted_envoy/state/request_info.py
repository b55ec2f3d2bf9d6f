"""
RequestInfo: what is known about one HTTP request, over what its connection's StreamInfo knows.

Follows Envoy's `StreamInfo` of a stream.
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.state.filter_state import FilterState, LifeSpan
from twisted_envoy.state.stream_info import StreamInfo


class RequestInfo(StreamInfo):
    """
    One request; made when its first byte or its head has come.

    Args:
        connection: the connection's StreamInfo.
        startTime: seconds.

    Attributes:
        protocol: `HTTP/1.0`, `HTTP/1.1`, `HTTP/2`; "" before the head is there.
        requestHeaders, requestTrailers, responseHeaders, responseTrailers: codec.headers.HeaderMap
            (the request's after all edits, the response's as sent), None before they are there.
        responseCode: 0 before.
        routeName, virtualClusterName: "" for none. route: the http.route entry or None.
        upstreamProtocol: as protocol, "" before.
        upgradeProtocol: of an accepted upgrade, lower-case (`connect`, `websocket`), or "".
        isHealthCheck: the health_check filter said so.
        attemptCount: requests sent upstream for this one.
        *Time: seconds on the reactor's clock, None until it happened: headersReceived,
            lastRequestByteReceived, firstUpstreamByteSent, lastUpstreamByteSent,
            firstUpstreamByteReceived, firstUpstreamBodyByteReceived, lastUpstreamByteReceived,
            firstResponseByteSent, lastResponseByteSent.
        requestHeaderBytes, responseHeaderBytes, wireBytesReceived, wireBytesSent,
        upstreamHeaderBytesSent, upstreamHeaderBytesReceived, upstreamWireBytesSent,
        upstreamWireBytesReceived: bytes.
        dynamicTypedMetadata: namespace -> google.protobuf.Any; None while there is none.
        localReplyBody: text of a local reply while it is formatted.
    """

    isRequest = True

    __slots__ = (
        "attemptCount",
        "connection",
        "dynamicTypedMetadata",
        "firstResponseByteSentTime",
        "firstUpstreamBodyByteReceivedTime",
        "firstUpstreamByteReceivedTime",
        "firstUpstreamByteSentTime",
        "headersReceivedTime",
        "isHealthCheck",
        "lastRequestByteReceivedTime",
        "lastResponseByteSentTime",
        "lastUpstreamByteReceivedTime",
        "lastUpstreamByteSentTime",
        "localReplyBody",
        "protocol",
        "requestHeaderBytes",
        "requestHeaders",
        "requestTrailers",
        "responseCode",
        "responseHeaderBytes",
        "responseHeaders",
        "responseTrailers",
        "route",
        "routeName",
        "upgradeProtocol",
        "upstreamHeaderBytesReceived",
        "upstreamHeaderBytesSent",
        "upstreamProtocol",
        "upstreamWireBytesReceived",
        "upstreamWireBytesSent",
        "virtualClusterName",
        "wireBytesReceived",
        "wireBytesSent",
    )

    def __init__(self, connection: StreamInfo, startTime: float) -> None:
        super().__init__(
            startTime,
            connection.localAddress,
            connection.remoteAddress,
            connection.connectionID,
            FilterState(connection.filterState, LifeSpan.REQUEST),
        )
        self.connection = connection
        if connection.lendsMetadata:
            lent = connection.dynamicMetadata
            self.dynamicMetadata = {name: dict(struct) for name, struct in lent.items()}
        self.directLocalAddress = connection.directLocalAddress
        self.directRemoteAddress = connection.directRemoteAddress
        self.requestedServerName = connection.requestedServerName
        self.tls = connection.tls
        self.transportProtocol = connection.transportProtocol
        self.applicationProtocols = connection.applicationProtocols
        self.filterChainName = connection.filterChainName
        self.filterChainMetadata = connection.filterChainMetadata
        self.listener = connection.listener
        self.downstreamTransportFailureReason = connection.downstreamTransportFailureReason
        self.dynamicTypedMetadata: dict[str, object] | None = None
        self.protocol = ""
        self.requestHeaders: Any = None
        self.requestTrailers: Any = None
        self.responseHeaders: Any = None
        self.responseTrailers: Any = None
        self.responseCode = 0
        self.route: Any = None
        self.routeName = ""
        self.virtualClusterName = ""
        self.upstreamProtocol = ""
        self.upgradeProtocol = ""
        self.isHealthCheck = False
        self.attemptCount = 0
        self.localReplyBody = ""
        self.headersReceivedTime: float | None = None
        self.lastRequestByteReceivedTime: float | None = None
        self.firstUpstreamByteSentTime: float | None = None
        self.lastUpstreamByteSentTime: float | None = None
        self.firstUpstreamByteReceivedTime: float | None = None
        self.firstUpstreamBodyByteReceivedTime: float | None = None
        self.lastUpstreamByteReceivedTime: float | None = None
        self.firstResponseByteSentTime: float | None = None
        self.lastResponseByteSentTime: float | None = None
        self.requestHeaderBytes = self.responseHeaderBytes = 0
        self.wireBytesReceived = self.wireBytesSent = 0
        self.upstreamHeaderBytesSent = self.upstreamHeaderBytesReceived = 0
        self.upstreamWireBytesSent = self.upstreamWireBytesReceived = 0
