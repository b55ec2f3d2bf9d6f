"""
Restores the addresses that a connection had before it was redirected.

    connection   local address from                              remote address from
    IP socket    the kernel's SO_ORIGINAL_DST                    nowhere
    internal     dynamic metadata `...original_dst`: `local`,    filter state
                 where there is none `...original_dst.local_ip`  `...original_dst.remote_ip`

What is missing or cannot be read changes nothing.

Envoy: extensions.filters.listener.original_dst.v3.OriginalDst
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from twisted_envoy.extensions.common.filter_state.objects import AddressObject, makeAddress
from twisted_envoy.interfaces.network import ITransportListenerFilter, Verdict
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.stream_info import StreamInfo

_NAME = "envoy.filters.listener.original_dst"
_LOCAL = f"{_NAME}.local_ip"
_REMOTE = f"{_NAME}.remote_ip"
_SO_ORIGINAL_DST = 80
_SOL_IPV6 = 41
_DONE = (Verdict.DONE, 0)


@implementer(ITransportListenerFilter)
class OriginalDst:
    """One connection's."""

    __slots__ = ("_transport",)

    maxReadBytes = 0

    def connected(self, transport: Any) -> None:
        self._transport = transport

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        transport, self._transport = self._transport, None
        if isinstance(streamInfo.directLocalAddress, InternalAddress):
            _restorePassed(streamInfo)
        else:
            found = _askKernel(transport, streamInfo.directLocalAddress)
            if found is not None:
                streamInfo.localAddress = found
        return _DONE


def _restorePassed(info: StreamInfo) -> None:
    """Of an internal connection: from what came along with it."""
    metadata = info.dynamicMetadata.get(_NAME, {})
    local: object = info.filterState.get(_LOCAL)
    if "local" in metadata:
        text = metadata["local"]
        local = makeAddress(text) if isinstance(text, str) else None
    if isinstance(local, AddressObject):
        info.localAddress = local.address
    remote = info.filterState.get(_REMOTE)
    if isinstance(remote, AddressObject):
        info.remoteAddress = remote.address


def _askKernel(transport: Any, local: IAddress | None) -> IAddress | None:
    """Where the client wanted to go; None when the kernel redirected nothing."""
    handle = getattr(transport, "getHandle", None)
    if handle is None:
        return None
    try:
        if isinstance(local, IPv4Address):
            answer = handle().getsockopt(socket.IPPROTO_IP, _SO_ORIGINAL_DST, 16)
            _, port, host = struct.unpack("!HH4s8x", answer)
            return IPv4Address("TCP", socket.inet_ntop(socket.AF_INET, host), port)
        if isinstance(local, IPv6Address):
            answer = handle().getsockopt(_SOL_IPV6, _SO_ORIGINAL_DST, 28)
            _, port, host = struct.unpack("!HH4x16s4x", answer)
            return IPv6Address("TCP", socket.inet_ntop(socket.AF_INET6, host), port)
    except OSError:
        return None
    return None
