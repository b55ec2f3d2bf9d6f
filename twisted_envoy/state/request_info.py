"""
RequestInfo: what is known about one HTTP request, over what its connection's StreamInfo knows.

Follows Envoy's `StreamInfo` of a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from twisted_envoy.state.filter_state import Entry, FilterState, FilterStateObject, LifeSpan
from twisted_envoy.state.lazy import Asked, From
from twisted_envoy.state.stream_info import StreamInfo


def _sum(name: str) -> Callable[[RequestInfo], int]:
    return lambda info: sum(getattr(one, name, 0) for one in info.upstreamEncoders)


def _requestID(info: RequestInfo) -> bytes | None:
    headers = info.requestHeaders
    found: bytes | None = None if headers is None else headers.get(b"x-request-id")
    return found


class RequestInfo(StreamInfo):
    """
    One request; made when its first byte or its head has come.

    Args:
        connection: the connection's StreamInfo.
        startTime: seconds.
        encoder: the codec's, for the response.

    Attributes:
        protocol: `HTTP/1.0`, `HTTP/1.1`, `HTTP/2`; "" before the head is there.
        requestHeaders, requestTrailers, responseHeaders, responseTrailers: codec.headers.HeaderMap
            (the request's after all edits, the response's as sent), None before they are there.
        responseCode: 0 before.
        routeName, virtualClusterName: "" for none. route: the http.route entry or None.
        upstreamProtocol: as protocol, "" before.
        requestID: its x-request-id, None without one.
        upgradeProtocol: of an accepted upgrade, lower-case (`connect`, `websocket`), or "".
        isHealthCheck: the health_check filter said so.
        attemptCount: requests sent upstream for this one.
        encoder, upstreamEncoders: the codecs' streams that count bytes: the client's, and those of
            all attempts that are over.
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
    requestID: Any = Asked(_requestID)
    dynamicTypedMetadata: dict[str, object] | None = None
    upgradeProtocol = ""
    connectionID: Any = From("connection")
    localAddress: Any = From("connection")
    remoteAddress: Any = From("connection")
    directLocalAddress: Any = From("connection")
    directRemoteAddress: Any = From("connection")
    requestedServerName: Any = From("connection")
    ja3: Any = From("connection")
    ja4: Any = From("connection")
    tls: Any = From("connection")
    transportProtocol: Any = From("connection")
    applicationProtocols: Any = From("connection")
    filterChainName: Any = From("connection")
    filterChainMetadata: Any = From("connection")
    listener: Any = From("connection")
    downstreamTransportFailureReason: Any = From("connection")
    requestHeaderBytes: Any = From("encoder", "receivedHeaderBytes", 0)
    responseHeaderBytes: Any = From("encoder", "headerBytes", 0)
    wireBytesReceived: Any = From("encoder", "receivedWireBytes", 0)
    wireBytesSent: Any = From("encoder", "wireBytes", 0)
    upstreamHeaderBytesSent: Any = Asked(_sum("headerBytes"))
    upstreamHeaderBytesReceived: Any = Asked(_sum("receivedHeaderBytes"))
    upstreamWireBytesSent: Any = Asked(_sum("wireBytes"))
    upstreamWireBytesReceived: Any = Asked(_sum("receivedWireBytes"))
    upstreamEncoders: tuple[Any, ...] = ()

    def __init__(self, connection: StreamInfo, startTime: float, encoder: Any = None) -> None:
        self.connection = connection
        self.startTime = startTime
        self.encoder = encoder
        if connection.lendsMetadata:
            lent = connection.dynamicMetadata
            self.dynamicMetadata = {name: dict(struct) for name, struct in lent.items()}

    def _newState(self) -> FilterState:
        return FilterState(self.connection.filterState, LifeSpan.REQUEST)

    def stateOf(self, name: str) -> FilterStateObject | None:
        state = self.state
        return self.connection.stateOf(name) if state is None else state.get(name)

    def shared(self) -> Collection[tuple[str, Entry]]:
        state = self.state
        return self.connection.shared() if state is None else state.shared()
