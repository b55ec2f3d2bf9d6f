"""How long a pooled connection may live: unused, at all, and without a sign of life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.http.keepalive import PingKeepalive
from twisted_envoy.network.timers import IdleTimer
from twisted_envoy.upstream.http.settings import HTTP2, UpstreamHTTP


class Lifetime:
    """
    The timers of one connection.

    Args:
        http: of the cluster.
        protocol, codec: of the connection.
        idle: called when nobody has used it for idle_timeout since `becameIdle`; may be in use.
        old: called when max_connection_duration is over.
        silent: called when the peer does not answer PINGs.
    """

    __slots__ = ("_duration", "_idle", "_keepalive", "_old")

    def __init__(
        self,
        http: UpstreamHTTP,
        protocol: str,
        codec: Any,
        idle: Callable[[], None],
        old: Callable[[], None],
        silent: Callable[[], None],
    ) -> None:
        self._old = old
        self._duration = http.startDuration(self._tooOld)
        self._idle: IdleTimer | None = None
        self._keepalive: PingKeepalive | None = None
        queue = http.idleTimeouts
        if queue is not None:
            self._idle = IdleTimer(http.reactor, queue.delay, idle, queue)
            self._idle.start()
        settings = http.settings.http2.keepalive
        if protocol == HTTP2 and settings is not None:
            self._keepalive = PingKeepalive(
                codec, settings, http.reactor, http.random, codec.stats, silent
            )
            self._keepalive.start()

    def becameIdle(self) -> None:
        """The last stream has ended."""
        if self._idle is not None:
            self._idle.start()

    def streamBegins(self) -> None:
        """A request is about to be sent."""
        if self._keepalive is not None:
            self._keepalive.streamBegins()

    def received(self) -> None:
        """Bytes came."""
        if self._keepalive is not None:
            self._keepalive.received()

    def stop(self) -> None:
        """The connection is over."""
        if self._duration is not None:
            self._duration.cancel()
            self._duration = None
        if self._idle is not None:
            self._idle.stop()
        if self._keepalive is not None:
            self._keepalive.stop()

    def _tooOld(self) -> None:
        self._duration = None
        self._old()
