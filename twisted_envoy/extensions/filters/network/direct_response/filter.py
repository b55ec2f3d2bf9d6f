"""
Direct response: write and close.

Envoy: extensions.filters.network.direct_response.v3.Config
"""

from __future__ import annotations

from twisted_envoy.network.link import Link


class DirectResponse(Link):
    """
    Writes its answer when the connection is made and closes; what the client sends is dropped.

    Args:
        response: may be empty: then it only closes.
    """

    __slots__ = ("_response",)

    def __init__(self, response: bytes) -> None:
        self._response = response

    def connectionMade(self) -> None:
        self.chain.streamInfo.bytesSent += len(self._response)
        self.chain.streamInfo.responseCodeDetails = "direct_response"
        transport = self.transport
        transport.write(self._response)
        transport.loseConnection()
