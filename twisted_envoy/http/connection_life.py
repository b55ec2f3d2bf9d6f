"""
How a client's HTTP connection ends.

    state      event                               next
    open       idle, too old, too many requests    draining (GOAWAY; HTTP/1.1: at the next response)
    open       a response that says close          closing
    draining   drain_timeout                       closing
    closing    the last request has ended          closed, or lingering: the client may still talk
    any        the client breaks the protocol      lingering (its requests are reset)
    lingering  delayed_close_timeout, client's end closed

Envoy: Http::ConnectionManagerImpl (drain_state_, delayed close)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecOutput, Traffic
from twisted_envoy.http.keepalive import PingKeepalive
from twisted_envoy.http.ready import ReadyAnswer
from twisted_envoy.http.ready_record import recordAnswer
from twisted_envoy.http.settings import ManagerSettings
from twisted_envoy.http.upgrade import isUpgrade
from twisted_envoy.http.user_agents import UserAgentStats
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.network.link import Link, dropped
from twisted_envoy.network.timers import IdleTimer
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.http.stream import HTTPStream


class Drain(Enum):
    """How far the connection is on its way to its end."""

    NO = 0
    DRAINING = 1
    CLOSING = 2


STAYS, CLOSING = Drain.NO, Drain.CLOSING
"""For those who ask at each request: looking for it in an Enum takes longer than all else there."""


class ConnectionLife(Link):
    """
    The half of a ServerConnection that knows when and how to end; the other is its subclass.

    Args:
        settings: of the connection manager.

    Attributes:
        codec: None before the first bytes when it depends on them.
        info: the connection's StreamInfo. bufferLimit: bytes, the listener's.
        streams: requests that are not over.
        countsAgent: it is a phone, or that is not known yet.
        multiplexes: it is HTTP/2: requests end alone.
        drain: how far it is on its way to its end.
        hops: connections inside the process that the client came over.
    """

    __slots__ = (
        "_agent",
        "_closed",
        "_drainTimer",
        "_duration",
        "_idle",
        "_inCodec",
        "_keepalive",
        "_isSoft",
        "_lingers",
        "_output",
        "_remote",
        "_requests",
        "_sniffed",
        "bufferLimit",
        "codec",
        "countsAgent",
        "dataReceived",
        "drain",
        "hops",
        "info",
        "multiplexes",
        "settings",
        "streams",
    )

    def __init__(self, settings: ManagerSettings) -> None:
        self.settings = settings
        self.codec: Any = None
        self.multiplexes = False
        self.drain = Drain.NO
        self.hops = 0
        self.dataReceived: Callable[[bytes], None] = self._sniff
        self.info: StreamInfo
        self.bufferLimit: int
        self.streams: set[Any] = set()  # HTTPStreams, and what stands for them
        self._sniffed = b""
        self._requests = 0
        self._agent: UserAgentStats | None = None
        self.countsAgent = True
        self._closed = False
        self._remote = False
        self._inCodec = self._isSoft = False
        self._lingers: IDelayedCall | None = None
        self._drainTimer: IDelayedCall | None = None
        self._duration: IDelayedCall | None = None
        self._keepalive: PingKeepalive | None = None
        self._idle: IdleTimer | None = None
        self._output: CodecOutput

    @property
    def streamInfo(self) -> StreamInfo:
        """What is known about the connection."""
        return self.info

    @property
    def closing(self) -> bool:
        """No request will follow those that are there."""
        return self.drain is Drain.CLOSING or self._closed

    def willClose(self) -> None:
        """The next response is the last."""
        self.drain = Drain.CLOSING

    def upgradeRefused(self) -> None:
        """A client of HTTP/2 had better begin anew."""
        if self.multiplexes and self.drain is Drain.NO:
            self._startDraining()

    # Counting.

    def agentCame(self, headers: HeaderMap) -> None:
        """A request's headers are there; those of the first tell whether it is a phone."""
        if self._agent is None:
            self._agent = self.settings.userAgents.of(headers)
        if self._agent is None:
            self.countsAgent = False
        else:
            self._agent.downstream_rq_total.value += 1

    def _countCut(self, local: bool) -> None:
        """The connection ends with requests open."""
        stats = self.settings.stats
        stats.downstream_cx_destroy_active_rq.value += 1
        if local:
            stats.downstream_cx_destroy_local_active_rq.value += 1
        else:
            stats.downstream_cx_destroy_remote_active_rq.value += 1
            if self._agent is not None:
                self._agent.downstream_cx_destroy_remote_active_rq.value += 1

    def _recordLength(self) -> None:
        """How long it lasted."""
        settings = self.settings
        length = int((settings.seconds() - self.info.startTime) * 1000)
        settings.stats.downstream_cx_length_ms.record(length)
        if self._agent is not None:
            self._agent.downstream_cx_length_ms.record(length)

    # Requests like one before, for which a codec needs no stream.

    def knownFor(self, headers: HeaderMap) -> Any:
        """
        What becomes of every request with such a head and without a body.

        Args:
            headers: as decoded; not changed.
        Returns:
            What answersAtOnce takes or what carry takes, as `isReady` says; None: it depends.
        """
        return self.settings.shortcuts.find(self, headers)

    def answersAtOnce(self, ready: ReadyAnswer) -> bool:
        """
        A whole request of that kind has come and shall be answered; it is counted.

        Returns:
            False: it has to have a stream, and nothing was counted.
        """
        settings = self.settings
        if self.drain is not STAYS or self.countsAgent or not settings.edge.isUsual:
            return False
        if self.drains():
            return False
        ready.now = now = settings.seconds()
        if int(now) != ready.second:
            ready.renew(settings.edge, RequestInfo(self.info, now))
        for counter in ready.counters:
            counter.value += 1
        stats = settings.stats
        if self.multiplexes:
            stats.downstream_rq_http2_total.value += 1
        else:
            stats.downstream_rq_http1_total.value += 1
        stats.downstream_rq_time.record(0)
        if self._idle is not None and not self.streams:
            self._idle.lastActivity = now
        return True

    def answered(
        self, ready: ReadyAnswer, headers: HeaderMap, value: bytes, traffic: Traffic
    ) -> None:
        """One that `isLogged` was answered so, see IReadyAnswers."""
        recordAnswer(self, ready, headers, value, traffic)

    def carry(self, template: Any, encoder: Any) -> Any:
        """
        Such a request has come, whole.

        Returns:
            Who answers it; None: it has to have a stream.
        """
        if self.drain is not STAYS or self.countsAgent or not self.settings.edge.isUsual:
            return None
        if self.info.state is not None:  # has come since the head was looked at
            return None
        return template.begin(self, encoder)

    def carryOther(self, headers: HeaderMap, encoder: Any) -> Any:
        """The same of a whole request with any head; headers: as decoded, not changed."""
        settings = self.settings
        if self.drain is not STAYS or self.countsAgent or not settings.edge.isUsual:
            return None
        return settings.shortcuts.carry(self, headers, encoder)

    def drains(self) -> bool:
        """At a good point for it: whether the connection shall end, and begins to."""
        settings = self.settings
        if not settings.drain.drainClose(settings.listener):
            return False
        self._startDraining()
        settings.stats.downstream_cx_drain_close.value += 1
        return True

    def exchangeEnded(self, exchange: Any, now: float) -> None:
        """The same of one without a stream, while the connection is not about to end."""
        self.streams.discard(exchange)
        if not (self.streams or self._closed):
            self._quiet(now)

    def _quiet(self, since: float) -> None:
        if self._idle is not None:
            self._idle.lastActivity = since
        if not (self.multiplexes or self._inCodec) and self.codec.held and self.codec.waits:
            if self._output.pending:  # before it is sent: Envoy counts unsent responses
                self._output.before = self._readOn
            else:
                self.settings.post(self._readOn)

    def _readOn(self) -> None:
        """The request that came behind one that has been answered now."""
        if not (self._closed or self.drain is Drain.CLOSING) and self.codec.waits:
            self.dataReceived(b"")

    # The end.

    def _idled(self) -> None:
        if self.streams:
            if self._idle is not None:
                self._idle.start()  # and look again; their end is what counts
            return
        self.settings.stats.downstream_cx_idle_timeout.value += 1
        if self.codec is None:
            self._close()
        elif self.drain is Drain.NO:
            self._startDraining()

    def _tooOld(self) -> None:
        self._duration = None
        stats = self.settings.stats
        stats.downstream_cx_max_duration_reached.value += 1
        if self.codec is None:
            self._close()
        elif self.settings.safeMaxDuration and not self.multiplexes:
            stats.downstream_cx_http1_soft_drain.value += 1
            self._isSoft = True
            self.drain = Drain.DRAINING  # without a time: the next response is the last
        elif self.drain is Drain.NO:
            self._startDraining()

    def _silent(self) -> None:
        """The client does not answer pings."""
        self._close()

    def _startDraining(self) -> None:
        self.drain = Drain.DRAINING
        self.codec.shutdownNotice()
        settings = self.settings
        jitter = 1 + settings.random.random() * settings.timeouts.drainJitter
        self._drainTimer = settings.reactor.callLater(
            settings.timeouts.drain * jitter, self._drained
        )

    def _drained(self) -> None:
        self._drainTimer = None
        if self._closed or self.codec is None:
            return
        self.codec.goAway()
        self.drain = Drain.CLOSING
        if not self.streams:
            self._end(delay=True)

    def _end(self, delay: bool) -> None:
        """Close, at once or when the client has had time to read and to stop talking."""
        if self._closed:
            return
        timeout = self.settings.timeouts.delayedClose
        if not delay or not timeout:
            self._close()
            return
        self._closed = True
        self._output.flush()
        self.dataReceived = dropped
        self.chain.rebind()
        self._lingers = self.settings.reactor.callLater(timeout, self._lingered)

    def _lingered(self) -> None:
        self._lingers = None
        self.settings.stats.downstream_cx_delayed_close_timeout.value += 1
        self._close()

    def _close(self) -> None:
        self._closed = True
        self._output.flush()
        self.transport.unregisterProducer()
        info = self.info
        isHop = isinstance(info.directLocalAddress, InternalAddress)
        if isHop and not self._remote and info.tls is None:
            self.transport.resetConnection()  # closed without an end of stream: lost, as in Envoy
        else:
            self.transport.loseConnection()

    def prepareClose(self, stream: HTTPStream, headers: HeaderMap, status: int) -> None:
        """HTTP/1.1 says in a header that the connection ends."""
        if stream.streamInfo.protocol == "HTTP/1.0":
            if b"content-length" not in headers:
                self.drain = Drain.CLOSING
            if self.drain is not Drain.CLOSING and not stream.closesAfter:
                headers.set(b"connection", b"keep-alive")
        if stream.closesAfter:
            self.drain = Drain.CLOSING
        asked = stream.requestHeaders
        opened = stream.isTunnel and (
            status == 200
            if asked is not None and asked[b":method"] == b"CONNECT"
            else status == 101 and isUpgrade(headers)
        )
        if not stream.requestEnded and not opened:
            self.drain = Drain.CLOSING
        if self.drain is not Drain.NO and not opened:
            self.drain = Drain.CLOSING
            headers.set(b"connection", b"close")

    def _sniff(self, data: bytes) -> None:
        raise NotImplementedError


def asksToClose(headers: HeaderMap, protocol: str) -> bool:
    """The client wants the connection to end with this request."""
    value = headers.joined(b"connection")
    if protocol == "HTTP/1.0":
        return value is None or not _holds(value, b"keep-alive")
    if value is not None and _holds(value, b"close"):
        return True
    value = headers.joined(b"proxy-connection")
    return value is not None and _holds(value, b"close")


def _holds(value: bytes, token: bytes) -> bool:
    """Is it one of a header's values?"""
    return token in [each.strip().lower() for each in value.split(b",")]
