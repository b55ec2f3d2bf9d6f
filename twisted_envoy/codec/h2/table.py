"""
The streams of one connection, and how each of them ends.

    ends by                    the peer gets   the decoder gets   kept
    both sides' END_STREAM     nothing         nothing            nothing
    the owner (sendReset)      RST_STREAM      nothing            that we reset it
    a broken rule (fail)       RST_STREAM      streamReset        that we reset it
    the peer's RST_STREAM      nothing         streamReset        that the peer reset it
    the connection             nothing         streamReset        nothing

Envoy: Http2::ConnectionImpl::onStreamClose
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from twisted_envoy.codec.h2.core import Core
from twisted_envoy.codec.h2.failures import LIMITS
from twisted_envoy.codec.h2.resets import ResetStreams
from twisted_envoy.codec.h2.sender import Sender
from twisted_envoy.codec.h2.stream import H2Stream
from twisted_envoy.codec.http import Reset

_log = Logger("http2")


class StreamTable:
    """
    Which streams are open.

    Args:
        client: whose side this is; a server's owner hears of limits as REMOTE.

    Attributes:
        streams: by ID, those that are open in some direction.
        resets: those that were reset lately.
        removed: called when one is gone, if set.
    """

    __slots__ = ("_core", "_overLimit", "_sender", "_stats", "removed", "resets", "streams")

    def __init__(
        self,
        core: Core,
        sender: Sender,
        client: bool,
        streams: dict[int, H2Stream],
        resets: ResetStreams,
    ) -> None:
        self._core = core
        self._sender = sender
        self._stats = sender.stats
        self._overLimit = Reset.PROTOCOL_ERROR if client else Reset.REMOTE
        self.streams = streams
        self.resets = resets
        self.removed: Callable[[], None] | None = None

    def add(self, stream: H2Stream) -> None:
        """A request begins."""
        self.streams[stream.streamID] = stream
        self._stats.streams_active.value += 1
        self._sender.floods.streams += 1

    def fail(self, stream: H2Stream, code: int, details: str) -> None:
        """
        The peer has broken a rule in one stream.

        Raises:
            ConnectionFailure: it has done so too often while the transport is full.
        """
        self.sendReset(stream, code)
        self.failed(stream, details)
        self._sender.floods.checkControl()

    def failed(self, stream: H2Stream, details: str) -> None:
        """The same, when RST_STREAM was sent already."""
        isLimit = details in LIMITS
        self.tellReset(stream, self._overLimit if isLimit else Reset.PROTOCOL_ERROR, details)

    def sendReset(self, stream: H2Stream, code: int) -> None:
        """Write RST_STREAM."""
        self._stats.tx_reset.value += 1
        self.resets.add(stream.streamID, True)
        frame = self._core.reset(stream.streamID, code)
        stream.wireBytes += len(frame)
        self._sender.write(frame)
        floods = self._sender.floods
        floods.outbound += 1
        floods.outboundControl += 1

    def tellReset(self, stream: H2Stream, reason: Reset, details: str) -> None:
        """The stream is no more; its decoder hears why."""
        decoder = stream.decoder
        self.forget(stream)
        if decoder is not None:
            decoder.streamReset(reason, details)

    def resetAll(self, reason: Reset, details: str) -> None:
        """The connection is no more; each decoder hears it, whatever another one does."""
        streams = list(self.streams.values())
        decoders = [stream.decoder for stream in streams]
        for stream in streams:
            self.forget(stream)
        for decoder in decoders:
            if decoder is not None:
                try:
                    decoder.streamReset(reason, details)
                except Exception:  # of one stream; the others are other people's
                    _log.failure("a stream's decoder raised when it was reset")

    def closeEnded(self, stream: H2Stream) -> None:
        """Both directions have ended."""
        if stream.held:
            self._stats.deferred_stream_close.value += 1
        self._sender.floods.closed += 1
        stream.closed = True
        stream.flushed = stream.producer = None
        if self.streams.pop(stream.streamID, None) is not None:
            self._stats.streams_active.value -= 1
            if self.removed is not None:
                self.removed()

    def forget(self, stream: H2Stream) -> None:
        """The stream was reset."""
        stream.close()
        stream.drop()
        self._remove(stream)

    def _remove(self, stream: H2Stream) -> None:
        if self.streams.pop(stream.streamID, None) is not None:
            self._stats.streams_active.value -= 1
            if self.removed is not None:
                self.removed()
