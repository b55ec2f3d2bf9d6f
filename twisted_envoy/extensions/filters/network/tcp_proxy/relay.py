"""The two hot functions of a TCP proxy: one Python frame for each chunk in each direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted_envoy.network.timers import IdleTimer
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy


class Relay:
    """
    What the functions know: an object and a method of it are smaller than a closure.

    `up` takes the client's bytes to the upstream connection, `down` those of that to the client.

    Args:
        received, sent: of `up` `downstream_cx_rx_bytes_total` and the cluster's
            `upstream_cx_tx_bytes_total`; of `down` the cluster's `upstream_cx_rx_bytes_total` and
            `downstream_cx_tx_bytes_total`.
    """

    __slots__ = ("_idle", "_info", "_received", "_seconds", "_sent", "_write")

    def __init__(
        self,
        write: Callable[[bytes], None],
        received: Counter,
        sent: Counter,
        info: StreamInfo,
        idle: IdleTimer,
        seconds: Callable[[], float],
    ) -> None:
        self._received = received
        self._sent = sent
        self._write = write
        self._info = info
        self._idle = idle
        self._seconds = seconds

    def up(self, data: bytes) -> None:
        size = len(data)
        self._received.value += size
        self._sent.value += size
        self._info.bytesReceived += size
        self._idle.lastActivity = self._seconds()
        self._write(data)

    def down(self, data: bytes) -> None:
        size = len(data)
        self._received.value += size
        self._sent.value += size
        self._info.bytesSent += size
        self._idle.lastActivity = self._seconds()
        self._write(data)


def counting(
    counters: tuple[Counter, Counter],
    info: StreamInfo,
    idle: IdleTimer,
    seconds: Callable[[], float],
    up: bool,
) -> Callable[[int], None]:
    """
    What counts bytes that pass without being seen here.

    Args:
        counters: as for a `Relay`.
        up: they are the client's.
    """
    received, sent = counters

    def countUp(size: int) -> None:
        received.value += size
        sent.value += size
        info.bytesReceived += size
        idle.lastActivity = seconds()

    def countDown(size: int) -> None:
        received.value += size
        sent.value += size
        info.bytesSent += size
        idle.lastActivity = seconds()

    return countUp if up else countDown


def askingDrain(proxy: TCPProxy, relay: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """With check_drain_close: ask after each chunk whether the connection shall end."""
    drainClose = proxy.settings.drainClose
    assert drainClose is not None

    def relayAndAsk(data: bytes) -> None:
        relay(data)
        if drainClose():
            proxy.drain()

    return relayAndAsk
