"""
One request of a client and its response: between a codec's stream and the HTTP filters.

    event                      sent by           what happens
    decodeHeaders/Data/...     the codec         checks and edits, a route, then the filters
    sendLocalReply             anybody           the response of our own, through the filters
    encodeHeaders/Data/...     terminal filter   the filters, then edits, then the codec
    resetStream                terminal filter   the response cannot be finished
    streamReset                the codec         the client gave up, or its connection is gone
    timers                     time              see http.stream_timers

Envoy: ConnectionManagerImpl::ActiveStream
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.http.filter_chain import Decoding, Encoding, FilterPlan
from twisted_envoy.http.stream_timers import StreamTimers, answerIdle
from twisted_envoy.network.read_gate import HELD_FULL, ReadGate
from twisted_envoy.network.records import writeRecord
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, UpstreamInfo

if TYPE_CHECKING:
    from twisted_envoy.http.filter import HTTPFilter
    from twisted_envoy.http.server_connection import ServerConnection

_log = Logger("http")

_CONTINUE = b"100-continue"
_NOTHING: dict[str, bool] = {}


@implementer(IStreamDecoder, IPushProducer)
class HTTPStream:
    """
    One request.

    Args:
        connection: it came over.
        encoder: the codec's, for the response.

    Attributes:
        streamInfo: what is known about it; route: chosen for it, None for none.
        requestHeaders, requestTrailers, responseHeaders, responseTrailers: None before they came.
        requestEnded: all of it has come. decodingEnded: the filters see no more of it.
        responseStarted, ended: the response's headers are sent; it is all over.
        isTunnel: an upgrade or CONNECT was let through.
        gate: whether the request's body is read.
        bufferLimit: bytes that may be held in each direction.
        closesAfter: this request's end is the connection's.
        lastActivity: seconds, when something came or went.
        watched: the connection manager's stream_idle_timeout holds.
        timers: of the further times that this request has, None for none.
    """

    __slots__ = (
        "_decoding",
        "_encoding",
        "_gate",
        "_paused",
        "_plan",
        "_producer",
        "_responsePaused",
        "bufferLimit",
        "closesAfter",
        "connection",
        "decodingEnded",
        "encoder",
        "ended",
        "filters",
        "isTunnel",
        "lastActivity",
        "requestEnded",
        "requestHeaders",
        "requestTrailers",
        "responseEnded",
        "responseHeaders",
        "responseStarted",
        "responseTrailers",
        "route",
        "settings",
        "streamInfo",
        "timers",
        "watched",
    )

    def __init__(self, connection: ServerConnection, encoder: IStreamEncoder) -> None:
        settings = connection.settings
        self.connection = connection
        self.encoder = encoder
        self.settings = settings
        self.lastActivity = now = settings.seconds()
        self.streamInfo = RequestInfo(connection.info, now)
        self.requestHeaders: HeaderMap | None = None
        self.requestTrailers: HeaderMap | None = None
        self.responseHeaders: HeaderMap | None = None
        self.responseTrailers: HeaderMap | None = None
        self.requestEnded = self.decodingEnded = False
        self.responseStarted = self.responseEnded = self.ended = False
        self.isTunnel = self.closesAfter = False
        self.route: Any = None
        self.filters: list[HTTPFilter] = []
        self.bufferLimit = settings.bufferLimit
        self._gate: ReadGate | None = None
        self.watched = True
        self.timers = StreamTimers(self) if settings.hasTimers else None
        self._plan: FilterPlan = settings.plan
        self._decoding: Any = None
        self._encoding: Encoding | None = None
        self._producer: IPushProducer | None = None
        self._responsePaused = self._paused = False
        settings.stats.downstream_rq_active.value += 1

    @property
    def gate(self) -> ReadGate:
        """Made when it is asked for: most requests have no body."""
        gate = self._gate
        if gate is None:
            gate = self._gate = ReadGate(self)
        return gate

    # The request, from the codec.

    def decode1xx(self, headers: HeaderMap) -> None:
        """Clients send none."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        settings = self.settings
        info = self.streamInfo
        connection = self.connection
        self.requestHeaders = info.requestHeaders = headers
        self.lastActivity = info.headersReceivedTime = settings.seconds()
        info.protocol = connection.codec.protocol
        if self.timers is not None:
            self.timers.headersCame()
        if endStream:
            self._requestEnds()
        connection.requestCame(self, headers)
        if b"expect" in headers and self._expectsContinue(headers):
            headers.remove(b"expect")
            if not endStream:
                connection.countResponse(100)
                self.encoder.encode1xx(HeaderMap(((b":status", b"100"),)))
        refusal = settings.edge.prepareRequest(
            headers, info, connection.info, info.tls is not None
        )
        if refusal is not None:
            connection.refuse(self, refusal)
            return
        self.refreshRoute()
        if not self._chooseFilters(headers):
            self._plan = settings.plan
            self._makeFilters()
            settings.stats.downstream_rq_ws_on_non_ws_route.value += 1
            self.sendLocalReply(403, b"", "upgrade_failed")
            return
        self._makeFilters()
        self._setRouteTimes()
        if settings.records.onNewRequest:
            self.writeRecord("DownstreamStart")
        try:
            self._decoding.headers(headers, endStream)
        except Exception:
            self._filterRaised()

    def _expectsContinue(self, headers: HeaderMap) -> bool:
        """The client waits for 100, and it is for us to say it."""
        return headers[b"expect"].lower() == _CONTINUE and not self.settings.proxies100Continue

    def decodeData(self, data: bytes, endStream: bool) -> None:
        if endStream and data and not (self._plan.decodesAlone or self.connection.multiplexes):
            self.decodeData(data, False)  # as Envoy's codec, which gives the end by itself
            data = b""
        self.streamInfo.bytesReceived += len(data)
        self.lastActivity = self.settings.seconds()
        if endStream:
            self._requestEnds()
        if self.decodingEnded:
            return
        try:
            self._decoding.data(data, endStream)
        except Exception:
            self._filterRaised()

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self.requestTrailers = self.streamInfo.requestTrailers = trailers
        self.lastActivity = self.settings.seconds()
        self._requestEnds()
        if self.decodingEnded:
            return
        try:
            self._decoding.trailers(trailers)
        except Exception:
            self._filterRaised()

    def streamReset(self, reason: Reset, details: str) -> None:
        """The client gave this request up, or its connection is gone."""
        if self.ended:
            return
        settings = self.settings
        info = self.streamInfo
        settings.stats.downstream_rq_rx_reset.value += 1
        if reason is Reset.CONNECTION_TERMINATION:
            info.raiseFlag("DC")
            info.responseCodeDetails = details or "downstream_remote_disconnect"
        elif reason is Reset.PROTOCOL_ERROR:
            info.raiseFlag("DPE")
            info.responseCodeDetails = details
        elif reason in (Reset.REMOTE, Reset.REMOTE_REFUSED):
            info.raiseFlag("DR")
            info.responseCodeDetails = details or "http2.remote_reset"
        elif details:
            info.responseCodeDetails = details
        self.finish()

    def streamFailed(self, error: CodecError) -> None:
        """The request cannot be read."""
        self.streamInfo.raiseFlag("DPE")
        if self.requestHeaders is None:
            self.streamInfo.protocol = self.connection.protocol
        self.connection.willClose()
        if error.status:
            self.sendLocalReply(error.status, error.body, error.details)

    def _requestEnds(self) -> None:
        self.requestEnded = True
        self.streamInfo.lastRequestByteReceivedTime = self.lastActivity
        if self.timers is not None:
            self.timers.requestEnded()

    def idled(self) -> None:
        """Nothing has come or gone for too long."""
        self.watched = False
        answerIdle(self)

    def _setRouteTimes(self) -> None:
        """A route may say otherwise about silence and duration."""
        route = self.route
        if route is None or (route.idleTimeout is None and route.maxStreamDuration is None):
            return
        if self.timers is None:
            self.timers = StreamTimers(self)
        self.timers.routeChosen(route)

    # Route and filters.

    def refreshRoute(self) -> None:
        """Choose the route by what the request looks like now."""
        info = self.streamInfo
        settings = self.settings
        self.route = info.route = route = settings.routes.match(
            self.requestHeaders, info, settings.random.getrandbits(64)
        )
        if route is not None:
            info.routeName = route.name

    def clearRouteCache(self) -> None:
        """The same: the next look at the route sees the new one."""
        self.refreshRoute()

    def _chooseFilters(self, headers: HeaderMap) -> bool:
        """Whether the request may go on: it wants no upgrade, or one that is allowed."""
        kind = headers.get(b"upgrade")
        if headers.get(b":method") == b"CONNECT":
            kind = b"CONNECT"
        if kind is None:
            return True
        name = kind.decode("latin-1").lower()
        own = self.settings.upgrades.get(name)
        route = self.route
        byRoute = None if route is None else route.upgrades.get(name)
        if byRoute is not None and not byRoute.enabled:
            return False
        if byRoute is None and (own is None or not own.enabled):
            return route is None  # that there is no route is said first
        if own is not None and own.plan is not None:
            self._plan = own.plan
        self.isTunnel = True
        self.streamInfo.upgradeProtocol = name
        stats = self.settings.stats
        stats.downstream_cx_upgrades_total.value += 1
        stats.downstream_cx_upgrades_active.value += 1
        return True

    def _makeFilters(self) -> None:
        route = self.route
        plan = self._plan
        if not plan.isFixed or (route is not None and route.filterDisabled):
            plan = plan.forRoute(_NOTHING if route is None else route.filterDisabled)
            self._plan = plan
        filters: list[Any] = [None] * len(plan.makers)
        self.filters = filters
        for index, make in plan.needed:
            filters[index] = one = make()
            one.stream = self
            one.index = index
        if plan.decodesAlone:
            self._decoding = _Straight(filters[-1])
        else:
            self._decoding = Decoding(self, filters, plan.decodeSteps)
        if not plan.encodesAlone:
            self._encoding = Encoding(self, filters, plan.encodeSteps)

    def routeConfig(self, name: str) -> Any:
        """The most specific typed_per_filter_config of that filter name; None for none."""
        found = self.routeConfigs(name)
        return found[-1] if found else None

    def routeConfigs(self, name: str) -> tuple[Any, ...]:
        """All of them, the least specific first."""
        route = self.route
        return () if route is None else route.routeConfigs.get(name, ())

    def nameOf(self, filter: HTTPFilter) -> str:
        """What the filter is called in the config."""
        names = self._plan.names
        return names[filter.index] if filter.index < len(names) else ""

    # Holding.

    @property
    def heldRequestBytes(self) -> int:
        """Body bytes that wait behind a filter that holds the request."""
        held: int = self._decoding.heldBytes
        return held

    def holdDecode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        self._decoding.hold(filter.index)

    def releaseDecode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        try:
            self._decoding.release(filter.index)
        except Exception:
            self._filterRaised()

    def holdEncode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        if self._encoding is not None:
            self._encoding.hold(filter.index)

    def releaseEncode(self, filter: HTTPFilter) -> None:
        """See HTTPFilter."""
        if self._encoding is not None:
            try:
                self._encoding.release(filter.index)
            except Exception:
                self._filterRaised()

    def releaseEncodeSome(self, filter: HTTPFilter, size: int) -> None:
        """Let so many of the body bytes pass that the filter holds; the rest goes on waiting."""
        if self._encoding is not None:
            try:
                self._encoding.releaseSome(filter.index, size)
            except Exception:
                self._filterRaised()
    def addDecodedData(self, filter: HTTPFilter, data: bytes) -> None:
        """See HTTPFilter."""
        self._decoding.insert(filter.index, data)

    def addEncodedData(self, filter: HTTPFilter, data: bytes) -> None:
        """See HTTPFilter."""
        if self._encoding is not None:
            self._encoding.insert(filter.index, data)


    def addDecodedTrailers(self) -> HeaderMap:
        """See HTTPFilter."""
        trailers: HeaderMap = self._decoding.addTrailers()
        self.requestTrailers = self.streamInfo.requestTrailers = trailers
        return trailers

    def addEncodedTrailers(self) -> HeaderMap:
        """See HTTPFilter; only while data is encoded."""
        trailers = cast(Encoding, self._encoding).addTrailers()
        self.responseTrailers = self.streamInfo.responseTrailers = trailers
        return trailers
    def heldRequestChanged(self, size: int) -> None:
        """Read no more while too much is held."""
        if size > self.bufferLimit:
            self.gate.shut(HELD_FULL)
        else:
            self.gate.open(HELD_FULL)

    def heldResponseChanged(self, size: int) -> None:
        """The same for the response."""
        if (size > self.bufferLimit) is not self._responsePaused:
            self._responsePaused = not self._responsePaused
            if self._producer is not None:
                if self._responsePaused:
                    self._producer.pauseProducing()
                else:
                    self._producer.resumeProducing()

    def _filterRaised(self) -> None:
        _log.failure("an HTTP filter raised; the request is ended")
        if not self.ended:
            self.sendLocalReply(500, b"", "filter_raised")

    # IPushProducer: the gate's view of the request.

    def pauseProducing(self) -> None:
        self.settings.stats.downstream_flow_control_paused_reading_total.value += 1
        if not self.ended:
            self._paused = True
            self.encoder.pauseReading()

    def resumeProducing(self) -> None:
        self.settings.stats.downstream_flow_control_resumed_reading_total.value += 1
        if not self.ended and self._paused:
            self._paused = False
            self.encoder.resumeReading()

    def stopProducing(self) -> None:
        """Whoever reads the request is gone; the filters know."""

    # The response, from the terminal filter.

    def registerProducer(self, producer: IPushProducer | None) -> None:
        """Pause it while the client is slow; None for none."""
        self._producer = producer
        if not self.ended:
            self.encoder.registerProducer(producer)

    def encode1xx(self, headers: HeaderMap) -> None:
        """Interim headers from the upstream; 100 only where it was asked for through us."""
        if self.settings.proxies100Continue and not self.ended:
            self.connection.countResponse(int(headers[b":status"]))
            self.encoder.encode1xx(headers)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """The response begins its way through the filters."""
        self.responseHeaders = self.streamInfo.responseHeaders = headers
        if self._encoding is not None:
            self.streamInfo.responseCode = int(headers[b":status"])
            self._encoding.headers(headers, endStream)
        else:
            self.sendHeaders(headers, endStream)

    def encodeData(self, data: bytes, endStream: bool) -> None:
        """Body bytes of the response."""
        if self._encoding is not None:
            self._encoding.data(data, endStream)
        else:
            self.sendData(data, endStream)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        """Trailers of the response."""
        self.responseTrailers = self.streamInfo.responseTrailers = trailers
        if self._encoding is not None:
            self._encoding.trailers(trailers)
        else:
            self.sendTrailers(trailers)

    def sendLocalReply(
        self,
        status: int,
        body: bytes,
        details: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        grpcStatus: int | None = None,
    ) -> None:
        """See HTTPFilter.sendLocalReply; a response that has begun is reset instead."""
        if self.ended:
            return
        info = self.streamInfo
        if self.responseHeaders is not None and self.responseStarted:
            info.responseCodeDetails = details
            self.resetStream(Reset.LOCAL, details)
            return
        self.decodingEnded = True
        info.responseCodeDetails = details
        if status == 400 and not self.settings.http1.streamErrors:
            self.closesAfter = True
        route = self.route
        if route is not None and info.upstream is None and route.kind == "cluster":
            self._nameCluster(route)
        edit = None if route is None else route.finalizeResponse
        replies = self.settings.localReplies
        reply = replies.make(info, status, body, headers, grpcStatus, edit)
        self.encodeHeaders(reply.headers, not reply.body)
        if reply.body:
            self.encodeData(reply.body, True)

    def _nameCluster(self, route: Any) -> None:
        """A request that no router has seen still knows the cluster of its route."""
        name = route.clusterName(self.requestHeaders)
        cluster = self.settings.clusters.get(name) if name else None
        if cluster is not None:
            self.streamInfo.upstream = UpstreamInfo(name)
            self.streamInfo.upstream.cluster = cluster

    def resetStream(self, reason: Reset, details: str) -> None:
        """The response has begun and will not be finished."""
        if self.ended:
            return
        if details:
            self.streamInfo.responseCodeDetails = details
        self.settings.stats.downstream_rq_tx_reset.value += 1
        self.connection.resetResponse(self, reason)

    def recreate(self, headers: HeaderMap, body: bytes = b"") -> bool:
        """
        Handle the same request again, with these headers, from the first filter on.

        Returns:
            False when that cannot be: part of it is not there, or the response has begun.
        """
        if self.ended or self.responseStarted or not self.requestEnded or self.isTunnel:
            return False
        self.settings.post(lambda: self._again(headers, body))
        return True

    def _again(self, headers: HeaderMap, body: bytes) -> None:
        if self.ended:
            return
        self._endFilters()
        info = self._infoAgain()
        self.connection.countRequest()
        self.requestHeaders = info.requestHeaders = headers
        self.responseHeaders = None
        self.decodingEnded = False
        self._producer = None
        self.encoder.registerProducer(None)
        info.requestTrailers = self.requestTrailers
        self.refreshRoute()
        self._makeFilters()
        self._setRouteTimes()
        try:
            trailers = self.requestTrailers
            self._decoding.headers(headers, not body and trailers is None)
            if body and not self.decodingEnded:
                self._decoding.data(body, trailers is None)
            if trailers is not None and not self.decodingEnded:
                self._decoding.trailers(trailers)
        except Exception:
            self._filterRaised()

    def _infoAgain(self) -> RequestInfo:
        """Log what was, and begin with a StreamInfo that keeps only the filter state."""
        was = self.streamInfo
        was.endTime = now = self.settings.seconds()
        self.writeRecord("DownstreamEnd")
        info = self.streamInfo = RequestInfo(self.connection.streamInfo, now)
        info.filterState = was.filterState
        info.protocol = was.protocol
        info.remoteAddress = was.remoteAddress
        info.lastRequestByteReceivedTime = now
        return info

    # Past the filters.

    def sendHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        """The response's headers go to the client."""
        if self.ended:
            return
        self.responseHeaders = self.streamInfo.responseHeaders = headers
        self.connection.prepareResponse(self, headers)
        self.responseStarted = True
        self.lastActivity = self.settings.seconds()
        self.streamInfo.firstResponseByteSentTime = self.lastActivity
        self.encoder.encodeHeaders(headers, endStream)
        if endStream:
            self._responseEnds()
        elif self.isTunnel and self.settings.records.onTunnel:
            self.writeRecord("DownstreamTunnelSuccessfullyEstablished")

    def sendData(self, data: bytes, endStream: bool) -> None:
        """Body bytes go to the client."""
        if self.ended:
            return
        self.streamInfo.bytesSent += len(data)
        self.lastActivity = self.settings.seconds()
        self.encoder.encodeData(data, endStream)
        if endStream:
            self._responseEnds()

    def sendTrailers(self, trailers: HeaderMap) -> None:
        """Trailers go to the client."""
        if self.ended:
            return
        self.encoder.encodeTrailers(trailers)
        self._responseEnds()

    def _responseEnds(self) -> None:
        self.responseEnded = True
        self.streamInfo.lastResponseByteSentTime = self.settings.seconds()
        self.connection.responseEnded(self)

    # The end.

    def finish(self) -> None:
        """It is over, one way or the other: filters let go, the record is written."""
        if self.ended:
            return
        self.ended = self.decodingEnded = True
        settings = self.settings
        info = self.streamInfo
        info.endTime = now = settings.seconds()
        if self.timers is not None:
            self.timers.stop()
        encoder = self.encoder
        info.wireBytesSent = encoder.wireBytes
        info.responseHeaderBytes = encoder.headerBytes
        info.wireBytesReceived = getattr(encoder, "receivedWireBytes", 0)
        info.requestHeaderBytes = getattr(encoder, "receivedHeaderBytes", 0)
        stats = settings.stats
        stats.downstream_rq_active.value -= 1
        stats.downstream_rq_time.record(int((now - info.startTime) * 1000))
        if self.isTunnel:
            stats.downstream_cx_upgrades_active.value -= 1
        self._endFilters()
        self.connection.streamFinished(self)
        if settings.records.logs:
            self.writeRecord("DownstreamEnd")
        self._producer = self._gate = None

    def _endFilters(self) -> None:
        filters = self.filters
        for index in self._plan.ended if filters else ():
            try:
                filters[index].streamEnded()  # type: ignore[attr-defined]
            except Exception:
                _log.failure("streamEnded of an HTTP filter raised")
        self.filters = []
        self._decoding = self._encoding = None

    def writeRecord(self, kind: str) -> None:
        """Write to the access logs."""
        logs = self.settings.records.logs
        if logs:
            writeRecord(logs, FormatContext(self.streamInfo, kind, self.settings.seconds()))


class _Straight:
    """The request's way when only the terminal filter looks at it."""

    __slots__ = ("data", "headers", "trailers")

    heldBytes = 0

    def __init__(self, terminal: Any) -> None:
        self.headers = terminal.decodeHeaders
        self.data = terminal.decodeData
        self.trailers = terminal.decodeTrailers

    def hold(self, index: int) -> None:
        """Nothing comes after it."""

    def release(self, index: int) -> None:
        """Nothing waits."""
