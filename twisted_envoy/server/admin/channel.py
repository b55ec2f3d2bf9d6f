"""
The admin pages over HTTP/1.1, on twisted.web.

Header names go out in lower case and in Envoy's order; every answer of a page is chunked. Unlike
Envoy's, an answer to HEAD has no body.
"""

# mypy: allow-untyped-calls
# twisted.web has few annotations.

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any as Untyped
from typing import Protocol, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http_headers import Headers

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.local_address import LOOPBACK, localAddress
from twisted_envoy.server.admin.admin_stats import AdminStats
from twisted_envoy.server.admin.reply import BARE_TEXT, Reply
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

_log = Logger()

IDLE_TIMEOUT = 3600
HEAD_LIMIT = 60 * 1024
STOP_TIMEOUT = 1.0
_CLOSED = Failure(ConnectionDone())
_METHODS = frozenset(
    (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH")
)
_FORM = b"application/x-www-form-urlencoded"
_FAILED = Reply("internal error", 500)
_PAGE_HEADERS = (
    (b"cache-control", b"no-cache, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
)


class AdminAnswers(Protocol):
    """AdminRouter, or one that asks elsewhere first."""

    def answer(self, method: str, uri: str, form: str = "") -> Reply | Deferred[Reply]:
        """The answer to one request."""


class AccessLogger(Protocol):
    """interfaces.access_log.IAccessLogger."""

    def log(self, context: FormatContext) -> object:
        """Write one line."""


class Timer(Protocol):
    """The reactor's clock."""

    def seconds(self) -> float:
        """The time."""

    def callLater(self, delay: float, callable: Callable[..., object]) -> IDelayedCall:
        """After so many seconds."""


class AdminRequest(http.Request):
    """One request to the admin interface."""

    channel: AdminChannel
    started: float
    _waits = False

    def process(self) -> None:
        """Answer the request; it is complete."""
        factory = self.channel.factory
        self.started = factory.timer.seconds()
        factory.stats.requestReceived()
        if self._refused():
            return
        self._waits = True
        asked: Deferred[Reply] = maybeDeferred(cast(Untyped, self._page))
        asked.addErrback(self._failed).addCallback(self._answer)

    def connectionLost(self, reason: Failure) -> None:
        """The client has gone before its answer was complete."""
        factory = self.channel.factory
        super().connectionLost(reason)
        if self._waits:
            self._waits = False
            factory.stats.responseEnded(factory.timer.seconds() - self.started)

    def _failed(self, failure: Failure) -> Reply:
        _log.failure("admin request failed: {uri}", failure, uri=self.uri)
        return _FAILED

    def _answer(self, reply: Reply) -> None:
        if not self._waits:
            return
        self._waits = False
        self.channel.factory.stats.responseBegun(reply.code)
        try:
            body = reply.text().encode("utf-8", "backslashreplace")
        except Exception:
            reply = self._failed(Failure())
            body = reply.text().encode()
        again = _PAGE_HEADERS[1:] if reply.contentType == BARE_TEXT else ()  # twice, as in Envoy
        kind = reply.contentType.encode()
        self._send(reply.code, body, ((b"content-type", kind), *_PAGE_HEADERS, *again))

    def _page(self) -> Reply | Deferred[Reply]:
        form = ""
        kind = self.getHeader(b"content-type") or b""
        if self.method == b"POST" and kind.split(b";")[0].strip().lower() == _FORM:
            assert self.content is not None
            form = self.content.read().decode("utf-8", "replace")
        uri = self.uri.decode("utf-8", "replace")
        return self.channel.factory.router.answer(self.method.decode("ascii"), uri, form)

    def _refused(self) -> bool:
        """Answer what no page is asked for; the texts are those of Envoy's HTTP codec."""
        path = self.uri.partition(b"?")[0]
        if self.clientproto != b"HTTP/1.1":
            self._refuse(426, b"Upgrade Required")
        elif self.method not in _METHODS:
            self._refuse(400, b"Bad Request")
        elif not self.requestHeaders.hasHeader(b"host") or b"#" in self.uri:
            self._refuse(400)
        elif path.startswith(b"/"):
            return False
        elif path == b"*" or b":" in path:
            self.channel.factory.stats.manager.downstream_rq_non_relative_path.value += 1
            self._refuse(404, close=False)
        else:
            self._refuse(400, b"Bad Request")
        return True

    def _refuse(self, code: int, body: bytes = b"", close: bool = True) -> None:
        self.channel.factory.stats.responseBegun(code)
        if close:
            self.channel.persistent = 0
            self.responseHeaders.setRawHeaders(b"connection", [b"close"])
        self._send(code, body, ((b"content-type", b"text/plain"),) if body else (), chunked=False)

    def _send(
        self,
        code: int,
        body: bytes,
        headers: tuple[tuple[bytes, bytes], ...],
        chunked: bool = True,
    ) -> None:
        self.setResponseCode(code, HTTPStatus(code).phrase.encode())
        out = self.responseHeaders
        closing = out.hasHeader(b"connection")
        out.removeHeader(b"connection")
        if body and not chunked:
            out.setRawHeaders(b"content-length", [b"%d" % len(body)])
        for name, value in headers:
            out.addRawHeader(name, value)
        out.setRawHeaders(b"date", [http.datetimeToString()])
        out.setRawHeaders(b"server", [b"envoy"])
        if closing:
            out.setRawHeaders(b"connection", [b"close"])
        if not body and not chunked:
            out.setRawHeaders(b"content-length", [b"0"])
        if chunked and self.method == b"HEAD":
            out.setRawHeaders(b"transfer-encoding", [b"chunked"])
        self.write(body)
        self.finish()


class AdminChannel(http.HTTPChannel):
    """One connection to the admin interface."""

    factory: AdminFactory
    requestFactory = AdminRequest
    totalHeadersSize = HEAD_LIMIT
    MAX_LENGTH = HEAD_LIMIT
    maxHeaders = 100
    timeOut = IDLE_TIMEOUT

    def connectionMade(self) -> None:
        """Count it."""
        self.opened = self.factory.timer.seconds()
        self.closedByUs = False
        self.factory.opened(self)
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        """Count the bytes; what comes after we closed is of no interest."""
        self.factory.stats.manager.downstream_cx_rx_bytes_total.value += len(data)
        if self.closedByUs:
            return
        super().dataReceived(data)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """The head of an answer, names in lower case."""
        lines = [
            name.lower() + b": " + value + b"\r\n"
            for name, values in headers.getAllRawHeaders()
            for value in values
        ]
        self.write(b"HTTP/1.1 %b %b\r\n%b\r\n" % (code, reason, b"".join(lines)))

    def write(self, data: bytes) -> None:
        """Count the bytes."""
        self.factory.stats.manager.downstream_cx_tx_bytes_total.value += len(data)
        super().write(data)

    def writeSequence(self, iovec: Untyped) -> None:
        """Count the bytes."""
        self.write(b"".join(iovec))

    def lineLengthExceeded(self, line: bytes) -> None:
        """A header that is too long."""
        text = HTTPStatus(431).phrase.encode()
        self.write(
            b"HTTP/1.1 431 %b\r\ncontent-length: %d\r\ncontent-type: text/plain\r\n"
            b"server: envoy\r\nconnection: close\r\n\r\n%b" % (text, len(text), text)
        )
        self.loseConnection()

    def loseConnection(self) -> None:
        """Close, once what was written is sent."""
        self.closedByUs = True
        super().loseConnection()

    def timeoutConnection(self) -> None:
        """Nothing came for an hour."""
        self.factory.stats.manager.downstream_cx_idle_timeout.value += 1
        super().timeoutConnection()

    def connectionLost(self, reason: Failure = _CLOSED) -> None:
        """Count it."""
        super().connectionLost(reason)
        self.factory.closed(self)


class AdminFactory(Factory):
    """
    Makes the channels, and knows those that are open.

    Args:
        router: answers; it may be exchanged.
        stats: counts.
        timer: the reactor.
        accessLogs: get one line for each request.
    """

    noisy = False

    def __init__(
        self,
        router: AdminAnswers,
        stats: AdminStats,
        timer: Timer,
        accessLogs: tuple[AccessLogger, ...] = (),
    ) -> None:
        self.router: AdminAnswers = router
        self.stats = stats
        self.timer = timer
        self._accessLogs = accessLogs
        self._channels: set[AdminChannel] = set()
        self._stopped: Deferred[None] | None = None

    def buildProtocol(  # type: ignore[override]
        self, addr: IAddress | None
    ) -> AdminChannel:
        """A channel for one connection."""
        channel = AdminChannel()
        channel.factory = self
        channel.callLater = self.timer.callLater  # type: ignore[method-assign]
        return channel

    def opened(self, channel: AdminChannel) -> None:
        """A connection has begun."""
        self._channels.add(channel)
        self.stats.connectionMade()

    def closed(self, channel: AdminChannel) -> None:
        """A connection has ended."""
        self._channels.discard(channel)
        self.stats.connectionLost(self.timer.seconds() - channel.opened, channel.closedByUs)
        if self._stopped is not None and not self._channels:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)

    def log(self, request: AdminRequest) -> None:
        """A request has been answered."""
        now = self.timer.seconds()
        self.stats.responseEnded(now - request.started)
        if not self._accessLogs:
            return
        channel = request.channel
        info = RequestInfo(
            StreamInfo(channel.opened, channel.getHost(), channel.getPeer()), request.started
        )
        info.protocol = request.clientproto.decode("latin-1")
        info.requestHeaders = self._requestHeaders(request)
        info.responseCode = request.code
        info.responseCodeDetails = "via_upstream"
        info.bytesSent = request.sentLength
        info.endTime = now
        context = FormatContext(info, "DownstreamEnd", now)
        for logger in self._accessLogs:
            logger.log(context)

    def _requestHeaders(self, request: AdminRequest) -> HeaderMap:
        """As Envoy's admin interface sees them: with the address that the client is told by."""
        found = HeaderMap(((b":method", request.method), (b":path", request.uri)))
        for name, values in request.requestHeaders.getAllRawHeaders():
            for value in values:
                found.add(b":authority" if name == b"Host" else name.lower(), value)
        host = getattr(request.channel.getPeer(), "host", "")
        own = localAddress() if host == LOOPBACK else host
        found.add(b"x-forwarded-for", own.encode())
        return found

    def closeConnections(self) -> Deferred[None]:
        """
        Close all connections once their answers are sent.

        Returns:
            Fires when all are closed; after a second the rest is cut.
        """
        done: Deferred[None] = Deferred()
        if not self._channels:
            done.callback(None)
            return done
        self._stopped = done
        timer = self.timer.callLater(STOP_TIMEOUT, self._cut)
        done.addBoth(lambda result: timer.cancel() if timer.active() else None)
        for channel in tuple(self._channels):
            channel.loseConnection()
        return done

    def _cut(self) -> None:
        for channel in tuple(self._channels):
            transport: Untyped = channel.transport
            transport.abortConnection()
