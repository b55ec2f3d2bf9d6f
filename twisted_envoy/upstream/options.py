"""What an upstream connection is given of the downstream one that it is made for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.proxy_protocol import PROXY_PROTOCOL, ProxyProtocolState
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.state.upstream_tls import (
    PROTOCOLS,
    SERVER_NAME,
    SUBJECT_NAMES,
    ListObject,
    ServerName,
)
from twisted_envoy.upstream.host import NO_OPTIONS

_MOST = 8
_HOPS = (NO_OPTIONS, *(TransportSocketOptions(hops=hops) for hops in range(1, _MOST)))
"""Of connections that share nothing, by the hops behind them."""


def optionsOf(info: StreamInfo, transport: Any, cluster: Any = None) -> TransportSocketOptions:
    """
    The options of one connection or request.

    Args:
        transport: of the downstream connection, which knows how many hops are behind it.
        cluster: where it goes: does its transport socket pass dynamic metadata, or send headers of
            the PROXY protocol?
    """
    hops = getattr(transport, "hops", 0)
    shared = info.shared()
    if not shared and hops < _MOST and getattr(cluster, "asksNothing", False):
        return _HOPS[hops]
    proxy = _proxyOf(info) if getattr(cluster, "sendsProxyHeader", False) else None
    if getattr(cluster, "isTLS", False):
        wanted = _wantedOf(info)
        if wanted is not None:
            return _more(wanted._replace(shared=shared, hops=hops, proxy=proxy), info, cluster)
    if proxy is not None or getattr(cluster, "passesMetadata", False):
        found = _more(TransportSocketOptions(shared, hops, proxy=proxy), info, cluster)
        return NO_OPTIONS if found == NO_OPTIONS else found
    return TransportSocketOptions(shared, hops) if shared or hops else NO_OPTIONS


def _more(
    options: TransportSocketOptions, info: StreamInfo, cluster: Any
) -> TransportSocketOptions:
    """The same, with the dynamic metadata that the cluster passes."""
    if getattr(cluster, "passesMetadata", False) and info.dynamicMetadata:
        return options._replace(metadata=deepcopy(info.dynamicMetadata))
    return options


def _wantedOf(info: StreamInfo) -> TransportSocketOptions | None:
    """What filter state has TLS ask for; None for nothing."""
    name = info.stateOf(SERVER_NAME)
    names = info.stateOf(SUBJECT_NAMES)
    protocols = info.stateOf(PROTOCOLS)
    if name is None and names is None and protocols is None:
        return None
    offered = protocols.items if isinstance(protocols, ListObject) else ()
    return TransportSocketOptions(
        onlyProtocols=tuple(one.encode() for one in offered),
        serverName=name.value if isinstance(name, ServerName) else "",
        subjectNames=names.items if isinstance(names, ListObject) else (),
    )


def _proxyOf(info: StreamInfo) -> ProxyProtocolState:
    """What a header of the PROXY protocol told us, or the connection's own addresses."""
    told = info.stateOf(PROXY_PROTOCOL)
    if isinstance(told, ProxyProtocolState):
        return told
    connection: StreamInfo = getattr(info, "connection", info)
    return ProxyProtocolState(connection.remoteAddress, connection.localAddress)
