"""Operators about the upstream side: cluster, host, connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IAddress

from twisted_envoy.formatter.operators.addresses import (
    endpointIDEntry,
    family,
    hostNameWithoutPort,
)
from twisted_envoy.formatter.operators.entry import Operators, number, text
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, UpstreamInfo

Field = Callable[[UpstreamInfo], "str | None"]


def clusterOf(context: FormatContext) -> object | None:
    """The ICluster that was picked; None before."""
    upstream = context.streamInfo.upstream
    if upstream is None:
        return None
    if upstream.cluster is not None:
        return upstream.cluster
    return getattr(upstream.host, "cluster", None)


def _clusterName(context: FormatContext) -> str | None:
    upstream = context.streamInfo.upstream
    if upstream is None or not (upstream.clusterName or upstream.cluster):
        return None
    alternative: object = getattr(clusterOf(context), "observabilityName", None)
    return alternative if isinstance(alternative, str) and alternative else _rawName(upstream)


def _rawName(upstream: UpstreamInfo) -> str | None:
    return upstream.clusterName or None


def _ofUpstream(field: Field) -> Callable[[FormatContext], str | None]:
    def value(context: FormatContext) -> str | None:
        upstream = context.streamInfo.upstream
        return None if upstream is None else field(upstream)

    return value


def _connectionID(context: FormatContext) -> int:
    upstream = context.streamInfo.upstream
    return 0 if upstream is None else upstream.connectionID


def _hostAddress(upstream: UpstreamInfo) -> str | None:
    address: IAddress | None = getattr(upstream.host, "address", None)
    return None if address is None else addressText(address)


def _hostName(upstream: UpstreamInfo) -> str | None:
    name: object = getattr(upstream.host, "hostname", None)
    return name if isinstance(name, str) and name else _hostAddress(upstream)


def _bareHostName(upstream: UpstreamInfo) -> str | None:
    name = _hostName(upstream)
    return None if name is None else hostNameWithoutPort(name)


def _bareAddress(address: str) -> str:
    return address if "/" in address else hostNameWithoutPort(address)


def _hostNames(upstream: UpstreamInfo) -> list[str]:
    return upstream.hostNamesAttempted or upstream.hostsAttempted


def _connectionIDs(upstream: UpstreamInfo) -> str | None:
    ids = upstream.connectionIDsAttempted
    if not ids and upstream.connectionID:
        ids = [upstream.connectionID]
    return ",".join(map(str, ids)) or None


def _poolReady(context: FormatContext) -> int | None:
    upstream = context.streamInfo.upstream
    if upstream is None or not upstream.clusterName:
        return None
    if isinstance(context.streamInfo, RequestInfo):
        return 0 if upstream.attempts else None  # nobody measures how long a request waits
    if upstream.startTime is None or upstream.connectedTime is None:
        return 0
    return round((upstream.connectedTime - upstream.startTime) * 1_000_000) // 1000


def _detectedCloseType(context: FormatContext) -> str | None:
    upstream = context.streamInfo.upstream
    return None if upstream is None else upstream.detectedCloseType or None


def _localAddress(context: FormatContext) -> IAddress | None:
    upstream = context.streamInfo.upstream
    return None if upstream is None else upstream.localAddress


def _remoteAddress(context: FormatContext) -> IAddress | None:
    upstream = context.streamInfo.upstream
    return None if upstream is None else upstream.remoteAddress


def _attempts(context: FormatContext) -> int:
    info = context.streamInfo
    if info.isRequest:
        return info.attemptCount
    return 0 if info.upstream is None else info.upstream.attempts


def _wireReceived(context: FormatContext) -> int:
    info: Any = context.streamInfo
    if info.isRequest:
        received: int = info.upstreamWireBytesReceived
        return received
    upstream = info.upstream
    if upstream is None:
        return 0
    through = upstream.stream
    payload: int = upstream.bytesReceived  # which Envoy counts with the stream's bytes once more
    return payload if through is None else payload + through.receivedWireBytes


def _wireSent(context: FormatContext) -> int:
    info: Any = context.streamInfo
    if info.isRequest:
        sent: int = info.upstreamWireBytesSent
        return sent
    upstream = info.upstream
    if upstream is None:
        return 0
    through = upstream.stream
    payload: int = upstream.bytesSent
    return payload if through is None else payload + through.wireBytes


OPERATORS: Operators = {
    **family("UPSTREAM_LOCAL", _localAddress),
    **family("UPSTREAM_REMOTE", _remoteAddress),
    "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID": endpointIDEntry(_remoteAddress),
    "UPSTREAM_CLUSTER": text(_clusterName),
    "UPSTREAM_CLUSTER_RAW": text(_ofUpstream(_rawName)),
    "UPSTREAM_CONNECTION_ID": number(_connectionID),
    "UPSTREAM_CONNECTION_IDS_ATTEMPTED": text(_ofUpstream(_connectionIDs)),
    "UPSTREAM_CONNECTION_POOL_READY_DURATION": number(_poolReady),
    "UPSTREAM_DETECTED_CLOSE_TYPE": text(_detectedCloseType),
    "UPSTREAM_HOST": text(_ofUpstream(_hostAddress)),
    "UPSTREAM_HOST_NAME": text(_ofUpstream(_hostName)),
    "UPSTREAM_HOST_NAME_WITHOUT_PORT": text(_ofUpstream(_bareHostName)),
    "UPSTREAM_HOSTS_ATTEMPTED": text(
        _ofUpstream(lambda upstream: ",".join(upstream.hostsAttempted) or None)
    ),
    "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT": text(
        _ofUpstream(lambda upstream: ",".join(map(_bareAddress, upstream.hostsAttempted)) or None)
    ),
    "UPSTREAM_HOST_NAMES_ATTEMPTED": text(
        _ofUpstream(lambda upstream: ",".join(_hostNames(upstream)) or None)
    ),
    "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT": text(
        _ofUpstream(
            lambda upstream: ",".join(map(hostNameWithoutPort, _hostNames(upstream))) or None
        )
    ),
    "UPSTREAM_LOCAL_CLOSE_REASON": text(
        _ofUpstream(lambda upstream: upstream.localCloseReason or None)
    ),
    "UPSTREAM_REQUEST_ATTEMPT_COUNT": number(_attempts),
    "UPSTREAM_TRANSPORT_FAILURE_REASON": text(
        _ofUpstream(lambda upstream: upstream.transportFailureReason or None)
    ),
    "UPSTREAM_WIRE_BYTES_RECEIVED": number(_wireReceived),
    "UPSTREAM_WIRE_BYTES_SENT": number(_wireSent),
}
