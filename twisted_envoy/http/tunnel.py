"""
A connection through an HTTP proxy: CONNECT, as an endpoint for any Twisted application.

    proxy = HostnameEndpoint(reactor, "proxy.example", 3128)
    endpoint = ConnectEndpoint(reactor, proxy, "example.com:443")
    wrapClientTLS(optionsForClientTLS("example.com"), endpoint).connect(factory)

Each connect() is a connection of its own to the proxy.  Over HTTP/1.1 the protocol gets that
connection's transport itself; over HTTP/2 (said before, or by TLS with ALPN around the proxy's
endpoint) it gets one stream of it, which half-closes.

RFC 9110 9.3.6, RFC 9113 8.5
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import HostnameAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionLost,
    NoProtocol,
    TimeoutError,
)
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.h1.client import H1ClientCodec
from twisted_envoy.codec.h2.client import H2ClientCodec
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import (
    CodecError,
    CodecOutput,
    IClientConnection,
    IStreamDecoder,
    Reset,
)
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.http.stream_producers import Post
from twisted_envoy.http.stream_transport import StreamTransport
from twisted_envoy.internal.registry import getRegistry
from twisted_envoy.stats.scope import Store

_LINGER = 10.0
"""Seconds that a proxy has to end its side of an HTTP/2 tunnel that was closed here."""

_STREAM_WINDOW = 1024 * 1024


class TunnelRefused(ConnectError):
    """
    The proxy did not open the tunnel.

    Attributes:
        status: of its answer, 0 when there was none.
        headers: of its answer, a codec.headers.HeaderMap; empty when there was none.
    """

    def __init__(self, status: int, headers: HeaderMap, reason: str = "") -> None:
        super().__init__(None, reason or f"the proxy answered {status}")  # type: ignore[no-untyped-call]
        self.status = status
        self.headers = headers


@implementer(IStreamClientEndpoint)
class ConnectEndpoint:
    """
    Connects to a target through a proxy.

    Args:
        reactor: of timers and events.
        proxy: connects to the proxy; with TLS when the proxy wants that.
        target: `host:port`, as the proxy understands it.
        http2: speak HTTP/2 to the proxy; it must be known to do so.
        headers: (name, value) pairs, sent along; names in lower case.
        timeout: seconds that the proxy has to answer, None for ever.
    """

    def __init__(
        self,
        reactor: Any,
        proxy: IStreamClientEndpoint,
        target: str,
        http2: bool = False,
        headers: Iterable[tuple[bytes, bytes]] = (),
        timeout: float | None = 30.0,
    ) -> None:
        self.reactor = reactor
        self.http2 = http2
        self.timeout = timeout
        host, _, port = target.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{target!r} is not host:port")
        self.address = HostnameAddress(host.strip("[]").encode("idna"), int(port))
        self._proxy = proxy
        self._target = target.encode("ascii", "replace")
        self._headers = tuple(headers)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        See IStreamClientEndpoint.

        Returns:
            Fails as the proxy's endpoint does, with TunnelRefused, or with TimeoutError when the
            proxy does not answer in time.
        """
        return _Attempt(self, protocolFactory).start(self._proxy)

    def request(self) -> HeaderMap:
        """The request's headers."""
        headers = HeaderMap(((b":method", b"CONNECT"), (b":authority", self._target)))
        for name, value in self._headers:
            headers.add(name, value)
        return headers


@implementer(IProtocolFactory)
class _Attempt:
    """One connect; the factory of the connection to the proxy."""

    noisy = False

    def __init__(self, endpoint: ConnectEndpoint, factory: IProtocolFactory) -> None:
        self.endpoint = endpoint
        self._factory = factory
        self._done: Deferred[Any] | None = Deferred(self._cancel)
        self._connecting: Deferred[Any] | None = None
        self._connection: _ProxyConnection | None = None
        self._timer: Any = None

    def start(self, proxy: IStreamClientEndpoint) -> Deferred[Any]:
        done = self._done
        assert done is not None
        self._factory.doStart()
        self._connecting = connecting = proxy.connect(self)
        connecting.addCallbacks(self._connected, self._notConnected)
        return done

    def doStart(self) -> None:
        """The user's factory is started with the attempt."""

    def doStop(self) -> None:
        """The user's factory is stopped with the tunnel."""

    def buildProtocol(self, addr: IAddress) -> _ProxyConnection:
        self._connection = _ProxyConnection(self)
        return self._connection

    def _connected(self, connection: Any) -> None:
        self._connecting = None
        timeout = self.endpoint.timeout
        if timeout is not None and self._done is not None:
            self._timer = self.endpoint.reactor.callLater(timeout, self._timedOut)

    def _notConnected(self, failure: Failure) -> None:
        self._connecting = None
        self.fail(failure)

    def _timedOut(self) -> None:
        self._timer = None
        self._giveUp(TimeoutError("the proxy did not answer"))  # type: ignore[no-untyped-call]

    def _cancel(self, done: Deferred[Any]) -> None:
        self._giveUp(ConnectingCancelledError(self.endpoint.address))  # type: ignore[no-untyped-call]

    def _giveUp(self, problem: Exception) -> None:
        self.fail(Failure(problem))  # type: ignore[no-untyped-call]
        connecting, self._connecting = self._connecting, None
        if self._connection is not None:
            self._connection.transport.abortConnection()
        elif connecting is not None:
            connecting.cancel()

    def fail(self, failure: Failure) -> None:
        """There is no tunnel; nothing happens when there is one, or that was told."""
        done = self._take()
        if done is not None:
            self._factory.doStop()
            done.errback(failure)

    def _take(self) -> Deferred[Any] | None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        done, self._done = self._done, None
        return done

    def buildUser(self) -> Any:
        """The user's protocol, None when its factory does not want to; the attempt is over."""
        if self._done is None:
            return None
        try:
            protocol = self._factory.buildProtocol(self.endpoint.address)
            if protocol is None:
                raise NoProtocol()
        except Exception:
            self.fail(Failure())  # type: ignore[no-untyped-call]
            return None
        return protocol

    def succeed(self, protocol: Any) -> None:
        """The tunnel is open, and the protocol connected."""
        done = self._take()
        if done is not None:
            done.callback(protocol)

    def over(self) -> None:
        """An open tunnel is gone."""
        self._factory.doStop()


@implementer(IProtocol, IHalfCloseableProtocol, IClientConnection, IStreamDecoder)
class _ProxyConnection:
    """
    The connection to the proxy: asks, then stands between its transport and the user's protocol
    (HTTP/1.1) or the codec (HTTP/2).
    """

    transport: Any

    def __init__(self, attempt: _Attempt) -> None:
        self._attempt = attempt
        self._http2 = attempt.endpoint.http2
        self._post: Post = getRegistry(attempt.endpoint.reactor).turn.post
        self._codec: Any = None
        self._encoder: Any = None
        self._user: Any = None
        self._stream: StreamTransport | None = None
        self._linger: Any = None

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        output = CodecOutput(self._post, transport)
        if self._http2:
            settings = HTTP2Settings(initialStreamWindow=_STREAM_WINDOW)
            stats = HTTP2Stats(Store())
            self._codec = H2ClientCodec(self, output, settings, HeaderLimits(), stats)
            transport.registerProducer(self._codec, True)
        else:
            self._codec = H1ClientCodec(self, output, HTTP1Settings(), HeaderLimits(), transport)
        self._encoder = self._codec.newStream(self)
        self._encoder.encodeHeaders(self._attempt.endpoint.request(), False)
        output.flush()

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    # Events of the transport.

    def dataReceived(self, data: bytes) -> None:
        if self._user is not None:
            self._user.dataReceived(data)
        elif self._codec is not None:
            try:
                self._codec.dataReceived(data)
            except CodecError as problem:
                self._failed(problem.details)

    def readConnectionLost(self) -> None:
        user = self._user
        if user is None:
            self.transport.loseConnection()
        elif IHalfCloseableProtocol.providedBy(user):
            user.readConnectionLost()
        else:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        if IHalfCloseableProtocol.providedBy(self._user):
            self._user.writeConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        user, self._user = self._user, None
        codec, self._codec = self._codec, None
        if self._linger is not None and self._linger.active():
            self._linger.cancel()
        if user is not None:
            user.connectionLost(reason)
            self._attempt.over()
        elif codec is not None:
            codec.connectionLost(Reset.CONNECTION_TERMINATION)
        self._attempt.fail(Failure(ConnectionLost("the proxy closed the connection")))  # type: ignore[no-untyped-call]

    # IStreamDecoder.

    def decode1xx(self, headers: HeaderMap) -> None:
        """It is no answer yet."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        status = int(headers[b":status"])
        if endStream or not 200 <= status <= 299:
            self._attempt.fail(Failure(TunnelRefused(status, headers)))  # type: ignore[no-untyped-call]
            self._close()
            return
        user = self._attempt.buildUser()
        if user is None:
            self.transport.abortConnection()
        elif self._http2:
            self._openStream(user)
        else:
            self._user = user
            self._codec = None
            user.makeConnection(self.transport)
            self._attempt.succeed(user)

    def _openStream(self, user: Any) -> None:
        target = self._attempt.endpoint.address
        stream = StreamTransport(self._encoder, self._post, self.transport.getHost(), target)
        self._stream = stream
        stream.gone = self._close
        stream.lost = self._streamLost
        stream.start(user)
        self._attempt.succeed(user)

    def decodeData(self, data: bytes, endStream: bool) -> None:
        if self._stream is not None:
            self._stream.decodeData(data, endStream)
        elif self._user is not None and data:
            self._user.dataReceived(data)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self._stream is not None:
            self._stream.decodeTrailers(trailers)

    def streamReset(self, reason: Reset, details: str) -> None:
        if self._stream is not None:
            self._stream.streamReset(reason, details)
        elif self._user is None:
            self._failed(details or reason.value)

    def streamFailed(self, error: CodecError) -> None:
        """Part of the interface; it is for requests that cannot be read."""

    # IClientConnection.

    def goAwayReceived(self, code: int) -> None:
        """There is only this one stream."""

    def settingsReceived(self, maxConcurrentStreams: int) -> None:
        """There is only this one stream."""

    def streamClosed(self) -> None:
        """The stream tells by itself."""

    def closeNoticed(self) -> None:
        """There is only this one stream."""

    def tunnelEnded(self) -> None:
        """What goes through is the user's affair."""

    # Its end.

    def _failed(self, reason: str) -> None:
        self._attempt.fail(Failure(TunnelRefused(0, HeaderMap(), reason)))  # type: ignore[no-untyped-call]
        self._close()

    def _streamLost(self) -> None:
        """The user has been told; the proxy may still have to end its side."""
        self._attempt.over()
        if self._codec is not None:
            self._linger = self._attempt.endpoint.reactor.callLater(_LINGER, self._close)

    def _close(self) -> None:
        """Close the connection, with a word before it over HTTP/2."""
        codec = self._codec
        if codec is not None and self._http2:
            codec.goAway()
            codec.output.flush()
            self.transport.unregisterProducer()
        self.transport.loseConnection()
