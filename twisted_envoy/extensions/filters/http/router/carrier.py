"""
Plain requests: what is decided on their way is known.

Where nothing looks at requests or answers, a request needs no stream, no router and no attempt. If
its head has come before, a `Template` knows its bytes for the upstream; if not, it is a `Single`,
whose headers are sent as any others. For either an `Exchange` stands until the answer comes.

Envoy: Router::Filter::decodeHeaders, for what it does with such requests
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.h2.requested import Requested
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.exchange import Back, Exchange
from twisted_envoy.extensions.filters.http.router.reply_records import ReplyRecords
from twisted_envoy.extensions.filters.http.router.timeouts import EXPECTED
from twisted_envoy.extensions.filters.http.router.wishes import WISHES
from twisted_envoy.http.edge.request_id import REQUEST_ID
from twisted_envoy.http.ready_record import Request
from twisted_envoy.http.routes.entry import noResponseEdits
from twisted_envoy.http.upgrade import requestToHTTP2
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.network.records import writeRecord
from twisted_envoy.upstream.http.carried import carry

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router
    from twisted_envoy.extensions.filters.http.router.plans import RoutePlan
    from twisted_envoy.extensions.filters.http.router.settings import RouterSettings

_ANYBODY = LoadBalancerContext()
"""Who asks for a host where that does not matter."""
_TELLING = WISHES | {b"x-envoy-internal"}
"""Headers with which a request may be sent in another way."""
_HTTP1 = "HTTP/1.1"
_PATIENCE = 3
_PAUSE = 64
"""So many requests are not tried once more exchanges in a row than those have become streams."""


class Carrier:
    """
    Of one route of one connection manager, for clients of one protocol.

    Attributes:
        route: of the requests. plan: what it means. settings: the router's.
        protocol: the clients'. poolName: in Host.plainPools.
        failed: of heads that came only once, as of a Template.
    """

    __slots__ = ("failed", "plan", "poolName", "protocol", "route", "settings")

    def __init__(
        self, settings: RouterSettings, plan: RoutePlan, route: Any, protocol: str
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.route = route
        self.protocol = protocol
        self.poolName = (plan.pools or {})[protocol]
        self.failed = 0

    def template(self, request: Request) -> Template | None:
        """
        What becomes of requests with a head and without a body; None: it depends.

        Args:
            request: what it says; ours from now on.
        """
        sent = request.headers
        if not _TELLING.isdisjoint(sent) or sent.more is not None:
            return None
        if self.plan.expected is not None:
            sent[EXPECTED] = self.plan.expected
        template = Template(self, sent, request.ids)
        template.remoteAddress = request.address
        return template

    def place(self) -> Any:
        """A connection that takes a request now; None: the request has to wait, or to see more."""
        plan = self.plan
        values = self.settings.runtime.values
        if values and plan.maintenance in values:
            return None
        cluster = plan.cluster
        host = cluster.onlyHost
        if host is None:
            if not cluster.isBlind:
                return None
            host = cluster.chooseHost(_ANYBODY)
            plan.picked = (host,)
            if host is None:
                return None
        pool = host.plainPools.get(self.poolName)
        if pool is None or not pool.ready:
            return None
        requests = pool.requests
        if requests.inUse >= requests.most:
            return None
        pooled = next(reversed(pool.ready))
        if pooled.codec.full:
            return None
        plan.picked = None
        return pooled

    def giveBack(self, pooled: Any) -> None:
        """The request needs a stream after all: it goes to the same host."""
        if self.plan.cluster.onlyHost is None:
            self.plan.picked = (pooled.host,)

    def begins(self, exchange: Exchange, connection: Any, pooled: Any) -> None:
        """Count what a stream, a router and a pool would; the request is sent next."""
        connection.countRequest()
        connection.settings.stats.downstream_rq_active.value += 1
        self.settings.stats.rq_total.value += 1
        connection.streams.add(exchange)
        pooled.pool.requests.take()
        exchange.pooled = pooled
        monitor = pooled.host.monitor
        if monitor is not None:
            monitor.connected()

    def begun(self, exchange: Exchange) -> None:
        """The request was sent: its time runs."""
        settings = self.settings
        total = self.plan.timeouts.total
        if total:
            queue = settings.queues.get(total) or settings.queue(total)
            exchange.deadline = queue
            queue.wait(exchange, exchange.lastActivity)

    def single(
        self, connection: Any, headers: HeaderMap, address: Any, encoder: Any
    ) -> Exchange | None:
        """
        Send a request that is like no other.

        Args:
            connection, encoder: the client's, and its codec's. headers: after the edge; ours, if
                the request is sent. address: of the client, if it is not the connection's.
        Returns:
            None, and nothing was done: it needs a stream.
        """
        if not _TELLING.isdisjoint(headers):
            return None
        if self.failed > _PATIENCE and isHopeless(self):
            return None
        pooled = self.place()
        if pooled is None:
            return None
        if pooled.protocol != _HTTP1:
            self.giveBack(pooled)
            return None
        if self.plan.expected is not None:
            headers[EXPECTED] = self.plan.expected
        exchange = Exchange(Single(self, headers, address), connection, encoder, b"")
        self.begins(exchange, connection, pooled)
        try:
            exchange.upstream = upstream = pooled.newStream(Back(exchange))
            pooled.codec.whole = exchange
            upstream.encodeHeaders(headers, True)
        except Exception as error:
            exchange.requestFailed(error)
        else:
            self.begun(exchange)
        return exchange


def isHopeless(tried: Template | Carrier) -> bool:
    """Only one request in so many is tried while none is answered as it would have to be."""
    tried.failed += 1
    if tried.failed < _PATIENCE + _PAUSE:
        return True
    tried.failed = _PATIENCE
    return False


def carrierOf(router: Router, route: Any, protocol: str) -> Carrier | None:
    """See HTTPFilter.carrier."""
    settings = router.settings
    plan = settings.plans.get(route) or settings.planOf(route)
    if not plan.isPlain or plan.edits or plan.pools is None or settings.logs or settings.zone:
        return None
    times = plan.timeouts
    if (
        times.perTry
        or times.perTryIdle
        or plan.cluster.http.settings.common.maxStreamDuration
        or route.autoHostRewrite
        or route.metadataMatch is not None
        or route.includeAttemptCountResponse
        or route.finalizeResponse is not noResponseEdits
    ):
        return None
    return Carrier(settings, plan, route, protocol)


class Single:
    """
    One head that came once.

    Args:
        headers, remoteAddress: as of a Template.
    """

    __slots__ = ("carrier", "headers", "remoteAddress")

    def __init__(self, carrier: Carrier, headers: HeaderMap, remoteAddress: Any) -> None:
        self.carrier = carrier
        self.headers = headers
        self.remoteAddress = remoteAddress

    @property
    def failed(self) -> int:
        """The carrier's."""
        return self.carrier.failed

    @failed.setter
    def failed(self, times: int) -> None:
        self.carrier.failed = times

    def record(self, exchange: Exchange, answer: Any, size: int, now: float) -> None:
        """Write its record."""
        writeRecord(exchange.logs, exchange.told(answer[1], size, now))


class Template:
    """
    One head that comes again.

    Args:
        headers: of the request, as the upstream gets them. ids: gives each a new x-request-id;
            None: it has its own.

    Attributes:
        remoteAddress: the client's, if it is another one than the connection's.
        wire: the head for the upstream, cut where its id stands; empty before it is known.
        requested: the same for HTTP/2; None before it is needed.
        failed: how often in a row that did not help, and requests that were not tried since.
    """

    isReady = False

    __slots__ = (
        *("_recorded", "_records", "asked", "carrier", "failed", "headers", "ids"),
        *("remoteAddress", "requested", "wire"),
    )

    def __init__(self, carrier: Carrier, headers: HeaderMap, ids: Any) -> None:
        self.carrier = carrier
        self.headers = headers
        self.ids = ids
        self.asked = (headers[b":method"], False)
        self.remoteAddress: Any = None
        self._records: ReplyRecords | None = None
        self._recorded: Any = None
        self.wire: tuple[bytes, ...] = ()
        self.requested: Requested | None = None
        self.failed = 0

    def begin(self, connection: Any, encoder: Any) -> Exchange | None:
        """
        Send a request.

        Args:
            connection: the client's. encoder: the client's codec's.
        Returns:
            None, and nothing was done: it needs a stream.
        """
        if self.failed > _PATIENCE and isHopeless(self):
            return None
        carrier = self.carrier
        pooled = carrier.place()
        if pooled is None:
            return None
        requested = None
        if pooled.protocol != _HTTP1:
            requested = self.requested or self._prepare()
        ids = self.ids
        value = b"" if ids is None else ids.ready.pop() if ids.ready else ids.new()
        exchange = Exchange(self, connection, encoder, value)
        carrier.begins(exchange, connection, pooled)
        try:
            if requested is not None:
                exchange.upstream = carry(pooled, requested, value, Back(exchange), exchange)
            else:
                exchange.upstream = upstream = pooled.newStream(Back(exchange))
                pooled.codec.whole = exchange
                wire = self.wire or self._learn(pooled.codec)
                if wire:
                    upstream.carry(value.join(wire), self.asked, len(self.headers[b":path"]))
                else:
                    upstream.encodeHeaders(exchange.requestHeaders(), True)
        except Exception as error:
            exchange.requestFailed(error)
        else:
            carrier.begun(exchange)
        return exchange

    def record(self, exchange: Exchange, answer: Any, size: int, now: float) -> None:
        """
        Write the record of a request that was answered.

        Args:
            answer: of Exchange._headFor. size: of its body. now: seconds, when it came and went.
        """
        records, host = self._records, exchange.pooled.host
        if records is None or self._recorded is not host:
            records = self._records = ReplyRecords(exchange.logs, self.ids)
            self._recorded = host
        began = exchange.lastActivity
        reply = (size, round((now - began) * 1_000_000) // 1000)
        if not records.stamped(answer[2], reply, began, exchange.value):
            records.write(answer[2], reply, exchange.told(answer[1], size, now))

    def _prepare(self) -> Requested:
        """The head as HTTP/2 spells it."""
        headers = requestToHTTP2(self.headers)
        self.requested = made = Requested(headers, b"" if self.ids is None else REQUEST_ID)
        return made

    def _learn(self, codec: Any) -> tuple[bytes, ...]:
        """Find the head among those that were sent; it is there once a stream has sent one."""
        headers = self.headers
        if not codec.isPlain or b":authority" not in headers:
            return ()
        head = codec.heads.find(headers)
        if head is None:
            return ()
        if self.ids is None:
            self.wire = (head,)
        else:
            parts = head.split(headers[REQUEST_ID])
            if len(parts) != 2:
                return ()
            self.wire = tuple(parts)
        return self.wire
