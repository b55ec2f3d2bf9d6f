"""
What a connection is told by its client, and tells its upstream, in headers of the PROXY protocol.

Envoy: Network::ProxyProtocolFilterState
"""

from __future__ import annotations

from twisted.internet.interfaces import IAddress

from twisted_envoy.state.filter_state import SilentObject

PROXY_PROTOCOL = "envoy.network.proxy_protocol_options"
"""Where filter state has it."""


class ProxyProtocolState(SilentObject):
    """
    The filter state object of it.

    Attributes:
        source: who connected; target: where to.
        tlvs: types and values that may go on to upstreams.
    """

    __slots__ = ("source", "target", "tlvs")

    def __init__(
        self,
        source: IAddress | None,
        target: IAddress | None,
        tlvs: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        self.source = source
        self.target = target
        self.tlvs = tlvs
