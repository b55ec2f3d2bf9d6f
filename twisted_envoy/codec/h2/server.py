"""
The server's side of an HTTP/2 connection.

Envoy: Http2::ServerConnectionImpl
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.codec.h2 import failures, frames
from twisted_envoy.codec.h2.codec import H2Codec
from twisted_envoy.codec.h2.core import REQUEST, Block, Head
from twisted_envoy.codec.h2.failures import MessageFailure
from twisted_envoy.codec.h2.frames import (
    END_HEADERS,
    END_STREAM,
    HEADER_BYTES,
    PADDED,
    PRIORITY_FLAG,
)
from twisted_envoy.codec.h2.messages import contentLength
from twisted_envoy.codec.h2.stream import H2Stream
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import ICodec, Traffic

_ODD = END_HEADERS | PADDED | PRIORITY_FLAG


@implementer(ICodec)
class H2ServerCodec(H2Codec):
    """
    Requests in, responses out.

    Args:
        connection: the owner, an IServerConnection.
        output: takes our bytes; SETTINGS are written at once.
        stats: has Envoy's `http2.*` counters as attributes (http.h2_stats.HTTP2Stats).
        seconds: a clock that does not go back, for the rates of resets.

    Attributes:
        answers: an IReadyAnswers, if the owner is one.
    """

    answers: Any = None
    _goneAway = False
    _begun: H2Stream | None = None

    def __init__(self, connection: Any, *args: Any, **keywords: Any) -> None:
        super().__init__(connection, *args, **keywords)
        self._most = self.settings.maxConcurrentStreams

    def goAway(self) -> None:
        """See ICodec; later requests are refused."""
        self._goneAway = True
        super().goAway()

    def _headers(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        if flags & _ODD == END_HEADERS:
            head = self._heads.get(data[start:stop])
            if (
                head is not None
                and streamID & 1
                and streamID > self.core.highest
                and not (flags & END_STREAM and head[1] > 0)
            ):
                self._known(streamID, head, flags & END_STREAM > 0, HEADER_BYTES + stop - start)
                return
        super()._headers(flags, streamID, data, start, stop)

    def _known(self, streamID: int, head: Head, ended: bool, size: int) -> None:
        """A request whose head has come before."""
        known = head[3] if ended else None
        if known is not None and known.isReady and self._answered(streamID, head, size):
            return
        self.floods.empty = 0
        self.core.began(streamID)
        if head[2]:
            self.core.entered(head[2])
        if self._goneAway or len(self.streams) >= self._most:
            self._refuse(streamID)
            return
        stream = H2Stream(self, streamID)
        stream.begun = self.seconds()
        stream.receivedHeaderBytes = stream.receivedWireBytes = size
        stream.expected = head[1]
        self.table.add(stream)
        stream.remoteEnded = ended
        if known is not None and not known.isReady:
            stream.decoder = self.answers.carry(known, stream)
            if stream.decoder is not None:
                return
        decoder = stream.decoder = self.connection.newStream(stream)
        if not stream.closed:
            decoder.decodeHeaders(head[0].copy(), ended)

    def _answered(self, streamID: int, head: Head, received: int) -> bool:
        """Answer at once what needs no stream, and came in so many bytes; False: it needs one."""
        ready = head[3]
        body = ready.body
        size = len(body)
        sender = self.sender
        if (
            size > sender.sendWindow
            or size > sender.peerWindow
            or size > sender.mostPayload
            or sender.isPaused
            or self._goneAway
            or len(self.streams) >= self._most
            or not self.answers.answersAtOnce(ready)
        ):
            return False
        core, floods = self.core, self.floods
        core.began(streamID)
        if head[2]:
            core.entered(head[2])
        sender.sendWindow -= size
        floods.empty = 0
        floods.streams += 1
        floods.closed += 1
        floods.outbound += 1
        if size:
            floods.sentData += 1
        sent = core.answer(streamID, ready.headers, body)
        self.write(sent)
        if ready.isLogged:
            stamp = ready.stamp
            if stamp is not None:
                stamp(ready.now)
                return True
            block = len(sent) - (HEADER_BYTES + size if size else 0)
            traffic = Traffic(received, received, block, len(sent))
            self.answers.answered(ready, head[0], b"", traffic)
        return True

    def _message(self, block: Block) -> None:
        kind, streamID, fields, ended = block
        if kind != REQUEST:
            stream = self.streams.get(streamID)
            if stream is not None:
                self._trailers(stream, block)
            return
        stream, self._begun = self._begun, None
        isNew = stream is None or stream.streamID != streamID
        if stream is None or isNew:
            if self._isFull():
                self._refuse(streamID)
                return
            stream = self._open(streamID)
        elif stream.decoder is None:
            return
        try:
            headers = self.messages.request(fields)
            if b"content-length" in headers:
                stream.expected = contentLength(headers)
                if ended and stream.expected:
                    raise MessageFailure(failures.MESSAGING, True)
        except MessageFailure:
            if isNew:
                stream.decoder = self.connection.newStream(stream)
            raise
        self.countBlock(stream)
        if self._keeps:
            answers = self.answers
            self.core.keep(headers, stream.expected, answers and answers.knownFor)
        if ended:
            stream.remoteEnded = True
        if isNew and not (ended and self._carried(stream, headers)):
            stream.decoder = self.connection.newStream(stream)
            isNew = False
        if not (isNew or stream.closed or stream.decoder is None):
            stream.decoder.decodeHeaders(headers, ended)

    def _carried(self, stream: H2Stream, headers: HeaderMap) -> bool:
        """Have a whole request carried whose head need not have come before; False: it is not."""
        if self.answers is not None:
            stream.decoder = self.answers.carryOther(headers, stream)
        return stream.decoder is not None

    def _isFull(self) -> bool:
        return self._goneAway or len(self.streams) >= self._most

    def _open(self, streamID: int) -> H2Stream:
        """A stream that its owner has not been told of."""
        stream = H2Stream(self, streamID)
        stream.begun = self.seconds()
        self.table.add(stream)
        return stream

    def _begin(self, streamID: int) -> H2Stream:
        stream = self._open(streamID)
        stream.decoder = self.connection.newStream(stream)
        return stream

    def _blockBegins(self, streamID: int) -> None:
        """A request whose headers are late is one already: its times run."""
        if streamID & 1 and streamID > self.core.highest and not self._isFull():
            self.core.begin(streamID)
            self._begun = self._begin(streamID)

    def _refuse(self, streamID: int) -> None:
        self.stats.stream_refused_errors.value += 1
        self.stats.tx_reset.value += 1
        self.table.resets.add(streamID, True)
        self.sender.answer(self.core.reset(streamID, frames.REFUSED_STREAM))
