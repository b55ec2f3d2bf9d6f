"""
One request and its response: the encoder of either side, and the body bytes that wait.

    what waits            until                                        bounded by
    of ours (`_queue`)    the windows open, the transport takes more   the producer, paused
    of the peer's (held)  resumeReading                                the stream's window

Envoy: Http2::ConnectionImpl::StreamImpl
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.frames import DATA, HEADER_BYTES, frameHeader
from twisted_envoy.codec.h2.sender import SMALL
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IResponseEncoder, IStreamDecoder, Reset

if TYPE_CHECKING:
    from twisted_envoy.codec.h2.codec import H2Codec

_BUFFER_LIMIT = 1024 * 1024
_pack = frameHeader.pack

Held = deque[tuple[bytes, int, bool] | HeaderMap]
"""Of the peer's: (body bytes, bytes of window, is it the end) or trailers."""


@implementer(IResponseEncoder)
class H2Stream:
    """
    One stream.

    Attributes:
        decoder: told what the peer sends; None once nothing more is to be told.
        sendWindow: bytes that the peer takes; may be below 0 after its SETTINGS.
        receiveWindow: bytes that it may send.
        expected: bytes of the peer's body that must still come; -1 when it is not known.
        isReady: it is in the codec's queue of streams that may send.
        begun: when, in seconds; for the peer's resets.
        carrier: is given the answer if it comes whole, in place of the decoder (its `decodeWhole`
            says whether it takes it, then its `upstreamOver` is called); None for most.
        through: is given bytes of the peer's in the decoder's place, if it takes them (True);
            not the last ones. None for most.
        answered: headers of the peer's response have come, or ours were sent.
        method: of a client's request.
        held: of the peer's, not yet decoded.
        readPauses: how often reading is paused.
        producer: is paused while too much of ours waits.
        flushed: called once all of ours is sent, if set while `isFlushing`; not after a reset.
    """

    # Defaults of what is seldom asked are the class's: of most streams most never change.
    headerBytes = 0
    receivedHeaderBytes = 0
    flushed: Callable[[], None] | None = None
    begun = 0.0
    isReady = False
    method = b""
    _queue: deque[bytes | memoryview] | None = None
    _trailers: HeaderMap | None = None
    producer: Any = None
    _paused = False
    _limit = _BUFFER_LIMIT
    _unacknowledged = 0

    def __init__(self, codec: H2Codec, streamID: int) -> None:
        self._codec = codec
        self._bodies = codec.bodies
        self._sender = sender = codec.sender
        self.streamID = streamID
        self.sendWindow = sender.peerWindow
        self.receiveWindow = codec.settings.initialStreamWindow
        self.decoder: Any = None
        self.carrier: Any = None
        self.through: Callable[[bytes], bool] | None = None
        self.expected = -1
        self.answered = self.closed = self.localEnded = self.remoteEnded = False
        self.wireBytes = self.receivedWireBytes = self._buffered = self.readPauses = 0
        self._endQueued = False
        self.held: Held | None = None

    # Our words.

    def encode1xx(self, headers: HeaderMap) -> None:
        """See IStreamEncoder."""
        if not (self.closed or self.localEnded):
            self._codec.sendHeaders(self, headers, False, True)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """See IStreamEncoder."""
        if self.closed or self.localEnded:
            return
        codec = self._codec
        if codec.isClient:
            codec.begin(self, headers, endStream)
        else:
            self.answered = True
            codec.sendHeaders(self, headers, endStream)

    def takes(self, size: int) -> bool:
        """Whether so many bytes of a body can be sent at once."""
        sender = self._sender
        most = min(sender.mostPayload, self.sendWindow, sender.sendWindow)
        return size <= most and not (sender.isPaused or self.closed)

    def wholeHead(self, headers: HeaderMap) -> HeaderMap:
        """What encodeWhole takes for a response with these headers."""
        return headers

    def encodeWhole(self, headers: HeaderMap, body: bytes) -> None:
        """
        Send a whole response that it takes.

        Args:
            headers: the same map if they are the same as before. body: not empty.
        """
        codec, sender = self._codec, self._sender
        size = len(body)
        sender.sendWindow -= size
        self.sendWindow -= size
        floods = sender.floods
        floods.outbound += 1
        floods.sentData += 1
        self.answered = True
        frames = codec.core.answer(self.streamID, headers, body)
        self.wireBytes += len(frames)
        self.headerBytes += len(frames) - HEADER_BYTES - size
        codec.write(frames)
        codec.localEnded(self)

    def decodedBy(self, decoder: IStreamDecoder) -> None:
        """Somebody else hears of the peer's words from now on, if there will be any."""
        if self.decoder is not None:
            self.decoder = decoder

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """See IStreamEncoder."""
        if self.closed or self.localEnded or self._endQueued:
            return
        sender = self._sender
        size = len(data)
        if (
            not self._buffered
            and size <= sender.mostPayload
            and size <= self.sendWindow
            and size <= sender.sendWindow
            and not sender.isPaused
        ):
            if endStream:
                self._send(data, True)
            elif size:
                self.sendWindow -= size
                sender.sendWindow -= size
                self.wireBytes += HEADER_BYTES + size
                sender.floods.sentData += 1
                header = _pack(size >> 8, size & 255, DATA, 0, self.streamID)
                write = sender.write
                if size <= SMALL:
                    write(header + data)
                else:
                    write(header)
                    write(data)
            return
        if size:
            if self._queue is None:
                self._queue = deque()
            self._queue.append(data)
            self._changeBuffered(size)
        self._endQueued = endStream
        self._flush()

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """See IStreamEncoder."""
        if self.closed or self.localEnded or self._endQueued:
            return
        if self._buffered:
            self._trailers = trailers
            self._endQueued = True
        else:
            self._sendTrailers(trailers)

    def resetStream(self, reason: Reset) -> None:
        """See IStreamEncoder."""
        if not self.closed:
            self.decoder = None
            self._codec.resetByOwner(self, reason)

    def registerProducer(self, producer: Any) -> None:
        """See IStreamEncoder."""
        self.producer = producer
        self._paused = False
        if producer is not None and not self.closed and (self._isFull() or self._sender.isPaused):
            self._paused = True
            producer.pauseProducing()

    def setBufferLimit(self, limit: int) -> None:
        """See IStreamEncoder; 0 for no limit."""
        self._limit = limit

    @property
    def isFlushing(self) -> bool:
        """See IResponseEncoder."""
        return self._endQueued and not (self.localEnded or self.closed)

    def _isFull(self) -> bool:
        return self._buffered > self._limit > 0

    def _changeBuffered(self, size: int) -> None:
        self._buffered += size
        self._sender.stats.pending_send_bytes.value += size

    def _flush(self) -> None:
        """Send what may be sent, and pause the producer over what may not."""
        sender = self._sender
        if self._buffered and not self.isReady and self.sendWindow > 0:
            self.isReady = True
            sender.ready.append(self)
        sender.sendReady()
        if self._endQueued and not (self._buffered or self.closed or self.localEnded):
            self._sendEnd()
        if self.producer is not None and not self._paused and self._isFull():
            self._paused = True
            self.producer.pauseProducing()

    def sendOne(self, most: int) -> bool:
        """
        Send one frame of what waits.

        Args:
            most: bytes that the connection takes, above 0.
        Returns:
            There is more that this stream's window allows.
        """
        queue = self._queue
        if self.closed or not queue:
            return False
        size = min(most, self.sendWindow)
        piece = queue.popleft()
        if len(piece) > size:
            view = memoryview(piece)
            queue.appendleft(view[size:])
            piece = view[:size]
        data = bytes(piece)
        self._changeBuffered(-len(data))
        if self._buffered:
            self._send(data, False)
            return self.sendWindow > 0
        self._send(data, self._endQueued and self._trailers is None)
        if self._trailers is not None:
            self._sendEnd()
        return False

    def resumeWhenLow(self) -> None:
        """Resume the producer when less than half of the limit waits."""
        if self._paused and not self._sender.isPaused and self._buffered * 2 <= self._limit:
            self._paused = False
            if self.producer is not None:  # else those were the last bytes
                self.producer.resumeProducing()

    def pauseProducer(self) -> None:
        """The transport is full."""
        if self.producer is not None and not self._paused:
            self._paused = True
            self.producer.pauseProducing()

    def windowOpened(self) -> None:
        """`sendWindow` has grown."""
        if self._buffered and not self.closed:
            self._flush()
            self.resumeWhenLow()

    def _send(self, data: bytes, ended: bool) -> None:
        """One DATA frame that fits into everything."""
        size = len(data)
        self.sendWindow -= size
        self.wireBytes += HEADER_BYTES + size
        self._sender.sendData(self.streamID, data, ended)
        if ended:
            self._ended()

    def _ended(self) -> None:
        """Our body is sent to its end."""
        codec = self._codec
        if codec.tellsCore:
            codec.core.endSent(self.streamID)
        codec.localEnded(self)

    def _sendEnd(self) -> None:
        trailers = self._trailers
        if trailers is None:
            self._send(b"", True)
        else:
            self._trailers = None
            self._sendTrailers(trailers)

    def _sendTrailers(self, trailers: HeaderMap) -> None:
        if trailers:
            self._codec.sendHeaders(self, trailers, True)
        else:
            self._send(b"", True)

    # The peer's words.

    def pauseReading(self) -> None:
        """See IStreamEncoder."""
        self.readPauses += 1

    def resumeReading(self) -> None:
        """See IStreamEncoder; what was held is decoded before it returns."""
        if self.readPauses:
            self.readPauses -= 1
        held = self.held
        while held and not self.readPauses and self.decoder is not None:
            item = held.popleft()
            if isinstance(item, HeaderMap):
                self.decoder.decodeTrailers(item)
                self.leaveDecoder()
            else:
                self.decode(*item)

    def hold(self, data: bytes, window: int, ended: bool) -> None:
        """
        Body bytes came, while `readPauses`, or behind others that are held.

        Args:
            window: how much of the windows they took, padding included.
        """
        if self.held is None:
            self.held = deque()
        self.held.append((data, window, ended))

    def trailersReceived(self, trailers: HeaderMap) -> None:
        """The peer's last words."""
        if self.held:
            self.held.append(trailers)
        elif self.decoder is not None:
            self.decoder.decodeTrailers(trailers)
            self.leaveDecoder()

    def decode(self, data: bytes, window: int, ended: bool) -> None:
        """The same at other times."""
        decoder = self.decoder
        bodies = self._bodies
        if decoder is None:
            bodies.acknowledge(window)
            return
        through = self.through
        if through is None or ended or not (data and through(data)):
            decoder.decodeData(data, ended)
        bodies.acknowledge(window)
        if self.remoteEnded or self.closed:
            if ended and self.closed and not self.held:
                self.decoder = None
            return
        self._unacknowledged = increment = self._unacknowledged + window
        if increment >= bodies.streamShare:
            self._unacknowledged = 0
            self.receiveWindow += increment
            frame = frames.windowUpdate(self.streamID, increment)
            self.wireBytes += len(frame)
            self._sender.write(frame)

    def close(self) -> None:
        """Both directions have ended, or one was reset: nothing waits any more."""
        self.closed = True
        if self.isReady:
            self._sender.leave(self)
        self.producer = self.flushed = self.through = None
        if self._buffered:
            self._changeBuffered(-self._buffered)
        self._queue = None
        self._trailers = None

    def leaveDecoder(self) -> None:
        """No cycle stays behind once both directions have ended and all has been told."""
        if self.closed and not self.held:
            self.decoder = None

    def drop(self) -> None:
        """Nothing of the peer's is told any more; what was held counts as decoded."""
        self.decoder = None
        held, self.held = self.held, None
        for item in held or ():
            if not isinstance(item, HeaderMap):
                self._codec.bodies.acknowledge(item[1])
