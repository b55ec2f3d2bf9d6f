"""
The request of a stream: from the codec to the HTTP filters.

    event                      what happens
    decodeHeaders              checks and edits, a route, the filters are made; then they see it
    decodeData, -Trailers      the filters
    streamReset                the client gave up, or its connection is gone: the end
    streamFailed               it cannot be read: answered here
    idled                      nothing came or went for too long: answered here

Envoy: ConnectionManagerImpl::ActiveStream
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IResponseEncoder, IStreamDecoder, Reset
from twisted_envoy.http.filter_chain import Decoding, Encoding, Straight
from twisted_envoy.http.filter_plan import FilterPlan
from twisted_envoy.http.flushing import Flushing
from twisted_envoy.http.start_record import recordStart
from twisted_envoy.http.stream_timers import StreamTimers, answerIdle
from twisted_envoy.network.read_gate import ReadGate
from twisted_envoy.state.request_info import RequestInfo

if TYPE_CHECKING:
    from twisted_envoy.http.filter import HTTPFilter
    from twisted_envoy.http.server_connection import ServerConnection

_log = Logger("http")

_CONTINUE = b"100-continue"
_BY_PEER = (Reset.REMOTE, Reset.REMOTE_REFUSED, Reset.CONNECT_ERROR)
_NOTHING: dict[str, bool] = {}


@implementer(IStreamDecoder, IPushProducer)
class RequestSide:
    """
    The half of an HTTPStream that comes from the codec; the other half is its subclass.

    Args:
        connection: it came over.
        encoder: the codec's, for the response.

    Attributes:
        streamInfo: what is known about it; route: chosen for it, None for none.
        requestHeaders, requestTrailers, responseHeaders, responseTrailers: None before they came.
        requestEnded: all of it has come. decodingEnded: the filters see no more of it.
        responseStarted, ended: the response's headers are sent; it is all over.
        plan: of its filters. isTunnel: an upgrade or CONNECT was let through.
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
        "_flushing",
        "_gate",
        "_paused",
        "_producer",
        "_raised",
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
        "plan",
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

    def __init__(self, connection: ServerConnection, encoder: IResponseEncoder) -> None:
        settings = connection.settings
        self.connection = connection
        self.encoder = encoder
        self.settings = settings
        self.lastActivity = now = settings.seconds()
        self.streamInfo = RequestInfo(connection.info, now, encoder)
        self.requestHeaders: HeaderMap | None = None
        self.requestTrailers: HeaderMap | None = None
        self.responseHeaders: HeaderMap | None = None
        self.responseTrailers: HeaderMap | None = None
        self.requestEnded = self.decodingEnded = False
        self.responseStarted = self.responseEnded = self.ended = False
        self.isTunnel = self.closesAfter = False
        self.route: Any = None
        self.filters: list[HTTPFilter] = []
        self.bufferLimit = connection.bufferLimit
        self._gate: ReadGate | None = None
        self.watched = True
        self.timers = StreamTimers(self) if settings.hasTimers else None
        self.plan: FilterPlan = settings.plan
        self._decoding: Any = None
        self._encoding: Encoding | None = None
        self._producer: IPushProducer | None = None
        self._flushing: Flushing | None = None
        self._responsePaused = self._paused = self._raised = False
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
            self.requestEnded = True
            info.lastRequestByteReceivedTime = self.lastActivity
            if self.timers is not None:
                self.timers.requestEnded()
        if connection.countsAgent:
            connection.agentCame(headers)
        if (
            b":protocol" in headers
            if connection.multiplexes
            else b"connection" in headers
            or b"proxy-connection" in headers
            or info.protocol != "HTTP/1.1"
        ):
            connection.requestCame(self, headers)
        try:
            self._begin(headers, endStream)
        except Exception:
            self.filterRaised()

    def _begin(self, headers: HeaderMap, endStream: bool) -> None:
        """The checks, the route, the filters."""
        settings = self.settings
        info = self.streamInfo
        connection = self.connection
        if b"expect" in headers and self._expectsContinue(headers):
            headers.remove(b"expect")
            connection.countResponse(100)
            self.encoder.encode1xx(HeaderMap(((b":status", b"100"),)))
        own = connection.info
        refusal = settings.edge.prepareRequest(headers, info, own, own.tls is not None)
        if refusal is not None:
            connection.refuse(self, refusal)
            return
        routes = settings.routes
        if routes.always is not None and headers.get(b":path", b"")[:1] == b"/":
            route = self.route = info.route = routes.always
            info.routeName = route.name
        else:
            self.refreshRoute()
        wantsMore = b"upgrade" in headers or headers.get(b":method") == b"CONNECT"
        if wantsMore and not self._chooseFilters(headers):
            self.plan = settings.plan
            self.makeFilters()
            settings.stats.downstream_rq_ws_on_non_ws_route.value += 1
            connection.upgradeRefused()
            self.sendLocalReply(403, b"", "upgrade_failed")
            return
        self.makeFilters()
        route = self.route
        if route is not None and (
            route.idleTimeout is not None or route.maxStreamDuration is not None
        ):
            self._setRouteTimes(route)
        if settings.records.onNewRequest:
            recordStart(self)
        if endStream and self.isTunnel:  # what is ended is one direction of the tunnel
            self._way().headers(headers, False)
            if not self.decodingEnded:
                self._way().data(b"", True)
        elif self.plan.decodesAlone:
            self.filters[-1].decodeHeaders(headers, endStream)  # type: ignore[attr-defined]
        else:
            self._decoding.headers(headers, endStream)

    def _expectsContinue(self, headers: HeaderMap) -> bool:
        """The client waits for 100, and it is for us to say it."""
        return headers[b"expect"].lower() == _CONTINUE and not self.settings.proxies100Continue

    def decodeData(self, data: bytes, endStream: bool) -> None:
        if endStream and data and not (self.plan.decodesAlone or self.connection.multiplexes):
            self.decodeData(data, False)  # as Envoy's codec, which gives the end by itself
            data = b""
        self.streamInfo.bytesReceived += len(data)
        self.lastActivity = self.settings.seconds()
        if endStream:
            self._requestEnds()
        if self.decodingEnded:
            return
        try:
            self._way().data(data, endStream)
        except Exception:
            self.filterRaised()

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self.requestTrailers = self.streamInfo.requestTrailers = trailers
        self.lastActivity = self.settings.seconds()
        self._requestEnds()
        if self.decodingEnded:
            return
        try:
            self._way().trailers(trailers)
        except Exception:
            self.filterRaised()

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
        elif reason in _BY_PEER:
            info.raiseFlag("DR")
            info.responseCodeDetails = details or "http2.remote_reset"
        elif details:
            info.responseCodeDetails = details
        self.finish()

    def streamFailed(self, error: CodecError) -> None:
        """The request cannot be read."""
        self.streamInfo.raiseFlag("DPE")
        if not self.responseEnded:
            self.connection.info.raiseFlag("DPE")
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

    def _setRouteTimes(self, route: Any) -> None:
        """A route may say otherwise about silence and duration."""
        if self.timers is None:
            self.timers = StreamTimers(self)
        self.timers.routeChosen(route)

    # Route and filters.

    def refreshRoute(self) -> None:
        """Choose the route by what the request looks like now."""
        info = self.streamInfo
        settings = self.settings
        headers = self.requestHeaders
        route = settings.routes.match(headers, info, settings.random.getrandbits(64))
        self.route = info.route = route
        if route is not None:
            info.routeName = route.name

    def clearRouteCache(self) -> None:
        """The same: the next look at the route sees the new one."""
        self.refreshRoute()

    def _chooseFilters(self, headers: HeaderMap) -> bool:
        """Whether the request may go on: it wants no upgrade, or one that is allowed."""
        kind = headers.get(b"upgrade")
        if kind is None:
            if headers.get(b":method") != b"CONNECT":
                return True
            kind = b"CONNECT"
        name = kind.decode("latin-1").lower()
        own = self.settings.upgrades.get(name)
        route = self.route
        byRoute = None if route is None else route.upgrades.get(name)
        if byRoute is not None and not byRoute.enabled:
            return False
        if byRoute is None and (own is None or not own.enabled):
            return route is None  # that there is no route is said first
        if own is not None and own.plan is not None:
            self.plan = own.plan
        self.isTunnel = True
        self.streamInfo.upgradeProtocol = name
        stats = self.settings.stats
        stats.downstream_cx_upgrades_total.value += 1
        stats.downstream_cx_upgrades_active.value += 1
        return True

    def makeFilters(self) -> None:
        """Those of the plan, for the route that was chosen."""
        route = self.route
        plan = self.plan
        if not plan.isFixed or (route is not None and route.filterDisabled):
            plan = plan.forRoute(_NOTHING if route is None else route.filterDisabled)
            self.plan = plan
        filters: list[Any] = [None] * len(plan.makers)
        self.filters = filters
        for index, make in plan.needed:
            filters[index] = one = make()
            one.stream = self  # type: ignore[assignment]
            one.index = index
        if not plan.decodesAlone:
            self._decoding = Decoding(self, filters, plan.decodeSteps)  # type: ignore[arg-type]
        if not plan.encodesAlone:
            self._encoding = Encoding(self, filters, plan.encodeSteps)  # type: ignore[arg-type]

    def _way(self) -> Any:
        """The request's, through the filters; most requests end before they need it."""
        if self._decoding is None:
            self._decoding = Straight(self.filters[-1])
        return self._decoding

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

    def filterRaised(self) -> None:
        """End this request and nothing else; the filters are not asked about the answer."""
        _log.failure("an HTTP filter raised; the request is ended")
        if not self.ended:
            self._encoding = None
            self._raised = True
            self.sendLocalReply(500, b"", "filter_raised")

    # The other half.

    def sendLocalReply(
        self,
        status: int,
        body: bytes,
        details: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        grpcStatus: int | None = None,
    ) -> None:
        """See HTTPFilter.sendLocalReply."""
        raise NotImplementedError

    def finish(self) -> None:
        """It is over."""
        raise NotImplementedError

    def writeRecord(self, kind: str) -> None:
        """Write to the access logs."""
        raise NotImplementedError
