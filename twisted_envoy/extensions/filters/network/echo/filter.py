"""
Echo: the smallest terminal filter.

Envoy: extensions.filters.network.echo.v3.Echo
"""

from __future__ import annotations

from twisted_envoy.network.link import Link
from twisted_envoy.state.stream_info import StreamInfo


class Echo(Link):
    """
    Writes what it reads; reads no faster than the client takes.

    The client's end of stream closes the connection once all has been written.
    """

    __slots__ = ("_info",)
    _info: StreamInfo

    def connectionMade(self) -> None:
        self._info = self.chain.streamInfo
        self.transport.registerProducer(self.chain.gate, True)

    def dataReceived(self, data: bytes) -> None:
        info = self._info
        size = len(data)
        info.bytesReceived += size
        info.bytesSent += size
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        transport = self.transport
        transport.unregisterProducer()
        transport.loseWriteConnection()
        transport.loseConnection()
