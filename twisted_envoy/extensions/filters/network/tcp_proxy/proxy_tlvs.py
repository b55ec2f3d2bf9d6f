"""
TLVs that a TCP proxy adds to what upstreams are told in headers of the PROXY protocol.

    policy                               told by the client       not told
    ADD_IF_ABSENT                        stays as it is           the config's
    OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD   the config's, and those  the config's
                                         of other types
    APPEND_IF_EXISTS_OR_ADD              its own, the config's    the config's

Envoy: extensions.filters.network.tcp_proxy.v3.ProxyProtocolTlvMergePolicy
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.common.proxy_protocol import AddedTLV, readAddedTLVs, valuesOf
from twisted_envoy.state.proxy_protocol import PROXY_PROTOCOL, ProxyProtocolState
from twisted_envoy.state.stream_info import FormatContext, StreamInfo
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@dataclass(frozen=True, slots=True)
class ProxyTLVs:
    """What the config says; called once for each connection, before its upstream is looked for."""

    added: tuple[AddedTLV, ...]
    policy: str
    seconds: Callable[[], float]

    def __call__(self, info: StreamInfo) -> None:
        told = info.filterState.get(PROXY_PROTOCOL)
        if isinstance(told, ProxyProtocolState) and self.policy == "ADD_IF_ABSENT":
            return
        tlvs = valuesOf(self.added, FormatContext(info, "NotSet", self.seconds()))
        source, target = info.remoteAddress, info.localAddress
        if isinstance(told, ProxyProtocolState):
            source, target = told.source, told.target
            if self.policy == "APPEND_IF_EXISTS_OR_ADD":
                tlvs = (*told.tlvs, *tlvs)
            else:
                kinds = {kind for kind, _ in tlvs}
                tlvs = (*tlvs, *(tlv for tlv in told.tlvs if tlv[0] not in kinds))
        info.filterState.set(PROXY_PROTOCOL, ProxyProtocolState(source, target, tlvs))


def readProxyTLVs(views: Iterable[View], policy: str, context: Any) -> ProxyTLVs:
    """
    `proxy_protocol_tlvs` of a TCP proxy.

    Raises:
        ConfigError: in Envoy's words.
    """
    return ProxyTLVs(readAddedTLVs(views, context), policy, context.reactor.seconds)
