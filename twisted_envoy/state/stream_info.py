"""
StreamInfo: everything that is known about one connection (and, later, one request).

Follows Envoy's `StreamInfo`. It is made at accept, written by filters and links, read by filter
chain matching, formatters and access logs. Plain slots: hot code adds to `bytesReceived` and
`bytesSent` directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IAddress

from twisted_envoy.state.filter_state import FilterState

RESPONSE_FLAGS: Mapping[str, str] = {
    "LH": "FailedLocalHealthCheck",
    "UH": "NoHealthyUpstream",
    "UT": "UpstreamRequestTimeout",
    "LR": "LocalReset",
    "UR": "UpstreamRemoteReset",
    "UF": "UpstreamConnectionFailure",
    "UC": "UpstreamConnectionTermination",
    "UO": "UpstreamOverflow",
    "NR": "NoRouteFound",
    "DI": "DelayInjected",
    "FI": "FaultInjected",
    "RL": "RateLimited",
    "UAEX": "UnauthorizedExternalService",
    "RLSE": "RateLimitServiceError",
    "DC": "DownstreamConnectionTermination",
    "URX": "UpstreamRetryLimitExceeded",
    "SI": "StreamIdleTimeout",
    "IH": "InvalidEnvoyRequestHeaders",
    "DPE": "DownstreamProtocolError",
    "UMSDR": "UpstreamMaxStreamDurationReached",
    "RFCF": "ResponseFromCacheFilter",
    "NFCF": "NoFilterConfigFound",
    "DT": "DurationTimeout",
    "UPE": "UpstreamProtocolError",
    "NC": "NoClusterFound",
    "OM": "OverloadManagerTerminated",
    "DF": "DnsResolutionFailed",
    "DO": "DropOverload",
    "DR": "DownstreamRemoteReset",
    "UDO": "UnconditionalDropOverload",
}
"""Short form -> long form of every response flag of Envoy 1.40."""


class UpstreamInfo:
    """
    The upstream side of a connection or request.

    Args:
        clusterName: the cluster that was picked; "" before.

    Attributes:
        cluster: an interfaces.upstream.ICluster once it is known; host may still be None then.
        host: an interfaces.upstream.IHost once one was chosen.
        localAddress, remoteAddress: of the upstream connection, None before it exists.
        filterState: what was shared with the upstream connection.
        transportFailureReason: `%UPSTREAM_TRANSPORT_FAILURE_REASON%`, "" when none.
        attempts: connection (or request) attempts made.
        hostsAttempted, hostNamesAttempted: address texts and hostnames, in order.
        connectionIDsAttempted: of the connections that were made, in order.
        tls: a codec.tls_info.TLSInfo when the upstream connection is inside TLS.
    """

    __slots__ = (
        "attempts",
        "bytesReceived",
        "bytesSent",
        "cluster",
        "clusterName",
        "connectedTime",
        "connectionID",
        "connectionIDsAttempted",
        "detectedCloseType",
        "filterState",
        "host",
        "hostNamesAttempted",
        "hostsAttempted",
        "localAddress",
        "localCloseReason",
        "remoteAddress",
        "startTime",
        "tls",
        "transportFailureReason",
    )

    def __init__(self, clusterName: str = "") -> None:
        self.clusterName = clusterName
        self.cluster: object | None = None
        self.host: object | None = None
        self.localAddress: IAddress | None = None
        self.remoteAddress: IAddress | None = None
        self.filterState: FilterState | None = None
        self.tls: Any = None
        self.transportFailureReason = ""
        self.localCloseReason = ""
        self.detectedCloseType = "Normal"
        self.connectionID = 0
        self.attempts = 0
        self.hostsAttempted: list[str] = []
        self.hostNamesAttempted: list[str] = []
        self.connectionIDsAttempted: list[int] = []
        self.startTime: float | None = None
        self.connectedTime: float | None = None
        self.bytesSent = 0
        self.bytesReceived = 0


class StreamInfo:
    """
    What is known about one downstream connection.

    Args:
        startTime: seconds of the reactor's clock when the connection was accepted.
        localAddress: where the client connected to; a listener filter may restore another.
        remoteAddress: who connected; a listener filter may restore another.
        connectionID: counts from 1 in this process.
        filterState: None makes an empty one.

    Attributes:
        directLocalAddress, directRemoteAddress: the socket's own, never changed.
        endTime: seconds, None while it is open.
        responseFlags: short forms in the order in which they were raised.
        dynamicMetadata: namespace -> JSON-like dict.
        filterChainMetadata: namespace -> JSON-like dict of the chosen filter chain.
        streamID: a UUID text, "" until someone asks for it.
        listener: an interfaces.network.IListenerInfo, None outside a listener.
        detectedCloseType: `Normal`, `RemoteReset` or `LocalReset`.
        lendsMetadata: requests on this connection begin with its dynamic metadata; never in Envoy.
        responseCodeDetails: what decided about the answer, "" for nothing in particular.
        tls: a codec.tls_info.TLSInfo once a handshake is done; None without TLS.

    What only a request has (state.request_info) is there as a value of the class, so that who
    formats need not ask what it is.
    """

    isRequest = False
    requestHeaders: Any = None
    requestTrailers: Any = None
    responseHeaders: Any = None
    responseTrailers: Any = None
    route: Any = None
    protocol = upstreamProtocol = routeName = virtualClusterName = localReplyBody = ""
    responseCode = attemptCount = 0
    isHealthCheck = False
    requestHeaderBytes = responseHeaderBytes = 0
    upstreamHeaderBytesReceived = upstreamHeaderBytesSent = 0
    headersReceivedTime: float | None = None
    lastRequestByteReceivedTime: float | None = None
    firstUpstreamByteSentTime: float | None = None
    lastUpstreamByteSentTime: float | None = None
    firstUpstreamByteReceivedTime: float | None = None
    firstUpstreamBodyByteReceivedTime: float | None = None
    lastUpstreamByteReceivedTime: float | None = None
    firstResponseByteSentTime: float | None = None
    lastResponseByteSentTime: float | None = None

    __slots__ = (
        "applicationProtocols",
        "bytesReceived",
        "bytesSent",
        "connectionID",
        "connectionTerminationDetails",
        "detectedCloseType",
        "directLocalAddress",
        "directRemoteAddress",
        "downstreamTransportFailureReason",
        "dynamicMetadata",
        "endTime",
        "filterChainMetadata",
        "filterChainName",
        "filterState",
        "lendsMetadata",
        "listener",
        "localAddress",
        "localCloseReason",
        "remoteAddress",
        "requestedServerName",
        "responseCodeDetails",
        "responseFlags",
        "startTime",
        "streamID",
        "tls",
        "transportProtocol",
        "upstream",
    )

    def __init__(
        self,
        startTime: float,
        localAddress: IAddress | None = None,
        remoteAddress: IAddress | None = None,
        connectionID: int = 0,
        filterState: FilterState | None = None,
    ) -> None:
        self.startTime = startTime
        self.endTime: float | None = None
        self.connectionID = connectionID
        self.localAddress = self.directLocalAddress = localAddress
        self.remoteAddress = self.directRemoteAddress = remoteAddress
        self.filterState = FilterState() if filterState is None else filterState
        self.dynamicMetadata: dict[str, dict[str, object]] = {}
        self.lendsMetadata = False
        self.requestedServerName = ""
        self.transportProtocol = ""
        self.applicationProtocols: tuple[str, ...] = ()
        self.filterChainName = ""
        self.filterChainMetadata: Mapping[str, dict[str, object]] = {}
        self.streamID = ""
        self.listener: object | None = None
        self.bytesReceived = 0
        self.bytesSent = 0
        self.responseFlags: list[str] = []
        self.connectionTerminationDetails = ""
        self.downstreamTransportFailureReason = ""
        self.localCloseReason = ""
        self.responseCodeDetails = ""
        self.detectedCloseType = "Normal"
        self.tls: Any = None
        self.upstream: UpstreamInfo | None = None

    @property
    def localAddressRestored(self) -> bool:
        """Did a listener filter find out where the client wanted to go?"""
        return self.localAddress is not self.directLocalAddress

    def raiseFlag(self, flag: str) -> None:
        """Raise a response flag (short form); raising it again changes nothing."""
        if flag not in RESPONSE_FLAGS:
            raise ValueError(f"no such response flag: {flag!r}")
        if flag not in self.responseFlags:
            self.responseFlags.append(flag)


class FormatContext:
    """
    What one formatted line is made from: a log record, a header value, a body.

    Args:
        streamInfo: the connection's or request's.
        accessLogType: `TcpConnectionEnd`, `TcpUpstreamConnected`, ... or "NotSet".
        now: seconds of the reactor's clock at the moment of formatting.
    """

    __slots__ = ("accessLogType", "now", "streamInfo")

    def __init__(
        self, streamInfo: StreamInfo, accessLogType: str = "NotSet", now: float = 0.0
    ) -> None:
        self.streamInfo = streamInfo
        self.accessLogType = accessLogType
        self.now = now
