"""
The client's side of an HTTP/2 connection.

Envoy: Http2::ClientConnectionImpl
"""

from __future__ import annotations

from functools import partial
from typing import Any

from zope.interface import implementer

from twisted_envoy.codec.h2 import failures, frames
from twisted_envoy.codec.h2.codec import H2Codec, Handler
from twisted_envoy.codec.h2.core import INTERIM, TRAILERS, Block
from twisted_envoy.codec.h2.failures import ConnectionFailure, MessageFailure
from twisted_envoy.codec.h2.frames import (
    END_HEADERS,
    END_STREAM,
    HEADER_BYTES,
    PADDED,
    PRIORITY_FLAG,
)
from twisted_envoy.codec.h2.messages import contentLength
from twisted_envoy.codec.h2.requested import AnswerHead, Requested
from twisted_envoy.codec.h2.stream import H2Stream
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IClientCodec, Reset

_ODD = END_HEADERS | PADDED | PRIORITY_FLAG
_ODD_METHODS = frozenset((b"HEAD", b"CONNECT"))
_BODILESS = frozenset((b"204", b"304"))


@implementer(IClientCodec)
class H2ClientCodec(H2Codec):
    """
    Requests out, responses in.

    Args:
        connection: the owner, an IClientConnection.
        output, stats, seconds: as for H2ServerCodec.

    Attributes:
        peerAllowsConnect: the server takes extended CONNECT.
    """

    isClient = True

    _refused = False
    peerAllowsConnect = False

    def __init__(self, connection: Any, *args: Any, **keywords: Any) -> None:
        super().__init__(connection, *args, **keywords)
        self.table.removed = connection.streamClosed
        self.bodies.takeWhole = self._takeWhole
        self._early = self.bodies.early
        handlers = list(self._handlers)
        for kind in (frames.RST_STREAM, frames.GOAWAY, frames.WINDOW_UPDATE):
            handlers[kind] = partial(self._afterEarly, handlers[kind])
        self._handlers = tuple(handlers)

    def newStream(self, decoder: Any) -> H2Stream:
        """
        See IClientCodec.

        The stream gets its ID with its headers; when the peer does not take it (GOAWAY, too many)
        the decoder is told streamReset(REMOTE_REFUSED) then.
        """
        stream = H2Stream(self, 0)
        stream.decoder = decoder
        return stream

    def begin(self, stream: H2Stream, headers: HeaderMap, endStream: bool) -> None:
        """See H2Codec."""
        try:
            if self._refused or self._closed:
                raise ConnectionFailure(None)
            stream.streamID = self.core.nextStreamID()
            stream.sendWindow = self.sender.peerWindow
            stream.method = headers.get(b":method", b"")
            self.table.add(stream)
            self.sendHeaders(stream, headers, endStream)
        except ConnectionFailure:
            self.table.tellReset(stream, Reset.REMOTE_REFUSED, failures.REMOTE_REFUSED)

    @property
    def full(self) -> bool:
        """No request may be carried now."""
        core = self.core
        return (
            self._refused
            or self._closed
            or self.tellsCore
            or self.sender.isPaused
            or not core.takesMore
        )

    def carry(self, requested: Requested, value: bytes, decoder: Any, carrier: Any) -> H2Stream:
        """
        Send a whole request without a body; only while it is not `full`.

        Args:
            value: what this one has in the hole.
            carrier: as H2Stream's; decoder: hears of any other answer.
        """
        streamID = self.core.nextStreamID()
        stream = H2Stream(self, streamID)
        stream.method = requested.method
        stream.decoder = decoder
        stream.carrier = carrier
        stream.localEnded = True
        frame = self.core.request(streamID, requested, value)
        self.table.add(stream)
        stream.headerBytes = stream.wireBytes = len(frame)
        self.floods.outbound += 1
        self.write(frame)
        return stream

    def _frames(self, data: bytes, position: int) -> None:
        try:
            super()._frames(data, position)
        finally:
            if self._early:
                self._release()

    def _headers(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if flags & _ODD == END_HEADERS:
            head = self._heads.get(data[start:stop])
            stream = self.streams.get(streamID)
            if (
                head is not None
                and stream is not None
                and not (stream.answered or stream.remoteEnded)
                and not (flags & END_STREAM and head[1] > 0)
                and stream.method not in _ODD_METHODS
            ):
                self.floods.empty = 0
                size = HEADER_BYTES + stop - start
                stream.receivedHeaderBytes += size
                stream.receivedWireBytes += size
                stream.expected = head[1]
                if head[2]:
                    self.core.entered(head[2])
                if stream.carrier is None or flags & END_STREAM:
                    self._response(stream, head[0].copy(), flags & END_STREAM > 0)
                else:
                    stream.answered = True
                    self._early[streamID] = (stream, head)
                return
        if self._early:
            self._release()
        super()._headers(flags, streamID, data, start, stop)

    def _takeWhole(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> bool:
        """DATA behind early headers: a body that is whole is given away with them."""
        stream, head = self._early.pop(streamID)
        if stream.closed:
            return False
        size = stop - start
        carrier = stream.carrier
        isWhole = False
        if (
            flags == END_STREAM
            and 0 < size
            and (size == stream.expected or stream.expected < 0)
            and carrier is not None
            and self.bodies.fits(stream, size)
        ):
            stream.receivedWireBytes += HEADER_BYTES + size
            isWhole = carrier.decodeWhole(head[3], data[start:stop])
            if not isWhole:
                stream.receivedWireBytes -= HEADER_BYTES + size
        if not isWhole:
            if not stream.closed:  # else it was reset
                self._response(stream, head[0].copy(), False)
            return False
        stream.carrier = stream.decoder = None
        stream.remoteEnded = True
        self.floods.empty = 0
        self.bodies.passed(size)
        self.table.closeEnded(stream)
        carrier.upstreamOver()
        return True

    def _afterEarly(self, handler: Handler, *frame: Any) -> None:
        """A frame that may end streams."""
        if self._early:
            self._release()
        handler(*frame)

    def _release(self) -> None:
        """What is not whole is told as it came."""
        early = self._early
        while early:
            stream, head = early.pop(next(iter(early)))
            if not stream.closed:
                self._response(stream, head[0].copy(), False)

    def _message(self, block: Block) -> None:
        kind, streamID, fields, ended = block
        stream = self.streams.get(streamID)
        if stream is None:
            return
        if kind == TRAILERS:
            self._trailers(stream, block)
            return
        self.countBlock(stream)
        headers = self.messages.response(fields)
        status = headers[b":status"]
        if kind == INTERIM:
            stream.decoder.decode1xx(headers)
            return
        stream.answered = True
        if status in _BODILESS or stream.method == b"HEAD":
            stream.expected = 0
        elif b"content-length" in headers and stream.method != b"CONNECT":
            stream.expected = contentLength(headers)
            if ended and stream.expected:
                raise MessageFailure(failures.MESSAGING, True)
        if self._keeps and stream.method not in _ODD_METHODS:
            self.core.keep(headers, stream.expected, AnswerHead)
        self._response(stream, headers, ended)

    def _response(self, stream: H2Stream, headers: HeaderMap, ended: bool) -> None:
        """The final headers of a response, which have no fault."""
        stream.answered = True
        decoder = stream.decoder
        if ended:
            stream.remoteEnded = True
            if stream.localEnded:
                self.table.closeEnded(stream)
                if not stream.held:
                    stream.decoder = None
        decoder.decodeHeaders(headers, ended)

    def peerSettings(self, changed: dict[int, int]) -> None:
        """See H2Codec."""
        self.peerAllowsConnect = bool(
            changed.get(frames.ENABLE_CONNECT_PROTOCOL, self.peerAllowsConnect)
        )
        most = changed.get(frames.MAX_CONCURRENT_STREAMS)
        if most is not None:
            self.connection.settingsReceived(most)

    def goAwayReceived(self, last: int, code: int) -> None:
        """Streams above last were not looked at; the pool may send them again."""
        self._refused = True
        refused = [stream for number, stream in self.streams.items() if number > last]
        self.connection.goAwayReceived(code)
        for stream in refused:
            if not stream.closed:
                self.core.reset(stream.streamID, frames.REFUSED_STREAM)
                self.table.resets.add(stream.streamID, False)
                self.table.tellReset(stream, Reset.REMOTE_REFUSED, failures.REMOTE_REFUSED)
