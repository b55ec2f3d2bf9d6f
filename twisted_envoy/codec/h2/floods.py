"""
The limits on frames that cost us more than they cost the peer.

Envoy: source/common/http/http2/protocol_constraints.cc; conn_manager_impl.cc for premature resets
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.frames import ENHANCE_YOUR_CALM
from twisted_envoy.codec.settings import HTTP2Settings

PREMATURE_COUNT = 500
"""overload.premature_reset_total_stream_count"""
PREMATURE_SECONDS = 1.0
"""overload.premature_reset_min_stream_lifetime_seconds"""


class Floods:
    """
    Counts frames of one connection.

    Each method is called for one frame that came, or is to go, and raises ConnectionFailure when
    it is one too many.

    Attributes:
        empty: frames without payload in a row; set to 0 by one that has some.
        streams: how many were begun; closed: how many have ended.
        sentData: DATA frames sent.
        outbound, outboundControl: frames that wait for the transport.
    """

    __slots__ = (
        "_premature",
        "_priorities",
        "_seconds",
        "_settings",
        "_stats",
        "_tokens",
        "_tokensTime",
        "_windowUpdates",
        "closed",
        "empty",
        "outbound",
        "outboundControl",
        "sentData",
        "streams",
    )

    def __init__(self, settings: HTTP2Settings, stats: Any, seconds: Callable[[], float]) -> None:
        self._settings = settings
        self._stats = stats
        self._seconds = seconds
        self.empty = 0
        self.streams = 0
        self.sentData = 0
        self.outbound = 0
        self.outboundControl = 0
        self._priorities = 0
        self._windowUpdates = 0
        self.closed = 0
        self._premature = 0
        self._tokens = float(settings.resetBurst or 0)
        self._tokensTime = 0.0

    def emptyFrame(self) -> None:
        """DATA, HEADERS or CONTINUATION without payload and END_STREAM."""
        self.empty += 1
        if self.empty > self._settings.maxConsecutiveEmptyFrames:
            self._stats.inbound_empty_frames_flood.value += 1
            raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.EMPTY)

    def priority(self) -> None:
        """PRIORITY."""
        self._priorities += 1
        if self._priorities > self._settings.maxPriorityFramesPerStream * (1 + self.streams):
            self._stats.inbound_priority_frames_flood.value += 1
            raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.PRIORITIES)

    def windowUpdate(self) -> None:
        """WINDOW_UPDATE."""
        self._windowUpdates += 1
        allowed = self._settings.maxWindowUpdatesPerData * self.sentData
        if self._windowUpdates > 5 + 2 * (self.streams + allowed):
            self._stats.inbound_window_update_frames_flood.value += 1
            raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.WINDOW_UPDATES)

    def control(self) -> None:
        """A frame of ours that answers one of the peer's."""
        self.outbound += 1
        self.outboundControl += 1
        self.checkControl()

    def checkControl(self) -> None:
        """Frames of ours were added to `outbound` and `outboundControl`."""
        if self.outboundControl > self._settings.maxOutboundControlFrames:
            self._stats.outbound_control_flood.value += 1
            raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.OUTBOUND_CONTROL)
        if self.outbound > self._settings.maxOutboundFrames:
            self._stats.outbound_flood.value += 1
            raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.OUTBOUND)

    def reset(self, lifetime: float, answered: bool) -> None:
        """
        The client reset a request.

        Args:
            lifetime: seconds since it began.
            answered: our response was sent whole.
        """
        if self._settings.resetBurst is not None:
            self._spend(self._settings.resetBurst, self._settings.resetRate or 0)
        self.closed += 1
        if answered or lifetime >= PREMATURE_SECONDS:
            return
        self._premature += 1
        if self.closed < PREMATURE_COUNT:
            if self._premature < PREMATURE_COUNT / 2:
                return
        elif self._premature * 2 < self.closed:
            return
        raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.RESETS)

    def _spend(self, burst: int, rate: int) -> None:
        now = self._seconds()
        if self._tokensTime:
            self._tokens = min(float(burst), self._tokens + (now - self._tokensTime) * rate)
        self._tokensTime = now
        self._tokens -= 1
        if self._tokens < 0:
            raise ConnectionFailure(ENHANCE_YOUR_CALM, failures.RESETS)
