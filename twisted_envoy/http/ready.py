"""
Answers that are ready: direct responses that are the same for each request like one before.

A codec that has read the same head before, byte for byte, sends them without a stream. Which
requests may be answered so is said in `http.shortcuts`.

Envoy: ConnectionManagerImpl::ActiveStream, for an answer by Router::Filter::decodeHeaders
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Traffic
from twisted_envoy.http.ready_record import Request, Stamp
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.http.settings import ManagerSettings


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
        stamp: records the next one, for less; gets `now`. None: it has to be told of.
        now: seconds, when the last of them came.
        route: of the requests.
        headers: prepared for the second that is `second`; another map when that is another one.
        wire: what an HTTP/1.1 codec has made of them, empty before.
    """

    isReady = True

    __slots__ = (
        *("_reply", "body", "counters", "headers", "isLogged", "now", "request", "route"),
        *("second", "stamp", "traffic", "wire"),
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
        self.stamp: Stamp | None = None
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
            self.request.records = self.stamp = None

    def forHead(self, request: Request) -> ReadyAnswer:
        """The same answer, for requests of one head, which are logged."""
        reply = ReadyReply(self._reply, self.body, ())
        return ReadyAnswer(self.route, reply, self.counters, request)


def readyAnswer(settings: ManagerSettings, route: Any) -> ReadyAnswer | None:
    """The answer of requests with that route, if it is the same for all; not logged."""
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
