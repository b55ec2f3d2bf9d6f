"""
The rest of a response that waits for an HTTP/2 client's window.

    event                      next
    the codec has sent all     the request is over
    stream_flush_timeout       over, with RST_STREAM, unless something was sent meanwhile
    the client resets, leaves  over: request_side.streamReset

Envoy: Http2::ConnectionImpl::StreamImpl (pending flush timer), ActiveStream::onCodecEncodeComplete
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.codec.http import Reset

if TYPE_CHECKING:
    from twisted_envoy.http.request_side import RequestSide


class Flushing:
    """
    Waits for the end of one response.

    Args:
        stream: whose encoder `isFlushing`.
        done: called once all is sent.
    """

    __slots__ = ("_bytes", "_stream", "_timeout", "_timer")

    def __init__(self, stream: RequestSide, done: Callable[[], None]) -> None:
        self._stream = stream
        self._bytes = stream.encoder.wireBytes
        self._timeout = _timeoutOf(stream)
        self._timer: IDelayedCall | None = None
        stream.encoder.flushed = done
        if self._timeout:
            self._wait()

    def _wait(self) -> None:
        self._timer = self._stream.settings.reactor.callLater(self._timeout, self._late)

    def _late(self) -> None:
        self._timer = None
        stream = self._stream
        encoder = stream.encoder
        if encoder.wireBytes != self._bytes:
            self._bytes = encoder.wireBytes
            self._wait()
            return
        stream.settings.http2Stats.tx_flush_timeout.value += 1
        encoder.resetStream(Reset.LOCAL)
        stream.finish()

    def stop(self) -> None:
        """It is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _timeoutOf(stream: RequestSide) -> float:
    """Seconds; 0 for any."""
    route = stream.route
    timeout: float | None = None
    if route is not None:
        timeout = route.flushTimeout if route.flushTimeout is not None else route.idleTimeout
    return stream.settings.timeouts.streamFlush if timeout is None else timeout
