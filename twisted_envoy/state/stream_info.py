"""
StreamInfo: everything that is known about one connection, or one request.

Follows Envoy's `StreamInfo`. It is made at accept, written by filters and links, read by filter
chain matching, formatters and access logs. What has not happened is a value of the class, so that
making one costs little; hot code adds to `bytesReceived` and `bytesSent` directly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, cast

from twisted.internet.interfaces import IAddress

from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.filter_state import Entry, FilterState, FilterStateObject
from twisted_envoy.state.lazy import Asked, Fresh, From

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


def _hosts(upstream: UpstreamInfo) -> list[str]:
    """Address texts of `made`, each once."""
    return list(dict.fromkeys(addressText(host.address) for host, _ in upstream.made))


def _hostNames(upstream: UpstreamInfo) -> list[str]:
    """Hostnames of `made`, of each host once."""
    hosts = {addressText(host.address): host.hostname for host, _ in reversed(upstream.made)}
    return [hosts[text] for text in _hosts(upstream) if hosts[text]]


def _ownAddress(upstream: UpstreamInfo) -> Any:
    wire = upstream.wire
    return getattr(upstream.connection, "localAddress", None) if wire is None else wire.getHost()


def _peerAddress(upstream: UpstreamInfo) -> Any:
    wire = upstream.wire
    return getattr(upstream.connection, "remoteAddress", None) if wire is None else wire.getPeer()


def _connectionIDs(upstream: UpstreamInfo) -> list[int]:
    """Of `made`; the only one, where these are no requests."""
    made = [connection.connectionID for _, connection in upstream.made]
    return made or ([upstream.connectionID] if upstream.connectionID else [])


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
        hostsAttempted, hostNamesAttempted: address texts and hostnames, in order; assign anew.
        connectionIDsAttempted: of the connections that were made, in order; assign anew.
        tls: a codec.tls_info.TLSInfo when the upstream connection is inside TLS.
        stream: of a TCP proxy's tunnel, a codec.http.IStreamEncoder; or None.
        connection: an interfaces.http.PoolConnection, which knows its addresses and so on; or None.
        wire: a TCP proxy's upstream transport, which knows its addresses; or None.
        made: (host, connection) of a request's last attempt, if it had a stream.
    """

    cluster: object | None = None
    host: object | None = None
    connection: Any = None
    stream: Any = None
    wire: Any = None
    made: tuple[tuple[Any, Any], ...] = ()
    localAddress: Any = Asked(_ownAddress)
    remoteAddress: Any = Asked(_peerAddress)
    filterState: Any = From("connection")
    tls: Any = From("connection")
    connectedTime: float | None = cast(Any, From("connection"))
    connectionID: Any = From("connection", default=0)
    transportFailureReason = localCloseReason = ""
    detectedCloseType = "Normal"
    attempts = bytesSent = bytesReceived = 0
    startTime: float | None = cast(Any, From("connection"))
    hostsAttempted: list[str] = cast(Any, Asked(_hosts))
    hostNamesAttempted: list[str] = cast(Any, Asked(_hostNames))
    connectionIDsAttempted: list[int] = cast(Any, Asked(_connectionIDs))

    def __init__(self, clusterName: str = "") -> None:
        self.clusterName = clusterName


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
        state: the filterState, None while nobody has asked for it.
        lendsMetadata: requests on this connection begin with its dynamic metadata; never in Envoy.
        responseCodeDetails: what decided about the answer, "" for nothing in particular.
        inspectionFailureReason: why a connection that was inspected for TLS had none; its requests
            do not know it.
        ja3, ja4: fingerprints of the client's hello, "" where nobody took them.
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
    requestID: Any = None
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

    endTime: float | None = None
    lendsMetadata = False
    requestedServerName = transportProtocol = filterChainName = streamID = ""
    ja3 = ja4 = ""
    applicationProtocols: tuple[str, ...] = ()
    filterChainMetadata: Mapping[str, dict[str, object]] = MappingProxyType({})
    listener: object | None = None
    bytesReceived = bytesSent = 0
    connectionTerminationDetails = downstreamTransportFailureReason = localCloseReason = ""
    inspectionFailureReason = ""
    responseCodeDetails = ""
    detectedCloseType = "Normal"
    tls: Any = None
    upstream: UpstreamInfo | None = None
    state: FilterState | None = None
    dynamicMetadata: Any = Fresh(lambda info: {})
    responseFlags: Any = Fresh(lambda info: [])

    def __init__(
        self,
        startTime: float,
        localAddress: IAddress | None = None,
        remoteAddress: IAddress | None = None,
        connectionID: int = 0,
        filterState: FilterState | None = None,
    ) -> None:
        self.startTime = startTime
        self.connectionID = connectionID
        self.localAddress = self.directLocalAddress = localAddress
        self.remoteAddress = self.directRemoteAddress = remoteAddress
        if filterState is not None:
            self.state = filterState

    @property
    def filterState(self) -> FilterState:
        """Made when somebody asks for it."""
        state = self.state
        if state is None:
            state = self.state = self._newState()
        return state

    @filterState.setter
    def filterState(self, state: FilterState) -> None:
        self.state = state

    def _newState(self) -> FilterState:
        return FilterState()

    def stateOf(self, name: str) -> FilterStateObject | None:
        """The object of that name in its filter state, or None."""
        state = self.state
        return None if state is None else state.get(name)

    def shared(self) -> Collection[tuple[str, Entry]]:
        """What its filter state shares with upstream connections."""
        state = self.state
        return () if state is None else state.shared()

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
