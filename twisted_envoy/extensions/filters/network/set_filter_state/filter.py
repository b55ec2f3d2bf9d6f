"""
Set filter state: apply values at up to three moments of a connection's life.

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
    """
    Sets objects when the connection is made, and when it is open; not on the byte path.

    Args:
        onHandshake: set when a TLS handshake is done; a connection without TLS is open at once.
    """

    __slots__ = ("_onHandshake", "_onNewConnection", "_seconds")

    def __init__(
        self, seconds: Callable[[], float], onNewConnection: Values, onHandshake: Values = ()
    ) -> None:
        self._seconds = seconds
        self._onNewConnection = onNewConnection
        self._onHandshake = onHandshake

    def connectionMade(self) -> None:
        info = self.chain.streamInfo
        _apply(self._onNewConnection, info, self._seconds())
        if not self._onHandshake:
            return
        if info.tls is None:
            self._opened()
        else:
            info.tls.whenOpen(self._opened)

    def _opened(self) -> None:
        _apply(self._onHandshake, self.chain.streamInfo, self._seconds())


class SetFilterStateOnData(SetFilterState):
    """The same, and at the client's first bytes; then it leaves."""

    __slots__ = ("_onData",)

    def __init__(
        self,
        seconds: Callable[[], float],
        onNewConnection: Values,
        onHandshake: Values,
        onData: Values,
    ) -> None:
        super().__init__(seconds, onNewConnection, onHandshake)
        self._onData = onData

    def dataReceived(self, data: bytes) -> None:
        info = self.chain.streamInfo
        # The terminal filter counts bytes when it gets them; to a format they have come already.
        info.bytesReceived += len(data)
        _apply(self._onData, info, self._seconds())
        info.bytesReceived -= len(data)
        self.leave()
        self.deliver(data)

    def readConnectionLost(self) -> None:
        """An end before any byte counts as the first where it is not the connection's end."""
        if self.chain.halfCloses:
            _apply(self._onData, self.chain.streamInfo, self._seconds())
        self.leave()
        self.deliverEnd()


def _apply(values: Values, streamInfo: StreamInfo, now: float) -> None:
    context = FormatContext(streamInfo, now=now)
    for value in values:
        value.apply(context, LifeSpan.CONNECTION)
