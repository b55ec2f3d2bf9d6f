"""
What a connection is told by its client, and tells its upstream, in headers of the PROXY protocol.

Envoy: Network::ProxyProtocolFilterState
"""

from __future__ import annotations

from collections.abc import Hashable

from twisted.internet.interfaces import IAddress

PROXY_PROTOCOL = "envoy.network.proxy_protocol_options"
"""Where filter state has it."""


class ProxyProtocolState:
    """
    A filter state object without any printed form.

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

    def plainText(self) -> str | None:
        return None

    def typed(self) -> object:
        return None

    def field(self, name: str) -> object:
        return None

    def hashKey(self) -> Hashable | None:
        return None
