"""
What an upstream answered to the request for a tunnel, in the filter state of the client.

Envoy: tcp_proxy TunnelResponseHeaders, TunnelResponseTrailers
"""

from __future__ import annotations

from collections.abc import Hashable

from twisted_envoy.codec.headers import HeaderMap

RESPONSE_HEADERS = "envoy.tcp_proxy.propagate_response_headers"
RESPONSE_TRAILERS = "envoy.tcp_proxy.propagate_response_trailers"


class HeadersObject:
    """
    Header fields that print as a `config.core.v3.HeaderMap`, TYPED only.

    Args:
        headers: kept as they are.
    """

    __slots__ = ("headers",)

    def __init__(self, headers: HeaderMap) -> None:
        self.headers = headers

    def plainText(self) -> str | None:
        return None

    def typed(self) -> object:
        fields = [
            {"key": name.decode("utf-8", "replace"), "value": value.decode("utf-8", "replace")}
            for name, value in self.headers.pairs()
        ]
        return {"headers": fields} if fields else {}

    def field(self, name: str) -> object:
        return None

    def hashKey(self) -> Hashable | None:
        return None
