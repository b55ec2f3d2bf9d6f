"""What an upstream connection is given of the downstream one that it is made for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.proxy_protocol import PROXY_PROTOCOL, ProxyProtocolState
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.upstream.host import NO_OPTIONS


def optionsOf(info: StreamInfo, transport: Any, cluster: Any = None) -> TransportSocketOptions:
    """
    The options of one connection or request.

    Args:
        transport: of the downstream connection, which knows how many hops are behind it.
        cluster: where it goes: does its transport socket pass dynamic metadata, or send headers of
            the PROXY protocol?
    """
    shared = info.shared()
    hops = getattr(transport, "hops", 0)
    proxy = _proxyOf(info) if getattr(cluster, "sendsProxyHeader", False) else None
    if getattr(cluster, "passesMetadata", False) and info.dynamicMetadata:
        return TransportSocketOptions(shared, hops, deepcopy(info.dynamicMetadata), proxy=proxy)
    if proxy is not None:
        return TransportSocketOptions(shared, hops, proxy=proxy)
    return TransportSocketOptions(shared, hops) if shared or hops else NO_OPTIONS


def _proxyOf(info: StreamInfo) -> ProxyProtocolState:
    """What a header of the PROXY protocol told us, or the connection's own addresses."""
    told = info.stateOf(PROXY_PROTOCOL)
    if isinstance(told, ProxyProtocolState):
        return told
    connection: StreamInfo = getattr(info, "connection", info)
    return ProxyProtocolState(connection.remoteAddress, connection.localAddress)
