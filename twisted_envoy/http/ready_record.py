"""
Answers that are ready and logged: what is known of each request of one head.

All that the log formats can ask for is what a stream would have told; it is looked up when it is
asked for, and what is the same for the next request is looked up once a second. Where nothing but
a time and an id is different, no record is made of a request but its line.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from twisted.logger import Logger

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Traffic
from twisted_envoy.formatter.sameness import ANSWER
from twisted_envoy.http.edge.request_id import REQUEST_ID, idOf, makesUUIDs, withID
from twisted_envoy.network.records import AlikeRecords, WriteStamp
from twisted_envoy.state.lazy import Asked, Fresh
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

_log = Logger("misc")

_NOW = Asked(attrgetter("startTime"))

Stamp = Callable[[float], None]


class Request:
    """
    A head that comes again, as its route saw it.

    Args:
        headers: after the edge. protocol: of it. address: the client's, if it is another one than
            the connection's.
        ids: gives each a new x-request-id; None: it has its own. given: the one that it came with.

    Attributes:
        records: of the logs, None before.
    """

    __slots__ = ("address", "given", "headers", "ids", "protocol", "records")

    def __init__(
        self, headers: HeaderMap, protocol: str, address: Any, ids: Any, given: bytes | None
    ) -> None:
        self.headers = headers
        self.protocol = protocol
        self.address = address
        self.ids = ids
        self.given = given
        self.records: AlikeRecords | None = None


def prepared(settings: Any, own: StreamInfo, headers: HeaderMap, protocol: str) -> Request | None:
    """
    A head as the edge leaves it; None: it is refused.

    Args:
        settings: the connection manager's. own: the connection's. headers: not changed.
    """
    edge, isTLS = settings.edge, own.tls is not None
    info = RequestInfo(own, 0.0)
    info.protocol = protocol
    sent, again = headers.copy(), headers.copy()
    if edge.prepareRequest(sent, info, own, isTLS) is not None:
        return None
    edge.prepareRequest(again, info, own, isTLS)
    isMade = sent.get(REQUEST_ID) != again.get(REQUEST_ID)
    address = info.__dict__.get("remoteAddress")
    ids = edge.ids if isMade else None
    return Request(sent, protocol, address, ids, headers.get(REQUEST_ID))


class ReadyInfo(RequestInfo):
    """
    Of a request that was answered at once.

    Args:
        connection: the client's. now: seconds. encoder: has the numbers of bytes.
        ready: is kept. value: the request's own x-request-id, b"" for that of the head.
    """

    responseCodeDetails = "direct_response"
    headersReceivedTime: Any = _NOW
    lastRequestByteReceivedTime: Any = _NOW
    firstResponseByteSentTime: Any = _NOW
    lastResponseByteSentTime: Any = _NOW
    endTime: Any = _NOW
    protocol: Any = Asked(attrgetter("request.protocol"))
    route: Any = Asked(attrgetter("ready.route"))
    routeName: Any = Asked(attrgetter("ready.route.name"))
    responseCode: Any = Asked(lambda info: int(info.responseHeaders[b":status"]))
    bytesSent: Any = Asked(lambda info: len(info.ready.body))
    requestHeaders: Any = Fresh(lambda info: withID(info.request.headers, info.value))
    requestID: Any = Asked(lambda info: idOf(info.request.headers, info.value))

    def __init__(
        self, connection: StreamInfo, now: float, encoder: Traffic, ready: Any, value: bytes
    ) -> None:
        if connection.lendsMetadata:
            super().__init__(connection, now, encoder)
        self.connection = connection
        self.startTime = now
        self.encoder = encoder
        self.ready = ready
        self.request = request = ready.request
        self.responseHeaders = ready.headers
        self.value = value
        address = request.address
        if address is not None:
            self.remoteAddress = address


def recordAnswer(
    connection: Any, ready: Any, headers: HeaderMap, value: bytes, traffic: Traffic
) -> None:
    """
    Write to the access logs that a request was answered at once.

    Args:
        connection: a ServerConnection. ready: a ReadyAnswer that is logged.
        headers: of the head, as decoded; not changed. value: its x-request-id, if it may be
            another one, else b"".
    """
    settings = connection.settings
    request = ready.request
    if value and value != request.given:
        other = withID(headers, value)
        found = prepared(settings, connection.info, other, request.protocol)
        request = ready.request = found or request
    ids = request.ids
    made = b"" if ids is None else ids.ready.pop() if ids.ready else ids.new()
    now = ready.now
    info = ReadyInfo(connection.info, now, traffic, ready, made)
    context = FormatContext(info, "DownstreamEnd", now)
    records = request.records
    if records is None:
        records = request.records = AlikeRecords(settings.records.logs, ANSWER, ids is None)
    isKnown = records.loggers != ()
    records.write(context)
    if not (isKnown or value) and (ids is None or makesUUIDs(ids)):
        write = records.stamp(context, ANSWER)
        if write is not None:
            ready.stamp = _stamp(write, ids)


def _stamp(write: WriteStamp, ids: Any) -> Stamp:
    def stamp(now: float) -> None:
        try:
            write(now, b"" if ids is None else ids.ready.pop() if ids.ready else ids.new())
        except Exception:
            _log.failure("an access logger raised")

    return stamp
