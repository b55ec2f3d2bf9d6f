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

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.network.timers import IdleTimer

if TYPE_CHECKING:
    from twisted_envoy.http.stream import HTTPStream


class StreamTimers:
    """
    Of one stream; none of them costs anything that is not configured.

    Args:
        stream: is answered when a time is over.
    """

    __slots__ = ("_duration", "_headers", "_idle", "_periodic", "_request", "_stream")

    def __init__(self, stream: HTTPStream) -> None:
        self._stream = stream
        settings = stream.settings
        timeouts = settings.timeouts
        reactor = settings.reactor
        self._headers: IDelayedCall | None = None
        self._request: IDelayedCall | None = None
        self._duration: IDelayedCall | None = None
        self._periodic: IDelayedCall | None = None
        self._idle: IdleTimer | None = None
        if timeouts.streamIdle:
            self._idle = IdleTimer(
                reactor, timeouts.streamIdle, self._idled, settings.streamIdleQueue
            )
            self._idle.start()
        if timeouts.requestHeaders:
            self._headers = reactor.callLater(timeouts.requestHeaders, self._headersLate)
        if timeouts.request:
            self._request = reactor.callLater(timeouts.request, self._requestLate)
        if timeouts.maxStreamDuration:
            self._duration = reactor.callLater(timeouts.maxStreamDuration, self._tooLong)
        if settings.records.interval and settings.records.logs:
            self._periodic = reactor.callLater(settings.records.interval, self._record)

    # What happens to the stream.

    def lastActivity(self) -> None:
        """Something came or went."""
        if self._idle is not None:
            self._idle.lastActivity = self._stream.settings.seconds()

    def headersCame(self) -> None:
        """The request's headers are there."""
        self.lastActivity()
        if self._headers is not None:
            self._headers.cancel()
            self._headers = None

    def requestEnded(self) -> None:
        """All of the request is there."""
        if self._request is not None:
            self._request.cancel()
            self._request = None

    def routeChosen(self) -> None:
        """A route may say otherwise about silence and duration."""
        route = self._stream.route
        if route is None:
            return
        idle = route.idleTimeout
        if idle is not None:
            if self._idle is not None:
                self._idle.stop()
            self._idle = None
            if idle:
                self._idle = IdleTimer(self._stream.settings.reactor, idle, self._idled)
                self._idle.start()
        limit = route.maxStreamDuration
        most = None if limit is None else limit.maxStreamDuration
        if most is not None:
            if self._duration is not None:
                self._duration.cancel()
                self._duration = None
            if most:
                reactor = self._stream.settings.reactor
                self._duration = reactor.callLater(most, self._tooLong)

    def stop(self) -> None:
        """The stream is over."""
        if self._idle is not None:
            self._idle.stop()
            self._idle = None
        for timer in (self._headers, self._request, self._duration, self._periodic):
            if timer is not None:
                timer.cancel()
        self._headers = self._request = self._duration = self._periodic = None

    # What time does.

    def _idled(self) -> None:
        stream = self._stream
        stream.settings.stats.downstream_rq_idle_timeout.value += 1
        stream.streamInfo.raiseFlag("SI")
        stream.sendLocalReply(self._status(), b"stream timeout", "stream_idle_timeout")

    def _headersLate(self) -> None:
        self._headers = None
        stream = self._stream
        stream.settings.stats.downstream_rq_header_timeout.value += 1
        stream.connection.willClose()
        stream.sendLocalReply(408, b"request header timeout", "request_header_timeout")

    def _requestLate(self) -> None:
        self._request = None
        stream = self._stream
        stream.settings.stats.downstream_rq_timeout.value += 1
        stream.sendLocalReply(self._status(), b"request timeout", "request_overall_timeout")

    def _tooLong(self) -> None:
        self._duration = None
        stream = self._stream
        stream.settings.stats.downstream_rq_max_duration_reached.value += 1
        stream.sendLocalReply(
            self._status(), b"downstream duration timeout", "max_duration_timeout"
        )

    def _status(self) -> int:
        """Whose fault it is."""
        return 504 if self._stream.requestEnded else 408

    def _record(self) -> None:
        stream = self._stream
        interval = stream.settings.records.interval
        self._periodic = stream.settings.reactor.callLater(interval, self._record)
        stream.writeRecord("DownstreamPeriodic")
