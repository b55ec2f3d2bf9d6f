"""
Which requests need no stream: what would happen on their way is known, and is counted.

A direct response that is the same for each request is sent by the codec at once (`ReadyAnswer`). A
request to a cluster that nothing has a say in is carried there and back by what the terminal filter
gives (`HTTPFilter.carrier`), whether its head came before or not. Both are without a body, and

    the head                 names no upgrade, no expectation; the edge lets it pass
    the route                is sure by the head, and has no times of its own
    the filters              watch for nothing that is in the head
    the connection manager   logs no beginnings, and counts no requests of a connection
    the edge                 tells nothing of the request in the answer

That the connection is not on its way to its end, and not a phone's, is asked by itself.

Envoy: ConnectionManagerImpl::ActiveStream, for what it does with such requests
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.ready import ReadyAnswer, readyAnswer
from twisted_envoy.http.ready_record import prepared
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.http.settings import ManagerSettings
    from twisted_envoy.http.stream import HTTPStream

_TELLING = frozenset(
    b":protocol connection content-type expect proxy-connection transfer-encoding upgrade "
    b"x-envoy-force-trace".split()
)
"""Headers of requests that may be answered in another way."""
_OTHERS = (b"CONNECT", b"HEAD")
_MOST_WAYS = 1024
_PATIENCE = 16
_PAUSE = 64
"""After so many requests in a row that cannot be carried only one in so many is looked at."""


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


@dataclass(frozen=True, slots=True)
class _Way:
    """
    What a route means to requests of one protocol.

    Attributes:
        watched: headers that filters watch for. answer: of all of them, not logged; None: none is
            ready. carrier: what carries them; None: nothing does.
    """

    watched: frozenset[bytes]
    answer: ReadyAnswer | None
    carrier: Any


_LONG_WAY = _Way(frozenset(), None, None)
"""Of routes whose requests need streams."""


class Shortcuts:
    """
    Of one connection manager.

    Args:
        settings: of it.
    """

    __slots__ = ("_carries", "_failed", "_isOpen", "_ways")

    def __init__(self, settings: ManagerSettings) -> None:
        self._isOpen = _isOpen(settings)
        self._carries = self._isOpen and not settings.hasTimers
        self._failed = 0
        self._ways: dict[tuple[Any, str], _Way] = {}

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
        if not self._isOpen or _tells(settings, headers, protocol):
            return None
        request = prepared(settings, connection.info, headers, protocol)
        if request is None:
            return None
        route = settings.routes.certain(request.headers)
        way = self._ways.get((route, protocol)) or self._look(settings, route, protocol)
        if not way.watched.isdisjoint(request.headers):
            return None
        if way.answer is not None:
            return way.answer.forHead(request) if settings.records.logs else way.answer
        if way.carrier is None or _passesOn(connection):
            return None
        return way.carrier.template(request)

    def carry(self, connection: Any, headers: HeaderMap, encoder: Any) -> Any:
        """
        Have a request without a body carried whose head need not have come before.

        Args:
            connection: a ServerConnection. headers: as decoded; not changed. encoder: its codec's.
        Returns:
            Who answers it; None, and nothing was done: it needs a stream.
        """
        if not self._carries or _passesOn(connection):
            return None
        if self._failed > _PATIENCE and self._failed % _PAUSE:
            self._failed += 1
            return None
        settings = connection.settings
        protocol = connection.codec.protocol
        if _tells(settings, headers, protocol):
            return None
        own = connection.info
        sent = headers.copy()
        note = _Note(protocol)
        if settings.edge.prepareRequest(sent, note, own, own.tls is not None) is not None:
            return None
        route = settings.routes.always or settings.routes.certain(sent)
        way = self._ways.get((route, protocol)) or self._look(settings, route, protocol)
        if way.carrier is None or not way.watched.isdisjoint(sent):
            self._failed += 1
            return None
        self._failed = 0
        return way.carrier.single(connection, sent, note.remoteAddress, encoder)

    def _look(self, settings: ManagerSettings, route: Any, protocol: str) -> _Way:
        """At a route, None too, that is new here."""
        ways = self._ways
        if len(ways) >= _MOST_WAYS:  # routes may come and go
            ways.clear()
        way = ways[route, protocol] = self._makeWay(settings, route, protocol)
        return way

    def _makeWay(self, settings: ManagerSettings, route: Any, protocol: str) -> _Way:
        if route is None or route.idleTimeout is not None or route.maxStreamDuration is not None:
            return _LONG_WAY
        plan = settings.plan
        watched = plan.watched(route)
        if watched is None:
            return _LONG_WAY
        carrier = plan.carrier(route, protocol) if self._carries else None
        return _Way(watched, readyAnswer(settings, route), carrier)


def _isOpen(settings: ManagerSettings) -> bool:
    """Nobody has a say about each request."""
    return not (
        settings.maxRequests
        or (settings.records.onNewRequest and settings.records.logs)
        or not settings.edge.isSameForAll
        or not settings.localReplies.isPlain
    )


def _tells(settings: ManagerSettings, headers: HeaderMap, protocol: str) -> bool:
    """A request may be answered in another way than others."""
    return (
        not _TELLING.isdisjoint(headers)
        or headers.get(b":method") in _OTHERS
        or not settings.edge.passes(headers, protocol)
    )


def _passesOn(connection: Any) -> bool:
    """Requests that are sent on tell upstreams of the client's connection."""
    own = connection.info
    return own.state is not None or own.lendsMetadata or bool(connection.hops)
