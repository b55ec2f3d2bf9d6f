"""
PING keepalive of one HTTP/2 connection.

    IDLE     start, or a stream when nothing came for idleInterval
    WAITING  a PING was sent: its ACK, or any bytes at all in time, else the connection is dead

Bytes that come while a PING is out put its time-out off, as Envoy's do by default.

Envoy: config.core.v3.KeepaliveSettings; Http2::ConnectionImpl::sendKeepalive
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.codec.settings import Keepalive


class PingingCodec(Protocol):
    """
    What is asked of a codec.

    Attributes:
        pingAcked: it calls this with the 8 bytes of each PING that the peer has answered.
        activity: bytes that have come so far.
    """

    pingAcked: Callable[[bytes], None] | None
    activity: int

    def sendPing(self, opaque: bytes) -> None: ...


class PingKeepalive:
    """
    Watches over one connection.

    Args:
        settings: interval None: PING only before a stream that follows idleInterval of silence.
        reactor: IReactorTime.
        random: gives `random()` below 1; a share of jitter is added to each interval.
        stats: `keepalive_timeout` counts.
        dead: called once when no answer came in time; close the connection at once.
    """

    __slots__ = (
        "_codec",
        "_count",
        "_dead",
        "_heard",
        "_heardTime",
        "_random",
        "_reactor",
        "_settings",
        "_stats",
        "_timeout",
        "_timer",
    )

    def __init__(
        self,
        codec: PingingCodec,
        settings: Keepalive,
        reactor: Any,
        random: Any,
        stats: Any,
        dead: Callable[[], None],
    ) -> None:
        self._codec = codec
        self._settings = settings
        self._reactor = reactor
        self._random = random
        self._stats = stats
        self._dead = dead
        self._count = 0
        self._heard = 0
        self._heardTime = 0.0
        self._timer: IDelayedCall | None = None
        self._timeout: IDelayedCall | None = None

    def start(self) -> None:
        """The connection stands; the first PING goes out after one interval."""
        self._codec.pingAcked = self._acked
        self._heardTime = self._reactor.seconds()
        self._later()

    def stop(self) -> None:
        """The connection is closed; may be called twice."""
        self._codec.pingAcked = None
        for call in (self._timer, self._timeout):
            if call is not None and call.active():
                call.cancel()
        self._timer = self._timeout = None

    def received(self) -> None:
        """Bytes came; only needed with idleInterval."""
        self._heardTime = self._reactor.seconds()

    def streamBegins(self) -> None:
        """A request is about to go out; ask first when nothing came for long."""
        idle = self._settings.idleInterval
        if idle and self._timeout is None and self._reactor.seconds() - self._heardTime >= idle:
            self._ping()

    def _later(self) -> None:
        interval = self._settings.interval
        if interval:
            wait = interval * (1 + self._settings.jitter * self._random.random())
            self._timer = self._reactor.callLater(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._timeout is None:
            self._ping()

    def _ping(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._count += 1
        self._heard = self._codec.activity
        self._timeout = self._reactor.callLater(self._settings.timeout, self._late)
        self._codec.sendPing(self._count.to_bytes(8, "big"))

    def _acked(self, opaque: bytes) -> None:
        if self._timeout is None or int.from_bytes(opaque, "big") != self._count:
            return
        self._timeout.cancel()
        self._timeout = None
        self.received()
        self._later()

    def _late(self) -> None:
        heard = self._codec.activity
        if heard != self._heard:
            self._heard = heard
            self._timeout = self._reactor.callLater(self._settings.timeout, self._late)
            return
        self._timeout = None
        self._stats.keepalive_timeout.value += 1
        self._dead()
