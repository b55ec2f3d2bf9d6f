"""
One message as its bytes: what requests and responses have in common.

    direction   ends when                                          sets
    ours        encodeHeaders/Data/Trailers say so                 sent
    the peer's  the codec has decoded it to its end                received
    both        resetStream, or the connection is lost             _lost

Envoy: source/common/http/http1/codec_impl.cc (StreamEncoderImpl)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer

from twisted_envoy.codec.h1.encode import CRLF, LAST_CHUNK, fieldLines, writeChunk
from twisted_envoy.codec.h1.request import NO_HEAD, RequestHead
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, Reset

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.codec import H1Codec


_NOTHING = (b"", False)


class H1Stream:
    """
    The half of an encoder that does not depend on the side; the other is its subclass.

    Attributes:
        receivedHeaderBytes, receivedWireBytes: of the peer's message so far.
        sent: our message is encoded to its end; received: the peer's is decoded to its end.
        pauses: how often reading is paused for this stream.
        head, closes: of a server's stream. asked, isTunnel: of a client's.
    """

    __slots__ = (
        *("_bodiless", "_chunked", "_lost", "_producer", "codec", "headerBytes", "pauses"),
        *("received", "receivedHeaderBytes", "receivedWireBytes", "sent", "streamID", "wireBytes"),
        *("asked", "closes", "head", "isTunnel"),
    )

    codec: H1Codec

    def __init__(self, codec: H1Codec, streamID: int) -> None:
        self.codec = codec
        self.streamID = streamID
        self._producer: IPushProducer | None = None
        self._bodiless = self._chunked = self._lost = False
        self.received = self.sent = False
        self.headerBytes = self.wireBytes = 0
        self.receivedHeaderBytes = self.receivedWireBytes = 0
        self.pauses = 0
        self.head: RequestHead = NO_HEAD
        self.closes = self.isTunnel = False
        self.asked = _NOTHING

    def decodedBy(self, decoder: IStreamDecoder) -> None:
        """Somebody else hears of the peer's words from now on, if there will be any."""
        self.codec.decodedBy(self, decoder)

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Send body bytes."""
        if self._lost or self.sent:
            return
        if self._chunked:
            if data or endStream:
                self.wireBytes += writeChunk(self.codec.output.write, data, endStream)
        elif data and not self._bodiless:
            self.wireBytes += len(data)
            output = self.codec.output
            if output.pieces:
                output.pieces.append(data)
            else:
                output.write(data)
        if endStream:
            self._end()

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Send trailers if they are wanted and can be; the message ends."""
        if self._lost or self.sent:
            return
        if self._chunked:
            if self.codec.settings.enableTrailers and trailers:
                lines = fieldLines(trailers)
                self.headerBytes += len(lines)
                self._write(b"0\r\n" + lines + CRLF)
            else:
                self._write(LAST_CHUNK)
        self._end()

    def _write(self, data: bytes) -> None:
        self.wireBytes += len(data)
        self.codec.output.write(data)

    def _end(self) -> None:
        """Ours is sent to its end."""
        self.sent = True
        self._producer = None
        if self.received:
            self.codec.streamEnded(self)

    def resetStream(self, reason: Reset) -> None:
        """Send and decode nothing more; the owner must close."""
        if not (self._lost or (self.sent and self.received)):
            while self.pauses:
                self.resumeReading()
            self.lost()
            self.codec.streamReset()

    def lost(self) -> None:
        """Nothing can be sent any more."""
        self._lost = True
        self._producer = None

    # Back-pressure.

    def registerProducer(self, producer: IPushProducer | None) -> None:
        """Who makes the body; paused at once when the transport is full."""
        self._producer = producer
        if producer is not None and self.codec.full:
            producer.pauseProducing()

    def pauseProducer(self, paused: bool) -> None:
        """The transport is full, or is not any more."""
        producer = self._producer
        if producer is None:
            return
        if paused:
            producer.pauseProducing()
        else:
            producer.resumeProducing()

    def pauseReading(self) -> None:
        """Stop reading the connection; what has been read already is decoded still."""
        if not (self._lost or (self.sent and self.received)):
            self.pauses += 1
            self.codec.pauseReading(True)

    def resumeReading(self) -> None:
        """Read again."""
        if self.pauses:
            self.pauses -= 1
            self.codec.pauseReading(False)

    def setBufferLimit(self, limit: int) -> None:
        """The transport's own limit is what counts."""
