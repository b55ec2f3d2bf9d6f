"""
Frames without bodies or headers: one method a type.

Each is called with the frame's flags, stream, and where its payload is; what is wrong raises
ConnectionFailure or ends the stream.

Envoy: Http2::ConnectionImpl::onFrameReceived; RFC 9113 sections 6.3 to 6.9
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted_envoy.codec.h2 import failures, frames
from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.frames import (
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    HEADER_BYTES,
    PROTOCOL_ERROR,
)
from twisted_envoy.codec.h2.resets import reasonOf

if TYPE_CHECKING:
    from twisted_envoy.codec.h2.codec import H2Codec

_number = frames.number.unpack_from


class ControlFrames:
    """Those of one connection."""

    __slots__ = ("_codec", "_core", "_floods", "_sender", "_streams", "_table")

    def __init__(self, codec: H2Codec) -> None:
        self._codec = codec
        self._core = codec.core
        self._floods = codec.floods
        self._sender = codec.sender
        self._table = codec.table
        self._streams = codec.streams

    def priority(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """PRIORITY."""
        if not streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop - start != 5:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        if _number(data, start)[0] & frames.LAST_STREAM == streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        self._floods.priority()

    def rstStream(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """RST_STREAM."""
        if stop - start != 4:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        self._codec.checkBegun(streamID)
        stream = self._streams.get(streamID)
        if stream is None:
            return
        self._codec.stats.rx_reset.value += 1
        stream.receivedWireBytes += HEADER_BYTES + 4
        code = _number(data, start)[0]
        self._core.resetReceived(streamID)
        self._table.resets.add(streamID, False)
        reason, details = reasonOf(code, self._codec.isClient and stream.remoteEnded)
        answered = stream.localEnded
        lifetime = self._codec.seconds() - stream.begun
        self._table.tellReset(stream, reason, details)
        if not self._codec.isClient:
            self._floods.reset(lifetime, answered)

    def settings(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """SETTINGS."""
        size = stop - start
        if streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if size % 6 or (flags & frames.ACK and size):
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        if flags & frames.ACK:
            if not self._codec.sawSettings:
                raise ConnectionFailure(PROTOCOL_ERROR, failures.BAD_PREFACE)
            self._core.settingsAcked()
            return
        self._codec.sawSettings = True
        changed = self._core.receiveSettings(data, start, stop)
        sender = self._sender
        sender.mostPayload = changed.get(frames.MAX_FRAME_SIZE, sender.mostPayload)
        self._sender.answer(self._core.output)
        window = changed.get(frames.INITIAL_WINDOW_SIZE)
        if window is not None:
            self._changeWindows(window - sender.peerWindow)
            sender.peerWindow = window
        self._codec.peerSettings(changed)

    def _changeWindows(self, change: int) -> None:
        for stream in list(self._streams.values()):
            stream.sendWindow += change
            if stream.sendWindow > frames.MOST_WINDOW:
                raise ConnectionFailure(FLOW_CONTROL_ERROR)
            if change > 0:
                stream.windowOpened()

    def pushPromise(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """PUSH_PROMISE; a client never allows it."""
        raise ConnectionFailure(PROTOCOL_ERROR)

    def ping(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """PING."""
        if streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop - start != 8:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        if not flags & frames.ACK:
            self._sender.answer(frames.ping(data[start:stop], True))
        elif self._codec.pingAcked is not None:
            self._codec.pingAcked(data[start:stop])

    def goAway(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """GOAWAY."""
        if streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop - start < 8:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        last = _number(data, start)[0] & frames.LAST_STREAM
        self._codec.goAwayReceived(last, _number(data, start + 4)[0])

    def windowUpdate(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """WINDOW_UPDATE."""
        if stop - start != 4:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        self._floods.windowUpdate()
        increment = _number(data, start)[0] & frames.MOST_WINDOW
        if not streamID:
            if not increment:
                raise ConnectionFailure(PROTOCOL_ERROR)
            self._sender.sendWindow += increment
            if self._sender.sendWindow > frames.MOST_WINDOW:
                raise ConnectionFailure(FLOW_CONTROL_ERROR)
            self._sender.sendReady()
            return
        self._codec.checkBegun(streamID)
        stream = self._streams.get(streamID)
        if stream is None:
            return
        stream.sendWindow += increment
        if not increment:
            self._table.fail(stream, PROTOCOL_ERROR, failures.PROTOCOL)
        elif stream.sendWindow > frames.MOST_WINDOW:
            self._table.fail(stream, FLOW_CONTROL_ERROR, failures.PROTOCOL)
        else:
            stream.windowOpened()
