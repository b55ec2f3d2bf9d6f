"""What an upstream connection is given of the downstream one that it is made for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.upstream.host import NO_OPTIONS


def optionsOf(info: StreamInfo, transport: Any, cluster: Any = None) -> TransportSocketOptions:
    """
    The options of one connection or request.

    Args:
        transport: of the downstream connection, which knows how many hops are behind it.
        cluster: where it goes: does its transport socket pass dynamic metadata?
    """
    shared = info.filterState.shared()
    hops = getattr(transport, "hops", 0)
    if info.dynamicMetadata and getattr(cluster, "passesMetadata", False):
        return TransportSocketOptions(shared, hops, deepcopy(info.dynamicMetadata))
    return TransportSocketOptions(shared, hops) if shared or hops else NO_OPTIONS
