"""
What an HTTP codec and its owner say to each other, for HTTP/1.1 and HTTP/2 alike.

A codec is sans-IO: bytes go in with `dataReceived`, bytes come out through a `CodecOutput`, and
between them stand streams. For each stream there is one *decoder*, which the owner has and the
codec calls, and one *encoder*, which the codec has and the owner calls. No call is made for a
stream after its `streamReset` or after both its directions have ended, except that a reset may
follow when only one has.

Order of calls, both ways: 1xx headers*, headers, data*, trailers?; the last of them says endStream
(trailers always do). data may be empty when it only says endStream.

Envoy: envoy/http/codec.h
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import Attribute, Interface

from twisted_envoy.codec.headers import HeaderMap

CODES = {b"%d" % code: code for code in range(100, 600)}
"""The number of a `:status`; never changed."""

JOINED = 16 * 1024
"""Bytes of a last piece that is copied to those before it."""


class Reset(Enum):
    """Why a stream ended before its time; the value is Envoy's text after `reset reason: `."""

    LOCAL = "local reset"
    LOCAL_REFUSED = "local refused stream reset"
    REMOTE = "remote reset"
    REMOTE_REFUSED = "remote refused stream reset"
    REMOTE_NO_ERROR = "remote reset no error"
    LOCAL_CONNECTION_FAILURE = "local connection failure"
    REMOTE_CONNECTION_FAILURE = "remote connection failure"
    CONNECTION_TIMEOUT = "connection timeout"
    CONNECTION_TERMINATION = "connection termination"
    OVERFLOW = "overflow"
    CONNECT_ERROR = "remote error with CONNECT request"
    PROTOCOL_ERROR = "protocol error"
    OVERLOAD_MANAGER = "overload manager reset"


class CodecError(Exception):
    """
    The peer broke the protocol; the connection cannot go on.

    Args:
        details: Envoy's response code details (`http1.codec_error`, `http2.violation.of...`).
        status: of the answer that an HTTP/1.1 client gets, 400 mostly, 0 for none; body: its text.
        hasCut: HTTP/2: streams were open, and were reset.
    """

    def __init__(
        self, details: str, status: int = 400, body: bytes = b"Bad Request", hasCut: bool = False
    ) -> None:
        super().__init__(details)
        self.hasCut = hasCut
        self.details = details
        self.status = status
        self.body = body


class Sent:
    """
    Bytes that went to a transport.

    Attributes:
        value: how many.
    """

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class CodecOutput:
    """
    Where a codec writes: pieces are collected and go to the transport once an event.

    Args:
        post: runs a callable when the current event has ended (`TurnQueue.post`).
        sent: its `value` grows with the bytes that go through; None to count for itself.

    Attributes:
        transport: takes `writeSequence` and `write`; may be set later than the rest.
        before: called once, when the event has ended and before what was written is sent.
        pieces: what is kept until the event ends.
        through: takes bytes in the transport's place, if they can go on at once to whom its other
            end gives them: True, and they are gone; None where they never can.
    """

    __slots__ = ("_post", "_posted", "before", "pieces", "sent", "through", "transport")

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        transport: Any = None,
        sent: Any = None,
    ) -> None:
        self._post = post
        self._posted = False
        self.pieces: list[bytes] = []
        self.before: Callable[[], None] | None = None
        self.through: Callable[[bytes], bool] | None = None
        self.transport = transport
        self.sent = Sent() if sent is None else sent

    def write(self, data: bytes) -> None:
        """Send data, at the end of the event."""
        self.pieces.append(data)
        if not self._posted:
            self._posted = True
            post = self._post
            post(self._due)

    @property
    def pending(self) -> bool:
        """Is something kept until the event ends?"""
        return bool(self.pieces)

    def flush(self) -> None:
        """Hand everything to the transport now, before a close for example."""
        pieces = self.pieces
        if not pieces:
            return
        self.pieces = []
        if len(pieces) > 1 and len(pieces[-1]) > JOINED:
            self.sent.value += sum(map(len, pieces))
            self.transport.writeSequence(pieces)
            return
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.sent.value += len(data)
        self.transport.write(data)

    def shut(self, nobody: Any) -> None:
        """Nothing that is written from now on is sent, or counted; nobody: takes it."""
        self.transport = nobody
        self.through = None
        self.sent = Sent()

    def _due(self) -> None:
        self._posted = False
        before = self.before
        if before is not None:
            self.before = None
            before()
        pieces = self.pieces
        through = self.through
        if through is not None and pieces and len(pieces[-1]) <= JOINED:
            self.pieces = []
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self.sent.value += len(data)
            if not through(data):
                self.transport.write(data)
        elif len(pieces) == 1:
            data = pieces.pop()
            self.sent.value += len(data)
            self.transport.write(data)
        else:
            self.flush()


class Traffic:
    """
    The bytes of a request that needed no stream, and of its answer; see IStreamEncoder.
    """

    __slots__ = ("headerBytes", "receivedHeaderBytes", "receivedWireBytes", "wireBytes")

    def __init__(
        self, receivedHeaderBytes: int, receivedWireBytes: int, headerBytes: int, wireBytes: int
    ) -> None:
        self.receivedHeaderBytes = receivedHeaderBytes
        self.receivedWireBytes = receivedWireBytes
        self.headerBytes = headerBytes
        self.wireBytes = wireBytes


class IStreamEncoder(Interface):
    """What a codec has for one stream: our words to the peer."""

    streamID: int = Attribute("Of HTTP/2; for HTTP/1.1 a number that counts from 1.")
    headerBytes: int = Attribute("Bytes of header blocks sent, as on the wire.")
    wireBytes: int = Attribute("Bytes sent for this stream, framing included.")
    receivedHeaderBytes: int = Attribute("Bytes of the peer's header blocks, as on the wire.")
    receivedWireBytes: int = Attribute("Bytes of the peer's that are this stream's.")

    def encode1xx(headers: HeaderMap) -> None:
        """Send interim headers (servers only), `:status` 1xx but not 101."""

    def encodeHeaders(headers: HeaderMap, endStream: bool) -> None:
        """
        Send the headers: requests have `:method`, `:authority` (may be missing), `:path`,
        `:scheme`, `:protocol` for extended CONNECT; responses have `:status`.

        HTTP/1.1 codecs derive the framing (content-length, transfer-encoding: chunked) themselves
        and translate an upgrade: `connection: upgrade` and `upgrade` pass as they are.
        """

    def encodeData(data: bytes, endStream: bool) -> None:
        """Send body bytes; what the peer's window does not take is kept and sent later."""

    def encodeTrailers(trailers: HeaderMap) -> None:
        """Send trailers; they end the stream (HTTP/1.1 without enable_trailers only ends it)."""

    def resetStream(reason: Reset) -> None:
        """End the stream at once; its decoder is not told. HTTP/1.1: the owner must close."""

    def registerProducer(producer: IPushProducer | None) -> None:
        """Pause producer while too much waits for the peer; one a stream, None for none."""

    def pauseReading() -> None:
        """Decode no data of this stream for now: back-pressure. Counts: twice needs two resumes."""

    def resumeReading() -> None:
        """Decode again."""

    def setBufferLimit(limit: int) -> None:
        """Bytes that may wait for the peer before the producer is paused."""


class IResponseEncoder(IStreamEncoder):
    """A server's: its owner waits until a response is sent."""

    isFlushing: bool = Attribute("All was encoded, and part of it waits for the peer's window.")
    flushed: Callable[[], None] | None = Attribute(
        "Set while isFlushing: called when all is sent; never after a reset."
    )


class IStreamDecoder(Interface):
    """What the owner has for one stream: the peer's words to us."""

    def decode1xx(headers: HeaderMap) -> None:
        """Interim headers (clients only)."""

    def decodeHeaders(headers: HeaderMap, endStream: bool) -> None:
        """The headers, with pseudo-headers as for encodeHeaders; the receiver owns the map."""

    def decodeData(data: bytes, endStream: bool) -> None:
        """Body bytes, without framing."""

    def decodeTrailers(trailers: HeaderMap) -> None:
        """Trailers; the end of the stream."""

    def streamReset(reason: Reset, details: str) -> None:
        """The stream ended before its time; details is Envoy's text or empty."""

    def streamFailed(error: CodecError) -> None:
        """
        Servers only: the request cannot be read (HTTP/1.1: while or before its headers were).

        The owner may answer through the encoder before the connection is closed.
        """


class IServerConnection(Interface):
    """The owner of a server's codec."""

    def newStream(encoder: IResponseEncoder) -> IStreamDecoder:
        """A request begins (HTTP/1.1: its first byte has come, or its whole head)."""

    def goAwayReceived(code: int) -> None:
        """HTTP/2: the client will send no more requests."""


class IReadyAnswers(Interface):
    """What else an owner of a server's codec may be: it knows requests that need no stream."""

    def knownFor(headers: HeaderMap) -> Any:
        """
        What becomes of every request with such headers, as decoded, and without a body.

        None: it depends. If it `isReady` its `headers` and `body` are what to send, see
        answersAtOnce; if not it is for `carry`.
        """

    def carry(template: Any, encoder: IResponseEncoder) -> IStreamDecoder | None:
        """Such a request has come, whole: who hears of it; None: it is given to `newStream`."""

    def carryOther(headers: HeaderMap, encoder: IResponseEncoder) -> IStreamDecoder | None:
        """The same of a whole request with any head; headers: as decoded, not changed."""

    def answersAtOnce(ready: Any) -> bool:
        """
        Such a request has come, whole: may it be answered so? Then it is counted, and only then is
        it seen what `ready.headers` are now. False: it is given to `newStream`, as any other.
        """

    def answered(ready: Any, headers: HeaderMap, value: bytes, traffic: Traffic) -> None:
        """
        It was answered so; told if `ready.isLogged`, unless `ready.stamp(ready.now)` says it.

        Args:
            headers: of the head that came again, as decoded; not changed. value: the request's
                x-request-id if it may have another one, else b"".
            traffic: what the encoder of a stream would have counted.
        """


class IClientConnection(Interface):
    """The owner of a client's codec."""

    def goAwayReceived(code: int) -> None:
        """HTTP/2: the server takes no new streams; those that it will not answer are reset."""

    def settingsReceived(maxConcurrentStreams: int) -> None:
        """HTTP/2: so many streams may be open."""

    def streamClosed() -> None:
        """One stream has ended in both directions or was reset; another may be started."""

    def closeNoticed() -> None:
        """HTTP/1.1: the headers of a response say that the connection ends with it."""

    def tunnelEnded() -> None:
        """HTTP/1.1: all is sent that goes through a tunnel; the other direction is still open."""


class ICodec(Interface):
    """One side of one connection."""

    protocol: str = Attribute("`HTTP/1.0`, `HTTP/1.1` or `HTTP/2`: of the newest stream.")

    def dataReceived(data: bytes) -> None:
        """
        Bytes from the peer.

        Raises:
            CodecError: the connection cannot go on; every stream that is open was told before, and
                what the peer has to get (GOAWAY) is in the output.
        """

    def readConnectionLost() -> None:
        """The peer will send no more; a client's codec may end a body with it. Raises as above."""

    def connectionLost(reason: Reset) -> None:
        """The connection is gone: every open stream is reset with this reason."""

    def pauseProducing() -> None:
        """The transport is full: producers of all streams pause."""

    def resumeProducing() -> None:
        """It is not any more."""

    def stopProducing() -> None:
        """The transport is gone; connectionLost follows."""

    def shutdownNotice() -> None:
        """A close comes soon: HTTP/2 says GOAWAY with the highest stream ID, HTTP/1.1 nothing."""

    def goAway() -> None:
        """No new streams: HTTP/2 says GOAWAY, HTTP/1.1 nothing."""


class IClientCodec(ICodec):
    """A client's side."""

    def newStream(decoder: IStreamDecoder) -> IStreamEncoder:
        """Begin a request."""
