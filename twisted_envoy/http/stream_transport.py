"""
One HTTP stream as a transport, so that any Twisted protocol runs over it.

    event                       what happens
    loseWriteConnection, us     END_STREAM behind our data; writeConnectionLost
    loseConnection, us          END_STREAM behind our data; lost (ConnectionDone) once it is out;
                                what still comes is dropped, and too much of it resets the stream
    resetConnection, us         the stream is reset once our data is out; lost (ConnectionAborted)
    abortConnection, us         the stream is reset now; lost (ConnectionAborted)
    END_STREAM, trailers, peer  IHalfCloseableProtocol: readConnectionLost; else as loseConnection
    both have ended             lost (ConnectionDone)
    reset, peer                 lost (StreamLost, a ConnectionLost)
    NO_ERROR behind its end     lost (ConnectionDone)
    a callback raises           logged; the stream is reset, lost with that failure

It begins where the headers have been exchanged. A loss is told when the current event has ended,
never from inside a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.http.stream_producers import Drain, Post, Pulled
from twisted_envoy.internal.interfaces import IHalfCloseTransport

_log = Logger("http")

_MOST_DROPPED = 64 * 1024
"""Bytes that a peer may send to somebody who has left."""


class _Nobody(Protocol):
    """Receives the events of a stream that has no protocol: none."""


_NOBODY = _Nobody()


class StreamLost(ConnectionLost):
    """
    The stream ended before its time.

    Attributes:
        isReset: the peer has reset it; otherwise its connection was lost.
    """

    def __init__(self, reason: Reset, details: str) -> None:
        super().__init__(details or reason.value)
        self.isReset = reason in _BY_PEER


_BY_PEER = frozenset({Reset.REMOTE, Reset.REMOTE_REFUSED})


def _done() -> Failure:
    return Failure(ConnectionDone())  # type: ignore[no-untyped-call]


@implementer(IHalfCloseTransport, IStreamDecoder)
class StreamTransport:
    """
    The transport; to the codec it is the stream's decoder from now on.

    Args:
        encoder: of the stream, its headers encoded already.
        post: runs a callable when the current event has ended (`TurnQueue.post`).
        host, peer: what getHost and getPeer say.

    Attributes:
        protocol: who gets the events; may be replaced at any moment.
        disconnecting: a close was asked for.
        disconnected: the protocol has been told of the loss.
        ended: called with the peer's trailers (None: there are none) before its end is told.
        sentEnd: called when our end of stream is encoded.
        lost: called when the protocol was told of the loss.
        gone: called when nothing of the stream is left, after connectionLost.
    """

    __slots__ = (
        *("_drops", "_encoder", "_endAsked", "_endSent", "_host", "_over", "_paused", "_peer"),
        *("_peerEnded", "_post", "_producer", "_reason", "_resets"),
        *("disconnected", "disconnecting", "ended", "gone", "lost", "protocol", "sentEnd"),
    )

    bufferedBytes = 0
    """What waits is known to the codec only."""

    def __init__(self, encoder: IStreamEncoder, post: Post, host: IAddress, peer: IAddress) -> None:
        self._encoder: Any = encoder
        self._post = post
        self._host = host
        self._peer = peer
        self.protocol: Any = _NOBODY
        self.disconnecting = self.disconnected = False
        self.ended: Callable[[HeaderMap | None], None] | None = None
        self.sentEnd: Callable[[], None] | None = None
        self.lost: Callable[[], None] | None = None
        self.gone: Callable[[], None] | None = None
        self._producer: Any = None
        self._reason: Failure | None = None
        self._endAsked = self._endSent = self._peerEnded = False
        self._resets = self._over = self._paused = False
        self._drops = -1  # how much may still be dropped; below 0: nothing is

    def start(self, protocol: Any) -> None:
        """Connect a protocol; what its makeConnection raises is raised, the stream is reset."""
        self.protocol = protocol
        try:
            protocol.makeConnection(self)
        except BaseException:
            self._fail(Failure())  # type: ignore[no-untyped-call]
            raise

    # ITransport.

    def write(self, data: bytes) -> None:
        if not (self._endAsked or self.disconnecting):
            self._encoder.encodeData(data, False)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def getHost(self) -> IAddress:
        return self._host

    def getPeer(self) -> IAddress:
        return self._peer

    def loseWriteConnection(self) -> None:
        if not (self._endAsked or self.disconnecting):
            self._endAsked = True
            if self._producer is None:
                self._sendEnd()

    def loseConnection(self) -> None:
        if not (self.disconnecting or self._reason):
            self.disconnecting = True
            if self._producer is None:
                self._close()

    def resetConnection(self) -> None:
        if not self._reason:
            self._resets = True
            self.loseConnection()

    def abortConnection(self) -> None:
        self._fail(Failure(ConnectionAborted()))  # type: ignore[no-untyped-call]

    def _fail(self, reason: Failure) -> None:
        if not self._reason:
            self._reset()
            self._lose(reason)

    def _reset(self) -> None:
        """End what is left of the stream."""
        if not self._over:
            self._over = True
            self._encoder.resetStream(Reset.LOCAL)

    def _sendEnd(self) -> None:
        """Our end of stream goes out."""
        if self._endSent or self._over:
            return
        self._endSent = True
        if self._peerEnded:
            self._over = True
        self._encoder.encodeData(b"", True)
        if self.sentEnd is not None:
            self.sentEnd()
        if not self.disconnecting:
            self._post(self._tellWriteEnd)
        if self._over:
            self._lose(_done())

    def _close(self) -> None:
        if not self._resets:
            self._sendEnd()
        if not self._over:
            self._drops = _MOST_DROPPED
            if self._paused:
                self._paused = False
                self._post(self._encoder.resumeReading)
            Drain(self._drained).watch(self._encoder)

    def _drained(self) -> None:
        if self._resets:
            self.abortConnection()
        elif not self._reason:
            self._lose(_done())

    # IConsumer.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        See IConsumer.

        Raises:
            RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self._producer!r} is there")
        if self._reason is not None or self.disconnecting:
            producer.stopProducing()
            return
        if not streaming:
            producer = Pulled(producer, self._post)
        self._producer = producer
        if not streaming:
            producer.resumeProducing()
        if not self._over:
            self._encoder.registerProducer(producer)

    def unregisterProducer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if isinstance(producer, Pulled):
            producer.pauseProducing()
        if not self._over:
            self._encoder.registerProducer(None)
            if self.disconnecting:
                self._close()
            elif self._endAsked:
                self._sendEnd()

    def setWriteBufferLimit(self, limit: int) -> None:
        self._encoder.setBufferLimit(limit)

    # IPushProducer.

    def pauseProducing(self) -> None:
        if not (self._paused or self._over or self.disconnecting):
            self._paused = True
            self._encoder.pauseReading()

    def resumeProducing(self) -> None:
        if self._paused:
            self._paused = False
            self._post(self._encoder.resumeReading)

    def stopProducing(self) -> None:
        self.loseConnection()

    # IStreamDecoder.

    def decode1xx(self, headers: HeaderMap) -> None:
        """Part of the interface; the headers were before us."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """Part of the interface; the headers were before us."""

    def decodeData(self, data: bytes, endStream: bool) -> None:
        if self._drops >= 0:
            self._drop(len(data))
        elif data:
            try:
                self.protocol.dataReceived(data)
            except BaseException:
                self._failed()
        if endStream:
            self._end(None)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self._end(trailers)

    def streamReset(self, reason: Reset, details: str) -> None:
        self._over = True
        if not self._reason:
            wanted = reason is not Reset.REMOTE_NO_ERROR  # else the peer has said all it had to
            self._lose(
                Failure(StreamLost(reason, details)) if wanted else _done()  # type: ignore[no-untyped-call]
            )
        elif self.disconnected:
            self._tellGone()

    def streamFailed(self, error: Any) -> None:
        """Part of the interface; it is for requests that cannot be read."""

    def _drop(self, size: int) -> None:
        self._drops -= size
        if self._drops < 0 and not self._over:
            self._drops = 0
            self._reset()
            if self._reason is None:
                self._lose(Failure(ConnectionAborted()))  # type: ignore[no-untyped-call]
            elif self.disconnected:
                self._tellGone()

    def _end(self, trailers: HeaderMap | None) -> None:
        """The peer's end of stream."""
        self._peerEnded = True
        self._over = self._endSent
        if self.ended is not None:
            self.ended(trailers)
        if self._reason is not None:
            if self.disconnected and self._over:
                self._tellGone()
            return
        if self.disconnecting:
            if self._over:
                self._lose(_done())
        elif IHalfCloseableProtocol.providedBy(self.protocol):
            try:
                self.protocol.readConnectionLost()
            except BaseException:
                self._failed()
            if self._over:
                self._lose(_done())
        else:
            self._sendEnd()  # both have ended then

    # What the protocol is told.

    def _failed(self) -> None:
        reason = Failure()  # type: ignore[no-untyped-call]
        _log.failure("unhandled error in {protocol!r}", failure=reason, protocol=self.protocol)
        self._fail(reason)

    def _tellWriteEnd(self) -> None:
        if not self.disconnected and IHalfCloseableProtocol.providedBy(self.protocol):
            try:
                self.protocol.writeConnectionLost()
            except BaseException:
                self._failed()

    def _lose(self, reason: Failure) -> None:
        if self._reason is None:
            self._reason = reason
            if self._drops < 0:
                self._drops = _MOST_DROPPED
            self._post(self._tellLoss)

    def _tellLoss(self) -> None:
        self.disconnected = self.disconnecting = True
        producer, self._producer = self._producer, None
        protocol, self.protocol = self.protocol, _NOBODY
        if not self._over:
            self._encoder.registerProducer(None)
        try:
            if producer is not None:
                producer.stopProducing()
            protocol.connectionLost(self._reason)
        except BaseException:
            _log.failure("unhandled error in {protocol!r}", protocol=protocol)
        lost, self.lost = self.lost, None
        if lost is not None:
            lost()
        if self._over:
            self._tellGone()

    def _tellGone(self) -> None:
        gone, self.gone = self.gone, None
        self.ended = self.sentEnd = None
        if gone is not None:
            gone()
