"""
The times that one request has: for its headers, for all of it, for silence, and altogether.

    time-out                  from                  to                       answer
    request_headers_timeout   its first byte        its headers              408
    request_timeout           its first byte        its end                  408
    stream_idle_timeout       the last byte         the next one             408, 504 or a reset
    max_stream_duration       its first byte        its end and response's   408, 504 or a reset

Envoy: ConnectionManagerImpl::ActiveStream (timers)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.formatter.operators.values import isGRPC
from twisted_envoy.http.grpc import DEADLINE_EXCEEDED, grpcTimeout, grpcTimeoutText

if TYPE_CHECKING:
    from twisted_envoy.http.request_side import RequestSide
    from twisted_envoy.http.server_connection import ServerConnection

_FINENESS = 1000
"""Looks that a watch may take in one time-out; a stream may be that part of it late."""


class IdleWatch:
    """
    stream_idle_timeout: one timer for all streams of a connection manager.

    A stream costs an assignment to `lastActivity`. The watch looks at all that are open when the
    first of them can be due. While there are no connections there is no timer.

    Args:
        reactor: tells and waits for the time.
        timeout: seconds; 0 watches nothing.
    """

    __slots__ = ("_connections", "_reactor", "_timer", "timeout")

    def __init__(self, reactor: Any, timeout: float) -> None:
        self._reactor = reactor
        self.timeout = timeout
        self._connections: set[ServerConnection] = set()
        self._timer: IDelayedCall | None = None

    def add(self, connection: ServerConnection) -> None:
        """Watch its streams."""
        if self.timeout:
            self._connections.add(connection)
            if self._timer is None:
                self._timer = self._reactor.callLater(self.timeout, self._look)

    def discard(self, connection: ServerConnection) -> None:
        """It is gone."""
        self._connections.discard(connection)
        if self._timer is not None and not self._connections:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self._reactor.seconds()
        timeout = self.timeout
        oldest = now
        due = []
        for connection in self._connections:
            for stream in connection.streams:
                if stream.watched:
                    last = stream.lastActivity
                    if last + timeout <= now:
                        due.append(stream)
                    elif last < oldest:
                        oldest = last
        rest = max(oldest + timeout - now, timeout / _FINENESS)
        self._timer = self._reactor.callLater(rest, self._look)
        for stream in due:
            if not stream.ended:
                try:
                    stream.idled()
                except Exception:
                    stream.filterRaised()


class StreamTimers:
    """
    Of one stream, if it has any time but stream_idle_timeout.

    Args:
        stream: is answered when a time is over.
    """

    __slots__ = (
        "_duration",
        "_headers",
        "_idle",
        "_idleTimeout",
        "_periodic",
        "_request",
        "_stream",
    )

    def __init__(self, stream: RequestSide) -> None:
        self._stream = stream
        settings = stream.settings
        timeouts = settings.timeouts
        reactor = settings.reactor
        self._headers: IDelayedCall | None = None
        self._request: IDelayedCall | None = None
        self._duration: IDelayedCall | None = None
        self._periodic: IDelayedCall | None = None
        self._idle: IDelayedCall | None = None
        self._idleTimeout = 0.0
        if stream.requestHeaders is not None:
            return  # made for a route
        if timeouts.requestHeaders:
            self._headers = reactor.callLater(
                timeouts.requestHeaders, self._guarded, self._headersLate
            )
        if timeouts.request:
            self._request = reactor.callLater(timeouts.request, self._guarded, self._requestLate)
        if timeouts.maxStreamDuration:
            self._duration = reactor.callLater(
                timeouts.maxStreamDuration, self._guarded, self._tooLong
            )
        if settings.records.interval and settings.records.logs:
            self._periodic = reactor.callLater(
                settings.records.interval, self._guarded, self._record
            )

    # What happens to the stream.

    def headersCame(self) -> None:
        """The request's headers are there."""
        if self._headers is not None:
            self._headers.cancel()
            self._headers = None

    def requestEnded(self) -> None:
        """All of the request is there."""
        if self._request is not None:
            self._request.cancel()
            self._request = None

    def routeChosen(self, route: Any) -> None:
        """A route may say otherwise about silence and duration."""
        reactor = self._stream.settings.reactor
        idle = route.idleTimeout
        if idle is not None:
            self._stream.watched = False
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            if idle:
                self._idleTimeout = idle
                self._stream.lastActivity = reactor.seconds()
                self._idle = reactor.callLater(idle, self._guarded, self._lookIdle)
        if route.maxStreamDuration is not None:
            self._limit(route.maxStreamDuration)

    def _limit(self, limit: Any) -> None:
        """A route says how long the stream may take; a gRPC request may say less."""
        stream = self._stream
        headers = stream.requestHeaders
        cap = limit.grpcTimeoutHeaderMax
        asked = None if cap is None or headers is None else grpcTimeout(headers)
        if asked is None:
            most = limit.maxStreamDuration
            if most is None:
                most = stream.settings.timeouts.maxStreamDuration
            over = most == 0
        else:
            most = min(asked, cap) if cap else asked
            most = max(0.0, most - (limit.grpcTimeoutHeaderOffset or 0.0))
            over = False
        if self._duration is not None:
            self._duration.cancel()
            self._duration = None
        if over:
            return
        if headers is not None and isGRPC(headers):
            headers.set(b"grpc-timeout", grpcTimeoutText(int(most * 1000)))
        reactor = stream.settings.reactor
        used = reactor.seconds() - stream.streamInfo.startTime
        self._duration = reactor.callLater(max(0.0, most - used), self._guarded, self._tooLong)

    def responseEnded(self) -> None:
        """No time counts any more, but that of the records."""
        for timer in (self._headers, self._request, self._duration, self._idle):
            if timer is not None:
                timer.cancel()
        self._headers = self._request = self._duration = self._idle = None

    def stop(self) -> None:
        """The stream is over."""
        self.responseEnded()
        if self._periodic is not None:
            self._periodic.cancel()
            self._periodic = None

    # What time does.

    def _guarded(self, act: Callable[[], None]) -> None:
        """What raises, a filter that sees the answer for one, ends this request and no more."""
        try:
            act()
        except Exception:
            self._stream.filterRaised()

    def _lookIdle(self) -> None:
        self._idle = None
        stream = self._stream
        reactor = stream.settings.reactor
        rest = stream.lastActivity + self._idleTimeout - reactor.seconds()
        if rest > 0:
            self._idle = reactor.callLater(rest, self._guarded, self._lookIdle)
        else:
            stream.idled()

    def _headersLate(self) -> None:
        self._headers = None
        stream = self._stream
        stream.settings.stats.downstream_rq_header_timeout.value += 1
        if not stream.connection.multiplexes:
            stream.connection.willClose()
        stream.sendLocalReply(408, b"request header timeout", "request_header_timeout")

    def _requestLate(self) -> None:
        self._request = None
        stream = self._stream
        stream.settings.stats.downstream_rq_timeout.value += 1
        stream.sendLocalReply(_status(stream), b"request timeout", "request_overall_timeout")

    def _tooLong(self) -> None:
        self._duration = None
        stream = self._stream
        stream.settings.stats.downstream_rq_max_duration_reached.value += 1
        stream.sendLocalReply(
            _status(stream),
            b"downstream duration timeout",
            "max_duration_timeout",
            (),
            DEADLINE_EXCEEDED,
        )

    def _record(self) -> None:
        stream = self._stream
        interval = stream.settings.records.interval
        self._periodic = stream.settings.reactor.callLater(interval, self._guarded, self._record)
        stream.writeRecord("DownstreamPeriodic")


def _status(stream: RequestSide) -> int:
    """Whose fault it is."""
    return 504 if stream.requestEnded else 408


def answerIdle(stream: RequestSide) -> None:
    """Nothing has come or gone for too long."""
    stream.settings.stats.downstream_rq_idle_timeout.value += 1
    stream.streamInfo.raiseFlag("SI")
    stream.sendLocalReply(_status(stream), b"stream timeout", "stream_idle_timeout")
