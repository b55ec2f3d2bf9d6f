"""
One request and its answer, on a connection that health checks keep to themselves.

Envoy: source/common/http/codec_client.cc, as health checkers use it
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientConnection,
    IStreamDecoder,
    Reset,
)

MakeCodec = Callable[[Any, CodecOutput, Any], Any]


@implementer(IStreamDecoder)
class Answer:
    """
    What a host answers.

    Args:
        most: bytes of the body that are kept; None for all.
        done: called once, with the answer; `headers` is None when there was none.

    Attributes:
        ended: the end has come.
    """

    __slots__ = ("_done", "_most", "body", "ended", "headers", "trailers")

    def __init__(self, most: int | None, done: Callable[[Answer], None]) -> None:
        self._most = most
        self._done: Callable[[Answer], None] | None = done
        self.headers: HeaderMap | None = None
        self.trailers: HeaderMap | None = None
        self.body = b""
        self.ended = False

    def decode1xx(self, headers: HeaderMap) -> None:
        """No check waits for these."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self.headers = headers
        if endStream:
            self._end()

    def decodeData(self, data: bytes, endStream: bool) -> None:
        self.body += data if self._most is None else data[: max(self._most - len(self.body), 0)]
        if endStream:
            self._end()

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self.trailers = trailers
        self._end()

    def _end(self) -> None:
        self.ended = True
        self._tell()

    def streamReset(self, reason: Reset, details: str) -> None:
        self._tell()

    def streamFailed(self, error: CodecError) -> None:
        """Of servers only."""

    def drop(self) -> None:
        """Nobody wants it any more."""
        self._done = None

    def _tell(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(self)


@implementer(IProtocol, IHalfCloseableProtocol, IClientConnection)
class CheckConnection:
    """
    A connection with its codec.

    Args:
        makeCodec: see upstream.http.codecs. post: of the turn queue.
        protocol: `HTTP/1.1` or `HTTP/2`.

    Attributes:
        isOpen: it takes another request.
    """

    def __init__(
        self, makeCodec: MakeCodec, post: Callable[[Callable[[], None]], None], protocol: str
    ) -> None:
        self._makeCodec = makeCodec
        self._output = CodecOutput(post, self)
        self._http1 = protocol == "HTTP/1.1"
        self._codec: Any = None
        self._transport: Any = None
        self._answer: Answer | None = None
        self.isOpen = False

    def makeConnection(self, transport: Any) -> None:
        self._transport = transport
        self._codec = self._makeCodec(self, self._output, transport)
        self.isOpen = True

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def ask(self, headers: HeaderMap, body: bytes, answer: Answer) -> None:
        """Send a request; the answer before it has ended."""
        self._answer = answer
        encoder = self._codec.newStream(answer)
        encoder.encodeHeaders(headers, not body)
        if body and self._codec is not None:
            encoder.encodeData(body, True)

    # What the codec says.

    def goAwayReceived(self, code: int) -> None:
        self.isOpen = False

    def settingsReceived(self, maxConcurrentStreams: int) -> None:
        """One request at a time is always allowed."""

    def closeNoticed(self) -> None:
        self.isOpen = False

    def tunnelEnded(self) -> None:
        """No check goes through a tunnel."""

    def streamClosed(self) -> None:
        if self._http1 and self._codec is not None and not self._codec.reusable:
            self.close()

    def write(self, data: bytes) -> None:
        """Of the codec's output."""
        if self._transport is not None:
            self._transport.write(data)

    def writeSequence(self, pieces: list[bytes]) -> None:
        """As write."""
        if self._transport is not None:
            self._transport.writeSequence(pieces)

    # Bytes.

    def dataReceived(self, data: bytes) -> None:
        if self._codec is None:
            return
        answer = self._answer
        if self._http1 and (answer is None or answer.ended):
            self.close()
            return
        try:
            self._codec.dataReceived(data)
        except CodecError:
            self.close()

    def readConnectionLost(self) -> None:
        if self._codec is not None:
            try:
                self._codec.readConnectionLost()
            except CodecError:
                pass
        self.close()

    def writeConnectionLost(self) -> None:
        """Nobody half-closes it."""

    def connectionLost(self, reason: Failure) -> None:
        self._transport = None
        self._gone()

    def close(self) -> None:
        """Close; an answer that is not whole has failed."""
        transport = self._transport
        if transport is not None:
            if self._codec is not None and not self._http1:
                self._output.flush()
            self._transport = None
            transport.loseConnection()
        self._gone()

    def _gone(self) -> None:
        self.isOpen = False
        codec, self._codec = self._codec, None
        if codec is not None:
            codec.connectionLost(Reset.CONNECTION_TERMINATION)


@implementer(IProtocolFactory)
class _Factory:
    noisy = False

    def __init__(self, make: Callable[[], CheckConnection]) -> None:
        self._make = make

    def doStart(self) -> None:
        """Part of IProtocolFactory."""

    def doStop(self) -> None:
        """Part of IProtocolFactory."""

    def buildProtocol(self, addr: IAddress | None) -> CheckConnection:
        return self._make()


class Client:
    """
    Asks one host, one question at a time.

    Args:
        endpoint: connects to it.
        makeConnection: before it is connected.
        reuse: keep the connection for the next question.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        makeConnection: Callable[[], CheckConnection],
        reuse: bool,
    ) -> None:
        self._endpoint = endpoint
        self._factory = _Factory(makeConnection)
        self._reuse = reuse
        self._connection: CheckConnection | None = None
        self._connecting: Deferred[Any] | None = None
        self._answer: Answer | None = None

    def ask(
        self,
        headers: HeaderMap,
        body: bytes,
        most: int | None,
        done: Callable[[Answer], None],
    ) -> None:
        """
        Send a request, over a new connection if need be.

        Args:
            most: bytes of the answer's body that are kept; None for all.
            done: gets the answer; without headers when there is no connection or no answer.
        """
        answer = Answer(most, lambda answer: self._answered(answer, done))
        self._answer = answer
        connection = self._connection
        if connection is not None and connection.isOpen:
            connection.ask(headers, body, answer)
            return

        def connected(made: CheckConnection) -> None:
            self._connecting = None
            self._connection = made
            if made.isOpen:
                made.ask(headers, body, answer)
            else:
                answer.streamReset(Reset.CONNECTION_TERMINATION, "")

        def failed(reason: Failure) -> None:
            self._connecting = None
            answer.streamReset(Reset.REMOTE_CONNECTION_FAILURE, "")

        connecting = self._endpoint.connect(self._factory)
        self._connecting = connecting
        connecting.addCallbacks(connected, failed)
        if connecting.called:
            self._connecting = None

    def _answered(self, answer: Answer, done: Callable[[Answer], None]) -> None:
        self._answer = None
        connection = self._connection
        if connection is not None and not (self._reuse and connection.isOpen and answer.ended):
            self._connection = None
            connection.close()
        done(answer)

    def giveUp(self) -> None:
        """Nobody waits any more: the connection goes too."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.drop()
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
