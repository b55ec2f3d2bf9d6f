"""
What goes out: frames that answer the peer's, and bodies of all streams in turn.

Envoy: Http2::ConnectionImpl::sendPendingFrames, sendSettings
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.floods import Floods
from twisted_envoy.codec.h2.frames import DATA, END_STREAM, frameHeader
from twisted_envoy.codec.settings import HTTP2Settings

if TYPE_CHECKING:
    from twisted_envoy.codec.h2.stream import H2Stream

_pack = frameHeader.pack
SMALL = 2048
"""Bytes that are sooner copied than written apart."""


class Sender:
    """
    The way out of one connection.

    Attributes:
        write: takes bytes that need no window.
        ready: streams that have bytes to send and a window for them, in turn.
        sendWindow: bytes that the peer takes on this connection.
        peerWindow: bytes that it takes on a new stream.
        mostPayload: of a frame that it takes.
        isPaused: the transport is full; bodies wait.
    """

    __slots__ = (
        "_sending",
        "floods",
        "isPaused",
        "mostPayload",
        "peerWindow",
        "ready",
        "sendWindow",
        "stats",
        "write",
    )

    def __init__(self, write: Callable[[bytes], None], floods: Floods, stats: Any) -> None:
        self.write = write
        self.floods = floods
        self.stats = stats
        self.ready: deque[H2Stream] = deque()
        self.sendWindow = frames.FIRST_WINDOW
        self.peerWindow = frames.FIRST_WINDOW
        self.mostPayload = frames.MOST_PAYLOAD
        self.isPaused = False
        self._sending = False

    def sendData(self, streamID: int, data: bytes, ended: bool) -> None:
        """One DATA frame, that the connection's window takes."""
        size = len(data)
        self.sendWindow -= size
        self.floods.sentData += 1
        header = _pack(size >> 8, size & 255, DATA, END_STREAM if ended else 0, streamID)
        if size <= SMALL:
            self.write(header + data)
        else:
            self.write(header)
            self.write(data)

    def answer(self, frame: bytes) -> None:
        """A frame that the peer has made us send."""
        self.write(frame)
        self.floods.control()

    def sendReady(self) -> None:
        """Let streams that wait send a frame each, in turn, while the peer takes it."""
        if self._sending:
            return
        self._sending = True
        ready = self.ready
        try:
            while ready and self.sendWindow > 0 and not self.isPaused:
                stream = ready.popleft()
                if stream.sendOne(min(self.sendWindow, self.mostPayload)):
                    ready.append(stream)
                else:
                    stream.isReady = False
                stream.resumeWhenLow()
        finally:
            self._sending = False

    def leave(self, stream: H2Stream) -> None:
        """A stream that waited is gone; the connection's window may never open."""
        stream.isReady = False
        if stream in self.ready:
            self.ready.remove(stream)


def greeting(settings: HTTP2Settings, client: bool) -> bytes:
    """Our first bytes: SETTINGS in Envoy's order, and the connection's window."""
    pairs = (
        (frames.HEADER_TABLE_SIZE, settings.hpackTableSize),
        (frames.ENABLE_CONNECT_PROTOCOL, int(settings.allowConnect)),
        (frames.MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams),
        (frames.INITIAL_WINDOW_SIZE, settings.initialStreamWindow),
        *settings.customSettings,
    )
    data = frames.PREFACE if client else b""
    data += frames.settings(((frames.ENABLE_PUSH, 0), *pairs) if client else pairs)
    increment = settings.initialConnectionWindow - frames.FIRST_WINDOW
    return data + frames.windowUpdate(0, increment) if increment > 0 else data
