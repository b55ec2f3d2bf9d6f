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

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, NoReturn

from twisted_envoy.codec.h2 import failures, frames
from twisted_envoy.codec.h2.core import STREAM_ERROR, Block, Core
from twisted_envoy.codec.h2.failures import ConnectionFailure, MessageFailure
from twisted_envoy.codec.h2.floods import Floods
from twisted_envoy.codec.h2.frames import (
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    HEADER_BYTES,
    INTERNAL_ERROR,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
)
from twisted_envoy.codec.h2.messages import Messages
from twisted_envoy.codec.h2.resets import ResetStreams, codeOf, reasonOf
from twisted_envoy.codec.h2.stream import H2Stream
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, CodecOutput, Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

_unpack = frames.frameHeader.unpack_from
_number = frames.number.unpack_from


class H2Codec:
    """
    The common part; see H2ServerCodec and H2ClientCodec.

    Attributes:
        streams: by ID, those that are open in some direction.
        ready: streams that have bytes to send and a window for them, in turn.
        sendWindow: bytes that the peer takes on this connection.
        peerWindow: bytes that it takes on a new stream.
        mostPayload: of a frame that it takes.
        isPaused: the transport is full; bodies wait.
        pingAcked: called with the 8 bytes of each PING that the peer has answered.
        activity: counts the bytes that have come.
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
        self.floods = Floods(settings, stats, seconds)
        self.messages = Messages(settings, limits, stats)
        self.core = Core(self.isClient, settings, limits)
        self.streams: dict[int, H2Stream] = {}
        self.ready: deque[H2Stream] = deque()
        self.sendWindow = frames.FIRST_WINDOW
        self.peerWindow = frames.FIRST_WINDOW
        self.mostPayload = frames.MOST_PAYLOAD
        self.isPaused = False
        self.pingAcked: Callable[[bytes], None] | None = None
        self.activity = 0
        self.write = output.write
        self._resets = ResetStreams()
        self._buffer = b""
        self._preface = b"" if self.isClient else frames.PREFACE
        self._closed = False
        self._sawSettings = False
        self._blockStream = 0
        self._sending = False
        self._receiveWindow = max(frames.FIRST_WINDOW, settings.initialConnectionWindow)
        self._unacknowledged = 0
        self._handlers: tuple[Callable[[int, int, bytes, int, int], None], ...] = (
            self._data,
            self._headers,
            self._priority,
            self._rstStream,
            self._settingsFrame,
            self._pushPromise,
            self._ping,
            self._goAway,
            self._windowUpdate,
            self._continuation,
        )
        self._greet()

    def _greet(self) -> None:
        """SETTINGS as Envoy orders them, and the connection's window."""
        settings = self.settings
        pairs = (
            (frames.HEADER_TABLE_SIZE, settings.hpackTableSize),
            (frames.ENABLE_CONNECT_PROTOCOL, int(settings.allowConnect)),
            (frames.MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams),
            (frames.INITIAL_WINDOW_SIZE, settings.initialStreamWindow),
            *settings.customSettings,
        )
        greeting = b""
        if self.isClient:
            greeting = frames.PREFACE
            pairs = ((frames.ENABLE_PUSH, 0), *pairs)
        greeting += frames.settings(pairs)
        increment = self._receiveWindow - frames.FIRST_WINDOW
        if increment > 0:
            greeting += frames.windowUpdate(0, increment)
        self.write(greeting)

    # Bytes in.

    def dataReceived(self, data: bytes) -> None:
        """See ICodec."""
        if self._closed:
            return
        self.activity += len(data)
        if not self.isPaused:
            self.floods.outbound = self.floods.outboundControl = 0
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        try:
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
            if stop - start > frames.MOST_PAYLOAD:
                raise ConnectionFailure(FRAME_SIZE_ERROR)
            if stop > end:
                break
            position = stop
            if kind != frames.CONTINUATION and self._blockStream:
                raise ConnectionFailure(PROTOCOL_ERROR)
            if kind < frames.KNOWN_TYPES:
                if not self._sawSettings and kind != frames.SETTINGS:
                    raise ConnectionFailure(PROTOCOL_ERROR, failures.BAD_PREFACE)
                handlers[kind](flags, streamID & frames.LAST_STREAM, data, start, stop)
                if self._closed:
                    return
        if position < end:
            self._buffer = data[position:]

    def _fail(self, failure: ConnectionFailure) -> NoReturn:
        """Say good-bye, tell all streams, raise."""
        if failure.code is not None:
            self.write(frames.goAway(self._lastStreamID(), failure.code))
            self.stats.goaway_sent.value += 1
        reason = Reset.PROTOCOL_ERROR if self.isClient else Reset.LOCAL
        self._end(reason, failure.details)
        raise CodecError(failure.details) from failure

    def _end(self, reason: Reset, details: str) -> None:
        self._closed = True
        streams = list(self.streams.values())
        for stream in streams:
            self._forget(stream)
        for stream in streams:
            decoder, stream.decoder = stream.decoder, None
            if decoder is not None:
                decoder.streamReset(reason, details)

    def _lastStreamID(self) -> int:
        """Of the peer's streams."""
        return 0 if self.isClient else self.core.highest

    def readConnectionLost(self) -> None:
        """See ICodec; HTTP/2 has no half-closed connections."""

    def connectionLost(self, reason: Reset) -> None:
        """See ICodec."""
        if not self._closed:
            self._end(reason, "")

    # Bodies.

    def _data(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        window = stop - start
        self._receiveWindow -= window
        if self._receiveWindow < 0:
            raise ConnectionFailure(FLOW_CONTROL_ERROR)
        ended = bool(flags & frames.END_STREAM)
        if window or ended:
            self.floods.empty = 0
        else:
            self.floods.emptyFrame()
        stream = self.streams.get(streamID)
        if stream is None or stream.remoteEnded:
            self._strayData(stream, streamID, window)
            return
        if flags & frames.PADDED:
            start, stop = _unpad(data, start, stop)
        stream.receiveWindow -= window
        if stream.receiveWindow < 0:
            self.acknowledge(window)
            self.failStream(stream, FLOW_CONTROL_ERROR, failures.PROTOCOL)
            return
        size = stop - start
        if stream.expected >= 0:
            stream.expected -= size
            if stream.expected < 0 or (ended and stream.expected):
                self.acknowledge(window)
                self.stats.rx_messaging_error.value += 1
                self.failStream(stream, PROTOCOL_ERROR, failures.MESSAGING)
                return
        if self.isClient and not stream.answered:
            self.acknowledge(window)
            self.failStream(stream, PROTOCOL_ERROR, failures.MESSAGING)
            return
        if ended:
            self._endReceived(stream)
        stream.dataReceived(data[start:stop], window, ended)

    def _strayData(self, stream: H2Stream | None, streamID: int, window: int) -> None:
        """DATA of a stream that is not open."""
        self.acknowledge(window)
        if stream is not None:
            self.failStream(stream, STREAM_CLOSED, failures.PROTOCOL)
            return
        self._checkBegun(streamID)
        if self._resets.byUs(streamID):
            return
        if not self._resets.byPeer(streamID):
            raise ConnectionFailure(STREAM_CLOSED)
        self._answer(frames.rstStream(streamID, STREAM_CLOSED))

    def acknowledge(self, window: int) -> None:
        """So much of the connection's window is free again."""
        self._unacknowledged += window
        if self._unacknowledged * 2 >= self.settings.initialConnectionWindow and not self._closed:
            increment, self._unacknowledged = self._unacknowledged, 0
            self._receiveWindow += increment
            self.write(frames.windowUpdate(0, increment))

    def _endReceived(self, stream: H2Stream) -> None:
        stream.remoteEnded = True
        self.core.endReceived(stream.streamID)
        self._closeWhenEnded(stream)

    # Headers.

    def _headers(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if stop == start and not flags & frames.END_STREAM:
            self.floods.emptyFrame()
        else:
            self.floods.empty = 0
        if not flags & frames.END_HEADERS:
            self._blockStream = streamID
        self._block(data[start - HEADER_BYTES : stop], streamID)

    def _continuation(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if not self._blockStream:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop == start and not flags & frames.END_HEADERS:
            self.floods.emptyFrame()
        if flags & frames.END_HEADERS and streamID == self._blockStream:
            self._blockStream = 0
        self._block(data[start - HEADER_BYTES : stop], streamID)

    def _block(self, frame: bytes, streamID: int) -> None:
        block = self.core.receive(frame)
        if self.core.output and not self._resets.byUs(streamID):
            self._answer(self.core.output)
        if block is None:
            return
        if block[0] == STREAM_ERROR:
            stream = self.streams.get(streamID)
            if stream is not None:
                self._streamFailed(stream, failures.PROTOCOL)
            return
        try:
            self._message(block)
        except MessageFailure as failure:
            self._messageFailed(block, failure)

    def _message(self, block: Block) -> None:
        raise NotImplementedError

    def _messageFailed(self, block: Block, failure: MessageFailure) -> None:
        """A limit ends the stream, a violation the connection unless streamErrors is set."""
        stream = self.streams[block[1]]
        code = INTERNAL_ERROR
        if failure.violation:
            self.stats.rx_messaging_error.value += 1
            if not self.settings.streamErrors:
                raise ConnectionFailure(None, failure.details) from failure
            code = PROTOCOL_ERROR
        elif failure.details == failures.TOO_MANY_HEADERS:
            self.stats.header_overflow.value += 1
        self.failStream(stream, code, failure.details)

    def _trailers(self, stream: H2Stream, block: Block) -> None:
        trailers = self.messages.trailers(block[2])
        if stream.expected > 0:
            raise MessageFailure(failures.MESSAGING, True)
        self.stats.trailers.value += 1
        stream.remoteEnded = True
        self._closeWhenEnded(stream)
        stream.trailersReceived(trailers)

    def begin(self, stream: H2Stream, headers: HeaderMap, endStream: bool) -> None:
        """Send the headers of a request or a response."""
        raise NotImplementedError

    def sendHeaders(self, stream: H2Stream, headers: HeaderMap, endStream: bool) -> None:
        """
        Send any header block.

        Raises:
            ConnectionFailure: the peer allows no further stream.
        """
        pairs = headers.items() if headers.more is None else headers.pairs()
        block = self.core.sendHeaders(stream.streamID, pairs, endStream)
        size = len(block)
        stream.headerBytes += size - HEADER_BYTES
        stream.wireBytes += size
        self.floods.outbound += 1
        self.write(block)
        if endStream:
            stream.localEnded = True
            self._closeWhenEnded(stream)

    # Other frames.

    def _priority(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if not streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop - start != 5:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        if _number(data, start)[0] & frames.LAST_STREAM == streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        self.floods.priority()

    def _rstStream(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if stop - start != 4:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        self._checkBegun(streamID)
        self.stats.rx_reset.value += 1
        stream = self.streams.get(streamID)
        if stream is None:
            return
        code = _number(data, start)[0]
        self.core.resetReceived(streamID)
        self._resets.add(streamID, False)
        reason, details = reasonOf(code)
        lifetime = self.seconds() - stream.begun
        self._tellReset(stream, reason, details)
        if not self.isClient:
            self.floods.reset(lifetime)

    def _settingsFrame(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        size = stop - start
        if streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if size % 6 or (flags & frames.ACK and size):
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        if flags & frames.ACK:
            if not self._sawSettings:
                raise ConnectionFailure(PROTOCOL_ERROR, failures.BAD_PREFACE)
            return
        self._sawSettings = True
        changed = self.core.receiveSettings(data[start - HEADER_BYTES : stop])
        self.mostPayload = changed.get(frames.MAX_FRAME_SIZE, self.mostPayload)
        self._answer(self.core.output)
        window = changed.get(frames.INITIAL_WINDOW_SIZE)
        if window is not None:
            self._changeWindows(window - self.peerWindow)
            self.peerWindow = window
        self._peerSettings(changed)

    def _changeWindows(self, change: int) -> None:
        for stream in list(self.streams.values()):
            stream.sendWindow += change
            if stream.sendWindow > frames.MOST_WINDOW:
                raise ConnectionFailure(FLOW_CONTROL_ERROR)
            if change > 0:
                stream.windowOpened()

    def _peerSettings(self, changed: dict[int, int]) -> None:
        """The peer's SETTINGS were applied."""

    def _pushPromise(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        raise ConnectionFailure(PROTOCOL_ERROR)

    def _ping(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop - start != 8:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        if not flags & frames.ACK:
            self._answer(frames.ping(data[start:stop], True))
        elif self.pingAcked is not None:
            self.pingAcked(data[start:stop])

    def _goAway(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if streamID:
            raise ConnectionFailure(PROTOCOL_ERROR)
        if stop - start < 8:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        last = _number(data, start)[0] & frames.LAST_STREAM
        self._goAwayReceived(last, _number(data, start + 4)[0])

    def _goAwayReceived(self, last: int, code: int) -> None:
        self.connection.goAwayReceived(code)

    def _windowUpdate(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if stop - start != 4:
            raise ConnectionFailure(FRAME_SIZE_ERROR)
        self.floods.windowUpdate()
        increment = _number(data, start)[0] & frames.MOST_WINDOW
        if not streamID:
            self.sendWindow += increment
            if not increment:
                raise ConnectionFailure(PROTOCOL_ERROR)
            if self.sendWindow > frames.MOST_WINDOW:
                raise ConnectionFailure(FLOW_CONTROL_ERROR)
            self.sendReady()
            return
        self._checkBegun(streamID)
        stream = self.streams.get(streamID)
        if stream is None:
            return
        stream.sendWindow += increment
        if not increment:
            self.failStream(stream, PROTOCOL_ERROR, failures.PROTOCOL)
        elif stream.sendWindow > frames.MOST_WINDOW:
            self.failStream(stream, FLOW_CONTROL_ERROR, failures.PROTOCOL)
        else:
            stream.windowOpened()

    def _checkBegun(self, streamID: int) -> None:
        """A frame for a stream that nobody has begun ends the connection."""
        if not streamID & 1 or streamID > self.core.highest:
            raise ConnectionFailure(PROTOCOL_ERROR)

    # Bytes out.

    def writeData(self, header: bytes, data: bytes) -> None:
        """One DATA frame."""
        self.floods.sentData += 1
        self.write(header)
        if data:
            self.write(data)

    def _answer(self, frame: bytes) -> None:
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

    def endSent(self, stream: H2Stream) -> None:
        """Our body of stream has ended."""
        stream.localEnded = True
        self.core.endSent(stream.streamID)
        self._closeWhenEnded(stream)

    def pauseProducing(self) -> None:
        """See ICodec."""
        self.isPaused = True
        for stream in list(self.streams.values()):
            stream.pauseProducer()

    def resumeProducing(self) -> None:
        """See ICodec."""
        if not self.isPaused:
            return
        self.isPaused = False
        self.floods.outbound = self.floods.outboundControl = 0
        self.sendReady()
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
        self._sayGoAway(self._lastStreamID())

    def _sayGoAway(self, last: int) -> None:
        if not self._closed:
            self.stats.goaway_sent.value += 1
            self.write(frames.goAway(last, frames.NO_ERROR))

    # The ends of streams.

    def resetByOwner(self, stream: H2Stream, reason: Reset) -> None:
        """The owner ends a stream; a request that was never begun leaves no trace."""
        if stream.streamID and stream.streamID in self.streams:
            answered = stream.localEnded and not self.isClient
            self._sendReset(stream, codeOf(reason, answered))
        self._forget(stream)

    def failStream(self, stream: H2Stream, code: int, details: str) -> None:
        """The peer has broken a rule in one stream."""
        self._sendReset(stream, code)
        self._streamFailed(stream, details)

    def _sendReset(self, stream: H2Stream, code: int) -> None:
        self.stats.tx_reset.value += 1
        self._resets.add(stream.streamID, True)
        self.write(self.core.reset(stream.streamID, code))
        self.floods.outbound += 1
        self.floods.outboundControl += 1

    def _streamFailed(self, stream: H2Stream, details: str) -> None:
        reason = Reset.PROTOCOL_ERROR if self.isClient else Reset.LOCAL
        self._tellReset(stream, reason, details)

    def _tellReset(self, stream: H2Stream, reason: Reset, details: str) -> None:
        decoder = stream.decoder
        self._forget(stream)
        if decoder is not None:
            decoder.streamReset(reason, details)

    def _closeWhenEnded(self, stream: H2Stream) -> None:
        if stream.localEnded and stream.remoteEnded:
            if stream.holds:
                self.stats.deferred_stream_close.value += 1
            self.floods.closed()
            stream.close()
            self._remove(stream)

    def _forget(self, stream: H2Stream) -> None:
        """The stream was reset."""
        stream.close()
        stream.drop()
        self._remove(stream)

    def _remove(self, stream: H2Stream) -> None:
        if self.streams.pop(stream.streamID, None) is not None:
            self.stats.streams_active.value -= 1
            self._removed()

    def _removed(self) -> None:
        """A stream is gone."""


def _unpad(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where the body is in a padded frame."""
    if start == stop:
        raise ConnectionFailure(FRAME_SIZE_ERROR)
    end = stop - data[start]
    if end <= start:
        raise ConnectionFailure(PROTOCOL_ERROR)
    return start + 1, end
