"""
What the header of one connection says.

    version   somebody is behind it     nobody is       no IP addresses
    V1        both addresses            its own ones    UNKNOWN (Envoy crashes)
    V2        both addresses, TLVs      LOCAL           no header, and it is counted, as in Envoy

TLVs come in the order host, config, passed on; one that is passed on gives way to another one of
its type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.proxy_protocol import LOCAL_HEADER, TLV, binaryHeader, proxyHeader
from twisted_envoy.extensions.common.proxy_protocol import AddedTLV, valuesOf
from twisted_envoy.interfaces.upstream import IHost
from twisted_envoy.state.proxy_protocol import ProxyProtocolState
from twisted_envoy.state.stream_info import FormatContext, StreamInfo, UpstreamInfo
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class HeaderSettings:
    """
    What the config says.

    Attributes:
        version: V1 or V2.
        passes: whether a TLV of that type goes on.
        added: TLVs of the config.
        exceeded: counts headers that do not say everything.
        seconds: the reactor's clock.
    """

    version: str
    passes: Callable[[int], bool]
    added: tuple[AddedTLV, ...]
    exceeded: Counter
    seconds: Callable[[], float]


def headerOf(
    settings: HeaderSettings, host: IHost, told: ProxyProtocolState | None, transport: Any
) -> bytes:
    """
    The header; nothing when there is none to send.

    Args:
        told: who is behind the connection, None for nobody.
        transport: the connection, which is there by now.
    """
    if settings.version == "V1":
        if told is None:
            return proxyHeader("V1", transport.getHost(), transport.getPeer())
        return proxyHeader("V1", told.source, told.target)
    if told is None:
        return LOCAL_HEADER
    tlvs = _tlvs(settings, host, told, transport)
    header, complete = binaryHeader(told.source, told.target, tlvs)
    if not complete:
        settings.exceeded.value += 1
    return header


def _tlvs(
    settings: HeaderSettings, host: IHost, told: ProxyProtocolState, transport: Any
) -> list[TLV]:
    own = host.addedTLVs
    found: list[TLV] = []
    if own or settings.added:
        kinds = {kind for kind, _ in own}
        more = (one for one in settings.added if one[0] not in kinds)
        found.extend(valuesOf((*own, *more), _contextOf(settings, host, transport)))
    kinds = {kind for kind, _ in found}
    found.extend(tlv for tlv in told.tlvs if tlv[0] not in kinds and settings.passes(tlv[0]))
    return found


def _contextOf(settings: HeaderSettings, host: IHost, transport: Any) -> FormatContext:
    """Formats see the upstream connection itself, as in Envoy."""
    now = settings.seconds()
    info = StreamInfo(now, transport.getHost(), transport.getPeer())
    info.upstream = UpstreamInfo()
    info.upstream.host = host
    return FormatContext(info, "NotSet", now)
