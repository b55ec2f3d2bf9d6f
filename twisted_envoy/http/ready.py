"""
Answers that are ready: direct responses that are the same for each request like one before.

A codec that has read the same head before, byte for byte, sends them without a stream: what would
happen on the way is known, and is counted. It is so for requests without a body if

    the head                 names no upgrade, no expectation; the edge lets it pass
    the route                is sure by its path: a direct response, without edits
    the connection manager   logs no beginnings, and has no filter that has to see them
    the edge                 tells nothing of the request in the answer, and refuses none
    the connection           is not on its way to its end, and not a phone's

Envoy: ConnectionManagerImpl::ActiveStream, for an answer by Router::Filter::decodeHeaders
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Traffic
from twisted_envoy.http.ready_record import Request, prepared
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.http.settings import ManagerSettings
    from twisted_envoy.http.stream import HTTPStream

_TELLING = frozenset(
    b":protocol connection content-type expect proxy-connection transfer-encoding upgrade "
    b"x-envoy-force-trace".split()
)
"""Headers of requests that may be answered in another way."""
_OTHERS = (b"CONNECT", b"HEAD")
_MOST_ROUTES = 1024
_PATIENCE = 16
_PAUSE = 64
"""After so many requests in a row that cannot be carried only one in so many is looked at."""


class ReadyReply(NamedTuple):
    """
    What a terminal filter answers.

    Attributes:
        headers: not yet prepared by the edge; not to be changed. body: may be empty.
        counters: of the filter, one more for each answer.
    """

    headers: HeaderMap
    body: bytes
    counters: tuple[Counter, ...]


class ReadyAnswer:
    """
    One of them.

    Args:
        counters: what counts whole requests and their answers.
        request: of one that is logged: what it says, for its record; else None.

    Attributes:
        isLogged: each is recorded. traffic: of such a one, when there is a wire.
        now: seconds, when the last of them came.
        route: of the requests.
        headers: prepared for the second that is `second`; another map when that is another one.
        wire: what an HTTP/1.1 codec has made of them, empty before.
    """

    isReady = True

    __slots__ = (
        *("_reply", "body", "counters", "headers", "isLogged", "now", "request", "route"),
        *("second", "traffic", "wire"),
    )

    def __init__(
        self,
        route: Any,
        reply: ReadyReply,
        counters: tuple[Counter, ...],
        request: Request | None = None,
    ) -> None:
        self.route = route
        self.request = request
        self.isLogged = request is not None
        self.traffic: Traffic | None = None
        self.now = 0.0
        self._reply = reply.headers
        self.body = reply.body
        self.counters = (*counters, *reply.counters)
        self.headers = reply.headers
        self.second = -1
        self.wire = b""

    def renew(self, edge: Any, info: RequestInfo) -> None:
        """
        Prepare the headers for the time that it is.

        Args:
            edge: http.edge's Edge. info: of one of the requests.
        """
        self.second = int(info.startTime)
        self.headers = self._reply.copy()
        self.wire = b""
        edge.prepareResponse(self.headers, info, None)
        if self.request is not None:
            self.request.records = None

    def forHead(self, request: Request) -> ReadyAnswer:
        """The same answer, for requests of one head, which are logged."""
        reply = ReadyReply(self._reply, self.body, ())
        return ReadyAnswer(self.route, reply, self.counters, request)


def goOn(stream: HTTPStream, headers: HeaderMap, route: Any, began: float) -> None:
    """
    Bring a new stream to where its request has been sent on already.

    Args:
        headers: after the edge. route: of it. began: seconds, when it came, whole.
    """
    info = stream.streamInfo
    info.startTime = began
    stream.lastActivity = info.headersReceivedTime = info.lastRequestByteReceivedTime = began
    stream.requestHeaders = info.requestHeaders = headers
    stream.requestEnded = True
    stream.route = info.route = route
    info.routeName = route.name
    stream.plan = stream.plan.alone
    stream.makeFilters()


class _Note:
    """What the edge says of a request besides its headers; see RequestInfo."""

    __slots__ = ("protocol", "remoteAddress")

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self.remoteAddress: Any = None


class ReadyAnswers:
    """Of one connection manager: what becomes of requests with heads that come again."""

    __slots__ = ("_answers", "_carriers", "_failed", "_isOpen", "_watched", "_ways")

    def __init__(self) -> None:
        self._isOpen: bool | None = None
        self._failed = 0
        self._ways: dict[tuple[Any, str], Any] = {}
        self._answers: dict[Any, ReadyAnswer | None] = {}
        self._carriers: dict[tuple[Any, str], Any] = {}
        self._watched: dict[Any, frozenset[bytes] | None] = {}

    def find(self, connection: Any, headers: HeaderMap) -> Any:
        """
        What becomes of every request with these headers and without a body.

        Args:
            connection: a ServerConnection. headers: as decoded; not changed.
        Returns:
            A ReadyAnswer, a template (HTTPFilter.carrier), or None where it depends.
        """
        settings = connection.settings
        protocol = connection.codec.protocol
        if not _isOpen(settings) or _tells(settings, headers, protocol):
            return None
        own = connection.info
        request = prepared(settings, own, headers, protocol)
        if request is None:
            return None
        sent = request.headers
        route = settings.routes.certain(sent)
        if route is None or route.idleTimeout is not None or route.maxStreamDuration is not None:
            return None
        watched = self._watchedOf(settings, route)
        if watched is None or not watched.isdisjoint(sent):
            return None
        if route not in self._answers:
            self._answers[route] = _make(settings, route)
        answer = self._answers[route]
        if answer is not None:
            return answer.forHead(request) if settings.records.logs else answer
        carrier = self._carrier(settings, route, protocol)
        state = own.state is not None or own.lendsMetadata or connection.hops
        return None if carrier is None or state else carrier.template(request)

    def carry(self, connection: Any, headers: HeaderMap, encoder: Any) -> Any:
        """
        Have a request without a body carried whose head need not have come before.

        Args:
            connection: a ServerConnection. headers: as decoded; not changed. encoder: its codec's.
        Returns:
            Who answers it; None, and nothing was done: it needs a stream.
        """
        settings = connection.settings
        own = connection.info
        protocol = connection.codec.protocol
        if self._isOpen is None:
            self._isOpen = _isOpen(settings) and not settings.hasTimers
        if not self._isOpen or own.state is not None or own.lendsMetadata or connection.hops:
            return None
        if self._failed > _PATIENCE and self._failed % _PAUSE:
            self._failed += 1
            return None
        if _tells(settings, headers, protocol):
            return None
        sent = headers.copy()
        note = _Note(protocol)
        if settings.edge.prepareRequest(sent, note, own, own.tls is not None) is not None:
            return None
        route = settings.routes.always or settings.routes.certain(sent)
        way = None if route is None else self._wayOf(settings, route, protocol)
        if way is None or not way[0].isdisjoint(sent):
            self._failed += 1
            return None
        self._failed = 0
        return way[1].single(connection, sent, note.remoteAddress, encoder)

    def _wayOf(self, settings: ManagerSettings, route: Any, protocol: str) -> Any:
        """What filters watch for, and a carrier; None: requests with that route need streams."""
        ways = self._ways
        key = (route, protocol)
        if key not in ways:
            if len(ways) >= _MOST_ROUTES:
                ways.clear()
            ways[key] = None
            watched = self._watchedOf(settings, route)
            carrier = self._carrier(settings, route, protocol)
            isTimed = route.idleTimeout is not None or route.maxStreamDuration is not None
            if not (watched is None or carrier is None or isTimed):
                ways[key] = (watched, carrier)
        return ways[key]

    def _watchedOf(self, settings: ManagerSettings, route: Any) -> frozenset[bytes] | None:
        """What its filters watch for; a route that is new here is looked at."""
        if route not in self._watched:
            if len(self._watched) >= _MOST_ROUTES:  # routes may come and go
                self._watched.clear()
                self._answers.clear()
                self._carriers.clear()
            self._watched[route] = settings.plan.watched(route)
        return self._watched[route]

    def _carrier(self, settings: ManagerSettings, route: Any, protocol: str) -> Any:
        key = (route, protocol)
        if key not in self._carriers:
            made = None if settings.hasTimers else settings.plan.carrier(route, protocol)
            self._carriers[key] = made
        return self._carriers[key]


def _tells(settings: ManagerSettings, headers: HeaderMap, protocol: str) -> bool:
    """A request may be answered in another way than others."""
    return (
        not _TELLING.isdisjoint(headers)
        or headers.get(b":method") in _OTHERS
        or not settings.edge.passes(headers, protocol)
    )


def _isOpen(settings: ManagerSettings) -> bool:
    """Nobody has a say about each request."""
    return not (
        settings.maxRequests
        or (settings.records.onNewRequest and settings.records.logs)
        or not settings.edge.isSameForAll
        or not settings.localReplies.isPlain
    )


def _make(settings: ManagerSettings, route: Any) -> ReadyAnswer | None:
    reply = settings.plan.readyReply(route)
    if reply is None:
        return None
    stats, listenerStats = settings.stats, settings.listenerStats
    kind = int(reply.headers[b":status"]) // 100
    counters = (
        stats.downstream_rq_total,
        stats.downstream_rq_completed,
        stats.byClass[kind],
        listenerStats.downstream_rq_completed,
        listenerStats.byClass[kind],
    )
    return ReadyAnswer(route, reply, counters)
