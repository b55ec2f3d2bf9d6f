"""
The server's side of one HTTP/1.1 connection.

Requests are answered one after the other: what comes behind a request waits until its response is
complete. Then the owner, when the event has ended and `waits` is true, calls `dataReceived(b"")`.

    state           bytes are                 goes on when
    between         skipped CR and LF         anything else comes: the head of a request
    head            kept, up to the limit     the empty line is there
    body            decoded                   the body ends
    waiting         kept                      the response ends: between
    dead            dropped                   never: after an error, a reset or a lost connection

Envoy: source/common/http/http1/codec_impl.cc (ServerConnectionImpl)
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.h1.body import ChunkedBody, RawBody
from twisted_envoy.codec.h1.codec import MOST_REMEMBERED
from twisted_envoy.codec.h1.fields import findEnd, oddLines, splitLines, tooLarge
from twisted_envoy.codec.h1.memo import RESPONSE_HOLES, HeadMemo
from twisted_envoy.codec.h1.ready import (
    answeredAtOnce,
    answeredLike,
    carried,
    carriedOther,
    findKnown,
)
from twisted_envoy.codec.h1.request import (
    RequestHead,
    checkFirstLine,
    checkUnderscores,
    parseRequest,
    wholeLine,
)
from twisted_envoy.codec.h1.server_bodies import ServerBodies
from twisted_envoy.codec.h1.server_stream import H1ServerStream
from twisted_envoy.codec.h1.similar import readSimilar
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, CodecOutput, ICodec, IServerConnection, Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

MOST_HELD = 64 * 1024
"""Bytes behind a request that may wait before reading stops."""
PATIENCE = 16
"""Heads in a row that are like no other before only one in so many is remembered."""
MOST_QUEUED = 2
"""Responses that may wait for the transport while another request comes."""
FLOOD = "codec_error:Too many responses queued."


class Counter(Protocol):
    """What a stat does here."""

    value: int


class H1Stats(Protocol):
    """Counters under `http1.`."""

    dropped_headers_with_underscores: Counter
    requests_rejected_with_underscores_in_headers: Counter
    response_flood: Counter


@implementer(ICodec)
class H1ServerCodec(ServerBodies):
    """
    Bytes of a client to requests, responses to bytes.

    Args:
        connection: gets the requests.
        output, reading: as of H1Codec.
        stats: None when nobody counts. heads: as of H1Codec; None for one of its own.

    Attributes:
        protocol: of the newest request.
        queued: responses that ended while the transport, or the output, kept something (for the
            streams).
        waits: bytes of a further request are here, and nobody is being answered.
        answers: an IReadyAnswers, if the owner is one.
    """

    __slots__ = (
        *("_connection", "_isNew", "_lineRead", "_stats", "_tooMuch", "_unlike", "answers"),
        "queued",
    )

    def __init__(
        self,
        connection: IServerConnection,
        output: CodecOutput,
        settings: HTTP1Settings,
        limits: HeaderLimits,
        reading: IPushProducer,
        stats: H1Stats | None = None,
        heads: HeadMemo | None = None,
    ) -> None:
        super().__init__(output, settings, limits, reading, heads or HeadMemo(RESPONSE_HOLES))
        self._connection = connection
        self._stats = stats
        self._lineRead = False
        self._tooMuch = False
        self._isNew = False  # the owner does not know of the stream yet
        self._unlike = 0  # heads in a row that were not like the one that is remembered
        self.queued = 0
        self.answers: Any = None

    @property
    def waits(self) -> bool:
        return bool(self.held) and self._stream is None and not self.isDead

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the client, or none: go on with what waits.

        Raises:
            CodecError: the connection cannot go on.
        """
        stream = self._stream
        try:
            if stream is None:
                if not (self.held or self.isDead):
                    seen = self._seen
                    if data == seen:
                        self._readAgain(data)
                        return
                    if seen is not None and answeredLike(self, data, seen, self._seenHead):
                        return
            elif not stream.received:
                stream.receivedWireBytes += len(data)
            if self.held:
                data = self.held + data
                self.held = b""
            start = self._read(data)
        except CodecError as error:
            self._fail(error)
            raise
        if 0 <= start < len(data) and not self.isDead:
            self.held = data[start:] if start else data
        if self.held or self._tooMuch:
            self._boundHeld()

    def _read(self, data: bytes) -> int:
        """Decode what can be; gives the index of what waits, -1 when nothing does."""
        start = 0
        end = len(data)
        while start < end and not self.isDead:
            if self._left:
                start = self._readFixed(data, start)
            elif self._body is not None:
                start = self._readBody(data, start)
            elif self._stream is not None and self._stream.received:
                return start
            else:
                start = self._readHead(data, start)
                if start < 0:
                    break
        return start

    def _boundHeld(self) -> None:
        """Stop reading while too much waits behind a request."""
        stream = self._stream
        tooMuch = len(self.held) > MOST_HELD and stream is not None and stream.received
        if tooMuch != self._tooMuch:
            self._tooMuch = tooMuch
            self.pauseReading(tooMuch)

    def _readHead(self, data: bytes, start: int) -> int:
        """Read one head; gives the index behind it, -1 while it is not complete."""
        stream = self._stream
        if stream is None:
            size = len(data) - start
            while data[start] in b"\r\n":
                start += 1
                if start == len(data):
                    return start
            stream = self._begin(size)
        end = data.find(b"\r\n\r\n", start + self._scanned) + 4
        block = data[start:end] if end > 3 else b""
        if block and self._seen is not None and self._readSeen(stream, block, self._seen):
            return end
        lines = splitLines(block) if block else None
        if lines is None:
            end = findEnd(data, start + self._scanned)
        if end < 0 and self.settings.acceptHTTP10:
            end, lines = wholeLine(data, start)
        if end < 0:
            self._keepHead(data[start:] if start else data)
            return -1
        self._scanned = 0
        if end - start > self._limits.maxBytes:
            raise tooLarge()
        if lines is None:
            lines = oddLines(data[start:end])
            size = sum(map(len, lines)) + 2 * len(lines) + 2
        else:
            size = end - start
            self._unlike += 1
            if (
                0 < len(block) <= MOST_REMEMBERED
                and self._limits.underscores == "ALLOW"
                and (self._unlike <= PATIENCE or not self._unlike % PATIENCE)
            ):
                self._seen = block
        head = self._parse(stream, lines, size)
        headers = head.headers
        if self._seen is block:
            self._seenHead = head
            head.headers = headers.copy()
        self._deliver(stream, head, headers)
        return end

    def _readAgain(self, block: bytes) -> None:
        """A whole request without a body, perhaps, the same as the one before."""
        head = self._seenHead
        if not head.asked:
            findKnown(self, head, block)
        if head.ready is not None and answeredAtOnce(self, head, block):
            return
        if head.template is not None and carried(self, head, block):
            return
        stream = self._begin(len(block))
        stream.receivedHeaderBytes = head.headerBytes
        self._announce(stream)
        self._deliver(stream, head, head.headers.copy())

    def _readSeen(self, stream: H1ServerStream, block: bytes, seen: bytes) -> bool:
        """Read a head by one before that is the same, or similar; False: it is neither."""
        head = self._seenHead
        if block == seen:
            headers = head.headers.copy()
        elif self._unlike > PATIENCE and self._unlike % PATIENCE:
            return False
        elif len(block) > self._limits.maxBytes:
            return False
        else:
            similar = readSimilar(block, seen, head)
            if similar is None:
                return False
            headers = similar
            if not head.asked:
                findKnown(self, head, seen)
        self._unlike = self._scanned = 0
        stream.receivedHeaderBytes = head.headerBytes
        self._deliver(stream, head, headers)
        return True

    def _parse(self, stream: H1ServerStream, lines: list[bytes], size: int) -> RequestHead:
        head = RequestHead()
        try:
            parseRequest(head, lines, size, self.settings, self._limits)
        finally:
            stream.receivedHeaderBytes = head.headerBytes
        if self._limits.underscores != "ALLOW":
            checkUnderscores(head.headers, self._limits, self._stats)
        return head

    def _begin(self, size: int) -> H1ServerStream:
        """Begin a stream; size: bytes that are here, which Envoy counts as its own."""
        count = self._count = self._count + 1
        self._lineRead = False
        stream = self._stream = H1ServerStream(self, count)
        stream.receivedWireBytes = size
        self._isNew = True
        if self.queued >= MOST_QUEUED and (self.full or self.output.pieces):
            if self._stats is not None:
                self._stats.response_flood.value += 1
            raise CodecError(FLOOD, 0, b"")
        return stream

    def _announce(self, stream: H1ServerStream) -> None:
        """Tell the owner of a stream that has begun."""
        self._isNew = False
        self._decoder = self._connection.newStream(stream)

    def _keepHead(self, part: bytes) -> None:
        """Part of a head: wait for more, if it may become one."""
        if self._isNew and self._stream is not None:
            self._announce(self._stream)
        self.held = part
        if len(part) >= self._limits.maxBytes:
            raise tooLarge()
        if not self._lineRead:
            self._lineRead = checkFirstLine(part, self.settings)
        self._scanned = max(0, len(part) - 3)

    def _deliver(self, stream: H1ServerStream, head: RequestHead, headers: HeaderMap) -> None:
        """Give the headers to whom the request is for, and get ready for its body."""
        self.protocol = head.protocol
        stream.head = head
        isWhole = stream.received = not (head.length or head.raw)
        if self._isNew:
            if isWhole and carriedOther(self, stream, headers):
                self._isNew = False
                return
            self._announce(stream)
        if isWhole:
            self._decoder.decodeHeaders(headers, True)
            return
        if head.raw:
            self._body = RawBody()
        elif head.length > 0:
            self._left = head.length
        else:
            self._body = ChunkedBody(self._limits, self.settings.enableTrailers)
        self._decoder.decodeHeaders(headers, False)

    def _fail(self, error: CodecError) -> None:
        """The request cannot be read; nothing more is."""
        if self._isNew and self._stream is not None:
            self._announce(self._stream)
        self._die()
        stream = self._stream
        if stream is not None and not stream.sent:
            self._decoder.streamFailed(error)

    # What streams tell, and who answers without one.

    def carrying(self, stream: H1ServerStream, decoder: Any) -> None:
        """A whole request is carried; `decoder` hears if it is given up."""
        stream.streamID = self._count = self._count + 1
        self.protocol = "HTTP/1.1"
        self._stream = stream
        self._decoder = decoder

    def carries(self, decoder: Any) -> None:
        """The request that has begun is carried; `decoder` as of carrying."""
        self._decoder = decoder

    def countAnswered(self) -> None:
        """A whole request was answered at once."""
        self._count += 1
        self.queued = 1
        self.protocol = "HTTP/1.1"

    def streamEnded(self, stream: H1ServerStream) -> None:
        """Both its directions have ended: the next request may come."""
        if self._stream is stream:
            self._stream = None
            self.isDead = self.isDead or stream.closes
            del self._decoder
            while stream.pauses:
                stream.resumeReading()

    # What the owner tells.

    def readConnectionLost(self) -> None:
        """
        The client will send no more.

        A tunnel gets the end of its stream; a request that is not whole is reset; one that is
        whole stays, and the owner decides.
        """
        stream = self._stream
        if stream is None or stream.received:
            self.isDead = self.isDead or stream is None
            return
        if isinstance(self._body, RawBody):
            self._body = None
            decoder = self._decoder
            self._requestEnded(stream)
            decoder.decodeData(b"", True)
        else:
            self.connectionLost(Reset.CONNECTION_TERMINATION)

    def connectionLost(self, reason: Reset) -> None:
        """The connection is gone."""
        stream, self._stream = self._stream, None
        failed = self.isDead
        self._die()
        if stream is None or self._isNew:
            return
        decoder = self._decoder
        del self._decoder
        stream.lost()
        if not failed or not stream.sent:
            decoder.streamReset(reason, "")
