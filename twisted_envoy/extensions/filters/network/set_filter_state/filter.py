"""
Set filter state: apply values at one or two moments of a connection's life.

Envoy: extensions.filters.network.set_filter_state.v3.Config
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.extensions.common.filter_state.values import FilterStateValue
from twisted_envoy.network.link import Link
from twisted_envoy.state.filter_state import LifeSpan
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

Values = tuple[FilterStateValue, ...]


class SetFilterState(Link):
    """Sets objects when the connection is made; not on the byte path."""

    __slots__ = ("_onNewConnection", "_seconds")

    def __init__(self, seconds: Callable[[], float], onNewConnection: Values) -> None:
        self._seconds = seconds
        self._onNewConnection = onNewConnection

    def connectionMade(self) -> None:
        _apply(self._onNewConnection, self.chain.streamInfo, self._seconds())


class SetFilterStateOnData(Link):
    """Sets objects when the connection is made and at the client's first bytes, then leaves."""

    __slots__ = ("_onData", "_onNewConnection", "_seconds")

    def __init__(
        self, seconds: Callable[[], float], onNewConnection: Values, onData: Values
    ) -> None:
        self._seconds = seconds
        self._onNewConnection = onNewConnection
        self._onData = onData

    def connectionMade(self) -> None:
        _apply(self._onNewConnection, self.chain.streamInfo, self._seconds())

    def dataReceived(self, data: bytes) -> None:
        info = self.chain.streamInfo
        # The terminal filter counts bytes when it gets them; to a format they have come already.
        info.bytesReceived += len(data)
        _apply(self._onData, info, self._seconds())
        info.bytesReceived -= len(data)
        self.leave()
        self.deliver(data)

    def readConnectionLost(self) -> None:
        """An end of stream before any byte counts as the first, as in Envoy."""
        _apply(self._onData, self.chain.streamInfo, self._seconds())
        self.leave()
        self.deliverEnd()


def _apply(values: Values, streamInfo: StreamInfo, now: float) -> None:
    context = FormatContext(streamInfo, now=now)
    for value in values:
        value.apply(context, LifeSpan.CONNECTION)
