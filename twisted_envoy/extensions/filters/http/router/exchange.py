"""
One request that is carried to its cluster and back without a stream of its own.

It stands in the connection's streams, before the client's codec and, as `Back`, behind the
upstream's.

    event                                what happens
    a whole answer in one read           it is passed on and counted, the exchange is over
    anything else: an answer in parts,   a stream, a router and an attempt take its place, as they
    a reset, a time-out, a slow client   would be by now, and hear of it (`become`)

Envoy: Router::Filter and Router::UpstreamRequest, for what they do with such answers
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.codec.h1.response import ResponseHead
from twisted_envoy.codec.h2.requested import AnswerHead
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IStreamDecoder, Reset
from twisted_envoy.extensions.filters.http.router.attempt import UpstreamRequest
from twisted_envoy.extensions.filters.http.router.failures import timedOut
from twisted_envoy.extensions.filters.http.router.outcome import answered
from twisted_envoy.extensions.filters.http.router.plans import takePlan
from twisted_envoy.extensions.filters.http.router.record import ExchangeInfo
from twisted_envoy.http.connection_life import STAYS
from twisted_envoy.http.edge.request_id import withID
from twisted_envoy.http.shortcuts import goOn
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext
from twisted_envoy.upstream.http.carried import handOver

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.carrier import Single, Template
    from twisted_envoy.extensions.filters.http.router.reply_records import Kept
    from twisted_envoy.interfaces.access_log import IAccessLogger

_log = Logger("http")

_SERVICE_TIME = b"x-envoy-upstream-service-time"
_CANARY = b"x-envoy-upstream-canary"
_MOST_CARRIERS = 32
_MOST_KEPT = 64
"""Heads of answers that are kept for one head of the upstream's, by their service time."""


class Exchange:
    """
    See the table above.

    Args:
        template: what it is, or a Single. connection, encoder: the client's. value: its
            x-request-id, b"" for the template's own.

    Attributes:
        pooled, upstream: the upstream's connection, and its stream there; None before it is begun.
        template, value: as above. deadline: the queue of the route's time-out, None without.
        stream: what has taken its place; decoder: who hears of the upstream then. None before.
        Others: as of an HTTPStream.
    """

    __slots__ = (
        *("_connection", "_encoder", "deadline", "decoder", "ended"),
        *("lastActivity", "pooled", "stream", "template", "upstream", "value", "watched"),
    )

    isTunnel = responseStarted = responseEnded = closesAfter = False
    requestEnded = True

    def __init__(
        self, template: Template | Single, connection: Any, encoder: Any, value: bytes
    ) -> None:
        self.template = template
        self._connection = connection
        self._encoder = encoder
        self.value = value
        seconds = connection.settings.seconds
        self.lastActivity = seconds()
        self.watched = True
        self.ended = False
        self.deadline: Any = None
        self.pooled: Any = None
        self.upstream: Any = None
        self.stream: Any = None
        self.decoder: Any = None

    # The answer.

    def decodeWhole(self, head: ResponseHead | AnswerHead, body: bytes) -> bool:
        """
        A whole answer has come; False: it is given to the codec's decoder, as any other.

        Where that fails this request ends and nothing else does: False, and its stream is reset.

        Args:
            head: like the one before on this connection; not changed. body: not empty.
        """
        connection = self._connection
        settings = connection.settings
        encoder = self._encoder
        try:
            takes = encoder.takes(len(body))
            if connection.drain is not STAYS or head.status != 200 or not takes:
                self.become()
                return False
            if connection.drains():
                self.become()
                return False
            seconds = settings.seconds
            now = seconds()
            passed = int((now - self.lastActivity) * 1000)
            found = self._headFor(head, passed)
            if found is None:
                self.become()
                return False
            if self.deadline is not None:
                self.deadline.leave(self)
            self.ended = True
            self.template.failed = 0
            host = self.pooled.host
            if host.monitor is not None or host.passiveHealth is not None:
                answered(host, self.template.headers, head.headers)
            encoder.encodeWhole(found[0], body)
            self._count(passed)
            connection.exchangeEnded(self, now)
            if settings.records.logs:
                self.template.record(self, found, len(body), now)
        except Exception:
            return self._answerFailed()
        return True

    @property
    def logs(self) -> tuple[IAccessLogger, ...]:
        """That get its record."""
        logs: tuple[IAccessLogger, ...] = self._connection.settings.records.logs
        return logs

    def told(self, headers: HeaderMap, size: int, now: float) -> FormatContext:
        """What its record is made of; headers, size: of the answer that has gone now."""
        info = ExchangeInfo(self._connection.info, self._encoder, self, now)
        info.responseHeaders, info.bytesSent = headers, size
        return FormatContext(info, "DownstreamEnd", now)

    def requestFailed(self, error: Exception) -> None:
        """Sending the request has raised; it is answered, once the client's codec is told of it."""
        self._connection.settings.post(partial(self._answerError, error))

    def _answerError(self, error: Exception) -> None:
        if not self.ended:
            self.become()
            try:
                raise error
            except Exception:
                self.stream.filterRaised()

    def _answerFailed(self) -> bool:
        """Passing on an answer has raised; gives what decodeWhole does."""
        if self not in self._connection.streams and self.stream is None:
            _log.failure("what follows an answer failed")
            return True
        self.ended = False
        if self.stream is None:
            self.become()
        stream = self.stream
        if self._encoder.wireBytes:
            stream.responseStarted = True
            stream.responseHeaders = HeaderMap()
        stream.filterRaised()
        if self.decoder is None:  # nobody has given up the upstream's stream
            handOver(self.pooled, self.upstream, Back(self))[0].resetStream(Reset.LOCAL)
        return False

    def upstreamOver(self) -> None:
        """HTTP/2: the stream whose answer it has taken is at its end."""
        self.pooled.streamOver()

    def _headFor(self, head: ResponseHead | AnswerHead, passed: int) -> Any:
        """
        The client's head for that of the upstream; passed: milliseconds.

        Returns:
            What encodeWhole takes, and as headers, and what records of such answers are made with,
            by what is known of their requests; None: it depends.
        """
        template = self.template
        kept = head.carried
        if kept is None:
            kept = head.carried = {}
        heads: dict[int, Any] | None = kept.get(template.carrier)
        if heads is None:
            if len(kept) >= _MOST_CARRIERS:
                kept.clear()
            heads = kept[template.carrier] = {}
        if passed in heads:
            return heads[passed]
        headers = head.headers.copy()
        if headers.more is not None or _CANARY in headers or b"date" not in headers:
            return None
        if not template.carrier.settings.suppressesHeaders:
            headers[_SERVICE_TIME] = b"%d" % passed
        connection = self._connection
        info = RequestInfo(connection.info, self.lastActivity)
        connection.settings.edge.prepareResponse(headers, info, template.headers)
        if headers.cases is not None or headers.more is not None or b"connection" in headers:
            return None
        wire = self._encoder.wholeHead(headers)
        if wire is None:
            return None
        if len(heads) >= _MOST_KEPT:
            heads.clear()
        found: tuple[Any, HeaderMap, Kept] = (wire, headers, {})
        heads[passed] = found
        return found

    def _count(self, passed: int) -> None:
        carrier = self.template.carrier
        if carrier.settings.dynamicStats:
            codes = carrier.plan.codes
            counters = codes.external.get(200)
            if counters is None:
                codes.charge(200, False)
            else:
                for counter in counters:
                    counter.value += 1
            codes.recordTime(passed, False)
        self.pooled.host.stats.rq_success.value += 1
        settings = self._connection.settings
        stats, listenerStats = settings.stats, settings.listenerStats
        stats.downstream_rq_completed.value += 1
        stats.downstream_rq_2xx.value += 1
        listenerStats.downstream_rq_completed.value += 1
        listenerStats.downstream_rq_2xx.value += 1
        stats.downstream_rq_time.record(passed)
        stats.downstream_rq_active.value -= 1

    # What takes its place.

    def become(self) -> Any:
        """Let a stream, a router and an attempt go on from here; gives the upstream's decoder."""
        if self.stream is None:
            self.decoder = self._makePlace()
        return self.decoder

    def _makePlace(self) -> Any:
        template = self.template
        template.failed += 1
        carrier, began = template.carrier, self.lastActivity
        headers = self.requestHeaders()
        connection = self._connection
        self._uncount()
        encoder = self._encoder
        stream = self.stream = connection.newStream(encoder)
        encoder.decodedBy(stream)
        goOn(stream, headers, carrier.route, began)
        router = stream.filters[-1]
        carrier.settings.stats.rq_total.value += 1
        info = stream.streamInfo
        if template.remoteAddress is not None:
            info.remoteAddress = template.remoteAddress
        takePlan(router, carrier.plan, carrier.route, headers, info)
        router.attempts = 1
        upstream = info.upstream
        info.attemptCount = upstream.attempts = 1
        if self.upstream is None:
            return None
        pooled = self.pooled
        upstream.host, upstream.connection = pooled.host, pooled
        upstream.made = ((pooled.host, pooled),)
        info.upstreamProtocol = pooled.protocol
        info.firstUpstreamByteSentTime = info.lastUpstreamByteSentTime = began
        attempt = router.attempt = UpstreamRequest(router, pooled.host)
        carried, decoder = handOver(pooled, self.upstream, attempt)
        attempt.adopt(carried, pooled)
        router.requestDone = began
        if self.deadline is not None:
            router.timer = self
        return decoder

    def requestHeaders(self) -> HeaderMap:
        """Those of the request, as it was sent; the receiver owns the map."""
        headers = self.template.headers
        return withID(headers, self.value) if self.value else headers.copy()

    def _uncount(self) -> None:
        """All that a stream counts when it begins."""
        connection = self._connection
        connection.streams.discard(self)
        connection.countRequest(-1)
        connection.settings.stats.downstream_rq_active.value -= 1
        self.template.carrier.settings.stats.rq_total.value -= 1

    def due(self) -> None:
        """The route's time is over, be it this that waits for it or what has taken its place."""
        self.become()
        timedOut(self.stream.filters[-1])

    def cancel(self) -> None:
        """As a timer: it is not to wait any more."""
        self.deadline.leave(self)

    # What the client's connection says to its streams.

    def streamReset(self, reason: Reset, details: str) -> None:
        """The client gave this request up, or its connection is gone."""
        if not self.ended:
            self.become()
            self.stream.streamReset(reason, details)

    def finish(self) -> None:
        """It is over, whatever comes."""
        if not self.ended:
            self.become()
            self.stream.finish()

    def idled(self) -> None:
        """Nothing has come or gone for too long."""
        self.become()
        self.stream.idled()

    def filterRaised(self) -> None:
        """What was done with it has failed."""
        self.become()
        self.stream.filterRaised()


@implementer(IStreamDecoder)
class Back:
    """
    The upstream's side of an exchange: what comes that is no whole answer.

    Args:
        exchange: whose.
    """

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def decode1xx(self, headers: HeaderMap) -> None:
        self._exchange.become().decode1xx(headers)

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._exchange.become().decodeHeaders(headers, endStream)

    def decodeData(self, data: bytes, endStream: bool) -> None:
        self._exchange.become().decodeData(data, endStream)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self._exchange.become().decodeTrailers(trailers)

    def streamReset(self, reason: Reset, details: str) -> None:
        self._exchange.become().streamReset(reason, details)

    def streamFailed(self, error: CodecError) -> None:
        """Of servers only."""
