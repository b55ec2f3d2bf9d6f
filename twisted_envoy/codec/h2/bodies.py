"""
DATA frames that come, and the connection's window for them.

    window of          opens again when                       taken by
    the connection     the owner has taken half of it         DATA of any stream, closed ones too
    a stream           its owner has taken half of it         its own (stream.py)

RFC 9113, sections 5.2 and 6.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted_envoy.codec.h2 import failures, frames
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.frames import (
    END_STREAM,
    FLOW_CONTROL_ERROR,
    HEADER_BYTES,
    PADDED,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted_envoy.codec.h2.codec import H2Codec
    from twisted_envoy.codec.h2.core import Head
    from twisted_envoy.codec.h2.stream import H2Stream


def _takesNone(flags: int, streamID: int, data: bytes, start: int, stop: int) -> bool:
    """Of servers."""
    return False


class Bodies:
    """
    Of one connection.

    Attributes:
        closed: nothing is written any more.
        early: streams whose headers wait for DATA; a client's. takeWhole: is asked first then.
        streamShare: so many bytes of a stream's window are given back at a time.
    """

    __slots__ = (
        *("_core", "_floods", "_isClient", "_sender", "_stats", "_streams", "_table"),
        *("_share", "_tellsCore", "_unacknowledged", "_window", "closed", "early", "streamShare"),
        "takeWhole",
    )

    def __init__(self, codec: H2Codec) -> None:
        self._core = codec.core
        self._tellsCore = codec.tellsCore
        self._floods = codec.floods
        self._isClient = codec.isClient
        self._sender = codec.sender
        self._stats = codec.stats
        self._streams = codec.streams
        self._table = codec.table
        self._window = max(frames.FIRST_WINDOW, codec.settings.initialConnectionWindow)
        self._unacknowledged = 0
        self._share = (codec.settings.initialConnectionWindow + 1) // 2
        self.streamShare = (codec.settings.initialStreamWindow + 1) // 2
        self.closed = False
        self.early: dict[int, tuple[H2Stream, Head]] = {}
        self.takeWhole: Callable[[int, int, bytes, int, int], bool] = _takesNone

    def close(self) -> None:
        """No frame comes any more."""
        self.closed = True
        self.early.clear()
        self.takeWhole = _takesNone

    def data(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """DATA."""
        if streamID in self.early and self.takeWhole(flags, streamID, data, start, stop):
            return
        window = stop - start
        self._window = left = self._window - window
        if left < 0:
            raise ConnectionFailure(FLOW_CONTROL_ERROR)
        ended = False
        if flags:
            ended = flags & END_STREAM > 0
        if window or ended:
            self._floods.empty = 0
        else:
            self._floods.emptyFrame()
        stream = self._streams.get(streamID)
        if stream is None or stream.remoteEnded:
            self._stray(stream, streamID, window)
            return
        if flags & PADDED:
            start, stop = frames.unpad(data, start, stop)
        stream.receiveWindow = left = stream.receiveWindow - window
        if left < 0:
            self._fail(stream, window, FLOW_CONTROL_ERROR, failures.PROTOCOL)
            return
        if stream.expected >= 0:
            stream.expected -= stop - start
            if stream.expected < 0 or (ended and stream.expected):
                self._stats.rx_messaging_error.value += 1
                self._fail(stream, window, PROTOCOL_ERROR, failures.REMOTE_RESET)
                return
        if self._isClient and not stream.answered:
            self._fail(stream, window, PROTOCOL_ERROR, failures.MESSAGING)
            return
        stream.receivedWireBytes += HEADER_BYTES + window
        if ended:
            stream.remoteEnded = True
            if self._tellsCore:
                self._core.endReceived(streamID)
            if stream.localEnded:
                self._table.closeEnded(stream)
        if stream.readPauses or stream.held:
            stream.hold(data[start:stop], window, ended)
        else:
            stream.decode(data[start:stop], window, ended)

    def fits(self, stream: H2Stream, window: int) -> bool:
        """The peer may send such a frame."""
        return window <= self._window and window <= stream.receiveWindow

    def passed(self, window: int) -> None:
        """A body that fits has come in one frame, and was taken."""
        self._window -= window
        self.acknowledge(window)

    def _fail(self, stream: H2Stream, window: int, code: int, details: str) -> None:
        self.acknowledge(window)
        self._table.fail(stream, code, details)

    def _stray(self, stream: H2Stream | None, streamID: int, window: int) -> None:
        """DATA of a stream that is not open."""
        if stream is not None:
            self._fail(stream, window, STREAM_CLOSED, failures.PROTOCOL)
            return
        self.acknowledge(window)
        if not streamID & 1 or streamID > self._core.highest:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if self._table.resets.byUs(streamID):
            return
        if not self._table.resets.byPeer(streamID):
            raise ConnectionFailure(STREAM_CLOSED)
        self._sender.answer(frames.rstStream(streamID, STREAM_CLOSED))

    def acknowledge(self, window: int) -> None:
        """So much of the connection's window is free again."""
        self._unacknowledged = increment = self._unacknowledged + window
        if increment >= self._share and not self.closed:
            self._unacknowledged = 0
            self._window += increment
            self._sender.write(frames.windowUpdate(0, increment))
