"""
What both sides of an HTTP/2 connection do: frames in, windows, answers, the end.

`dataReceived` cuts bytes into frames and calls one method a type. Header blocks, SETTINGS and the
states of streams are the core's (core.py); limits are counted in floods.py; what is wrong raises
ConnectionFailure, and only CodecError leaves.

    failure of           the peer gets               the owner gets
    the connection       GOAWAY                      each open stream's streamReset, then CodecError
    a message            nothing (streamErrors: RST) the same (streamErrors: only streamReset)
    a stream             RST_STREAM                  streamReset

Envoy: source/common/http/http2/codec_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, NoReturn

from twisted_envoy.codec.h2 import failures, frames
from twisted_envoy.codec.h2.bodies import Bodies
from twisted_envoy.codec.h2.control import ControlFrames
from twisted_envoy.codec.h2.core import STREAM_ERROR, Block, Core
from twisted_envoy.codec.h2.failures import ConnectionFailure, MessageFailure
from twisted_envoy.codec.h2.floods import Floods
from twisted_envoy.codec.h2.frames import (
    CONTINUATION,
    FRAME_SIZE_ERROR,
    HEADER_BYTES,
    INTERNAL_ERROR,
    KNOWN_TYPES,
    LAST_STREAM,
    MOST_PAYLOAD,
    PROTOCOL_ERROR,
    SETTINGS,
    STREAM_CLOSED,
)
from twisted_envoy.codec.h2.lean import LeanCore
from twisted_envoy.codec.h2.messages import Messages
from twisted_envoy.codec.h2.pieces import Pieces
from twisted_envoy.codec.h2.resets import ResetStreams, codeOf
from twisted_envoy.codec.h2.sender import Sender, greeting
from twisted_envoy.codec.h2.stream import H2Stream
from twisted_envoy.codec.h2.table import StreamTable
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, CodecOutput, Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

Handler = Callable[[int, int, bytes, int, int], None]
"""Takes a frame: flags, stream, bytes, where its payload begins and ends in them."""

_unpack = frames.frameHeader.unpack_from


class H2Codec:
    """
    The common part; see H2ServerCodec and H2ClientCodec.

    Attributes:
        streams: by ID, those that are open in some direction.
        sawSettings: the peer's first SETTINGS have come.
        pingAcked: called with the 8 bytes of each PING that the peer has answered.
        tellsCore: the core keeps states of streams, and hears where bodies end.
        activity: counts the bytes that have come.
        blockBytes: of the header block that comes, with one frame's header, as Envoy counts.
    """

    protocol = "HTTP/2"
    isClient = False

    def __init__(
        self,
        connection: Any,
        output: CodecOutput,
        settings: HTTP2Settings,
        limits: HeaderLimits,
        stats: Any,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self.connection = connection
        self.output = output
        self.settings = settings
        self.stats = stats
        self.seconds = seconds
        self.floods = floods = Floods(settings, stats, seconds)
        self.messages = Messages(settings, limits, stats)
        self.streams: dict[int, H2Stream] = {}
        resets = ResetStreams()
        self.core = core = _makeCore(self.isClient, settings, limits, self.streams, resets)
        self.tellsCore = core.tracks
        self._heads = core.heads
        self._keeps = limits.underscores == "ALLOW"
        self.sender = sender = Sender(output.write, floods, stats)
        self.table = StreamTable(core, sender, self.isClient, self.streams, resets)
        self.pingAcked: Callable[[bytes], None] | None = None
        self.activity = 0
        self.write = output.write
        self._buffer = b""
        self._preface = b"" if self.isClient else frames.PREFACE
        self._closed = False
        control = ControlFrames(self)
        self._blockStream = self.blockBytes = 0
        self._pieces = Pieces(limits)
        self.sawSettings = False
        self.bodies = bodies = Bodies(self)
        self._handlers: tuple[Handler, ...] = (
            bodies.data,
            self._headers,
            control.priority,
            control.rstStream,
            control.settings,
            control.pushPromise,
            control.ping,
            control.goAway,
            control.windowUpdate,
            self._continuation,
        )
        self.write(greeting(settings, self.isClient))

    # Bytes in.

    def dataReceived(self, data: bytes) -> None:
        """See ICodec."""
        if self._closed:
            return
        self.activity += len(data)
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        try:
            if self.sender.isPaused:
                self.floods.checkControl()
            else:
                self.floods.outbound = self.floods.outboundControl = 0
            position = self._skipPreface(data) if self._preface else 0
            self._frames(data, position)
        except ConnectionFailure as failure:
            self._fail(failure)

    def _skipPreface(self, data: bytes) -> int:
        """Bytes of the client's preface in data."""
        preface = self._preface
        size = min(len(data), len(preface))
        if data[:size] != preface[:size]:
            raise ConnectionFailure(PROTOCOL_ERROR, failures.BAD_PREFACE)
        self._preface = preface[size:]
        return size

    def _frames(self, data: bytes, position: int) -> None:
        end = len(data)
        handlers = self._handlers
        while end - position >= HEADER_BYTES:
            upper, lower, kind, flags, streamID = _unpack(data, position)
            start = position + HEADER_BYTES
            stop = start + (upper << 8 | lower)
            if stop - start > MOST_PAYLOAD:
                raise ConnectionFailure(FRAME_SIZE_ERROR)
            if stop > end:
                break
            position = stop
            if self._blockStream and kind != CONTINUATION:
                raise ConnectionFailure(PROTOCOL_ERROR)
            if kind < KNOWN_TYPES:
                if not self.sawSettings and kind != SETTINGS:
                    raise ConnectionFailure(PROTOCOL_ERROR, failures.BAD_PREFACE)
                handlers[kind](flags, streamID & LAST_STREAM, data, start, stop)
                if self._closed:
                    return
        if position < end:
            self._buffer = data[position:]

    def _fail(self, failure: ConnectionFailure) -> NoReturn:
        """Say good-bye, tell all streams, raise."""
        if failure.code is not None:
            self.write(frames.goAway(0 if self.isClient else self.core.highest, failure.code))
        status = 0 if failure.details in failures.FLOODS else 400
        hasCut = failure.hasCut or bool(self.streams)
        self._shut(Reset.PROTOCOL_ERROR, failure.details)
        raise CodecError(failure.details, status, hasCut=hasCut) from failure

    def _shut(self, reason: Reset, details: str) -> None:
        self._closed = True
        self.bodies.close()
        self._handlers = ()
        self._buffer = b""
        self.table.resetAll(reason, details)
        self.table.removed = None
        self.sender.ready.clear()

    def readConnectionLost(self) -> None:
        """See ICodec; HTTP/2 has no half-closed connections."""

    def connectionLost(self, reason: Reset) -> None:
        """See ICodec."""
        if not self._closed:
            self._shut(reason, "")
        self._handlers = ()  # a cycle through ourselves

    # Headers.

    def _headers(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if stop == start and not flags & frames.END_STREAM:
            self.floods.emptyFrame()
        else:
            self.floods.empty = 0
        if self.isClient:
            self.checkBegun(streamID)
        self.blockBytes = HEADER_BYTES + stop - start
        if flags & frames.END_HEADERS:
            self._block(flags, streamID, data, start, stop)
            return
        self._blockStream = streamID
        self._pieces.begin(flags, streamID, data, start, stop)
        self._blockBegins(streamID)

    def _continuation(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if not self._blockStream or streamID != self._blockStream:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop == start and not flags & frames.END_HEADERS:
            self.floods.emptyFrame()
        else:
            self.floods.empty = 0
        self.blockBytes += stop - start
        self._pieces.add(data[start:stop])
        if flags & frames.END_HEADERS:
            self._blockStream = 0
            frame = self._pieces.whole(streamID)
            self._block(frame[4], streamID, frame, HEADER_BYTES, len(frame))

    def _blockBegins(self, streamID: int) -> None:
        """More of a header block is to come."""

    def _block(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        block = self.core.receive(flags, streamID, data, start, stop)
        if block is None or block[0] == STREAM_ERROR:
            stream = self.streams.get(streamID)
            if block is not None and stream is not None:
                self.table.fail(stream, STREAM_CLOSED, failures.PROTOCOL)
            elif self.core.output and not self.table.resets.byUs(streamID):
                self.sender.answer(self.core.output)
            return
        try:
            self._message(block)
        except MessageFailure as failure:
            self._messageFailed(block, failure)

    def _message(self, block: Block) -> None:
        raise NotImplementedError

    def _messageFailed(self, block: Block, failure: MessageFailure) -> None:
        """A limit ends the stream, a violation the connection unless streamErrors is set."""
        stream = self.streams.get(block[1])
        code = INTERNAL_ERROR
        if failure.violation:
            self.stats.rx_messaging_error.value += 1
            if not self.settings.streamErrors:
                if stream is not None:
                    self.table.failed(stream, failure.details)
                raise ConnectionFailure(None, hasCut=stream is not None) from failure
            code = PROTOCOL_ERROR
        elif failure.details == failures.TOO_MANY_HEADERS:
            self.stats.header_overflow.value += 1
        if stream is not None:
            self.table.fail(stream, code, failure.details)

    def _trailers(self, stream: H2Stream, block: Block) -> None:
        trailers = self.messages.trailers(block[2])
        self.countBlock(stream)
        if stream.expected > 0:
            raise MessageFailure(failures.MESSAGING, True)
        self.stats.trailers.value += 1
        stream.remoteEnded = True
        if stream.localEnded:
            self.table.closeEnded(stream)
        stream.trailersReceived(trailers)

    def countBlock(self, stream: H2Stream) -> None:
        """The header block that has come is this stream's."""
        stream.receivedHeaderBytes += self.blockBytes
        stream.receivedWireBytes += self.blockBytes

    def begin(self, stream: H2Stream, headers: HeaderMap, endStream: bool) -> None:
        """Send the headers of a request."""
        raise NotImplementedError

    def sendHeaders(
        self, stream: H2Stream, headers: HeaderMap, endStream: bool, interim: bool = False
    ) -> None:
        """
        Send any header block.

        Raises:
            ConnectionFailure: the peer allows no further stream.
        """
        pairs = headers.items() if headers.more is None else tuple(headers.pairs())
        block = self.core.sendHeaders(stream.streamID, pairs, endStream, interim)
        size = len(block)
        stream.headerBytes += size
        stream.wireBytes += size
        self.floods.outbound += 1
        self.write(block)
        if endStream:
            self.localEnded(stream)

    def peerSettings(self, changed: dict[int, int]) -> None:
        """The peer's SETTINGS were applied."""

    def goAwayReceived(self, last: int, code: int) -> None:
        """GOAWAY came; streams above last were not looked at."""
        self.connection.goAwayReceived(code)

    def checkBegun(self, streamID: int) -> None:
        """A frame for a stream that nobody has begun ends the connection."""
        if not streamID & 1 or streamID > self.core.highest:
            raise ConnectionFailure(PROTOCOL_ERROR)

    # Bytes out.

    def localEnded(self, stream: H2Stream) -> None:
        """All of ours is sent; of a body the core was told."""
        stream.localEnded = True
        flushed = stream.flushed
        if stream.remoteEnded:
            self.table.closeEnded(stream)
            if not stream.held:
                stream.decoder = None
        if flushed is not None:
            stream.flushed = None
            flushed()

    def pauseProducing(self) -> None:
        """See ICodec."""
        self.sender.isPaused = True
        for stream in list(self.streams.values()):
            stream.pauseProducer()

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost says so, too."""

    def resumeProducing(self) -> None:
        """See ICodec."""
        if not self.sender.isPaused:
            return
        self.sender.isPaused = False
        self.floods.outbound = self.floods.outboundControl = 0
        self.sender.sendReady()
        for stream in list(self.streams.values()):
            stream.resumeWhenLow()

    def sendPing(self, opaque: bytes) -> None:
        """Ask the peer for a sign of life, see `pingAcked`; opaque is 8 bytes."""
        if not self._closed:
            self.write(frames.ping(opaque, False))

    def shutdownNotice(self) -> None:
        """See ICodec."""
        self._sayGoAway(frames.LAST_STREAM)

    def goAway(self) -> None:
        """See ICodec."""
        if not self._closed:
            self.stats.goaway_sent.value += 1  # the only one that Envoy counts
        self._sayGoAway(0 if self.isClient else self.core.highest)

    def _sayGoAway(self, last: int) -> None:
        if not self._closed:
            self.write(frames.goAway(last, frames.NO_ERROR))

    def resetByOwner(self, stream: H2Stream, reason: Reset) -> None:
        """The owner ends a stream; a request that was never begun leaves no trace."""
        if stream.streamID in self.streams:
            answered = stream.localEnded and not self.isClient
            self.table.sendReset(stream, codeOf(reason, answered))
        self.table.forget(stream)


def _makeCore(
    client: bool,
    settings: HTTP2Settings,
    limits: HeaderLimits,
    streams: dict[int, H2Stream],
    resets: ResetStreams,
) -> Core:
    if settings.usesLibrary:
        from twisted_envoy.codec.h2.library import LibraryCore

        return LibraryCore(client, settings, limits)
    return LeanCore(client, settings, limits, streams, resets)
