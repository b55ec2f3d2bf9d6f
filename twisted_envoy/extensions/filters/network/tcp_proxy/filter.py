"""
The TCP proxy of one connection.

    state        event                        next
    waiting      first bytes (on demand)      connecting
    waiting      end of stream                waiting (until it is idle: as in Envoy)
    connecting   connected                    relaying
    connecting   failed, attempts left        connecting (at once or after a back-off)
    connecting   failed for good              closed (flags UF,URX UH UO NC)
    relaying     both ends of stream          closed
    relaying     idle, too old                closed (flag DT when too old)
    any          a connection is lost         closed; a reset goes on as a reset

Follows Envoy's `tcp_proxy.cc`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from twisted_envoy.extensions.common.filter_state.objects import NumberObject
from twisted_envoy.extensions.filters.network.tcp_proxy.attempts import Attempts
from twisted_envoy.extensions.filters.network.tcp_proxy.relay import Relay, askingDrain, counting
from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings
from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.interfaces import Passage
from twisted_envoy.network.link import Link, dropped
from twisted_envoy.network.read_gate import CONNECTING
from twisted_envoy.network.records import writeRecord
from twisted_envoy.network.timers import IdleTimer
from twisted_envoy.state.filter_state import Uint64Object
from twisted_envoy.state.passthrough import upstreamState
from twisted_envoy.state.stream_info import FormatContext, StreamInfo, UpstreamInfo

_IDLE_KEY = "envoy.tcp_proxy.per_connection_idle_timeout_ms"
_AT_ONCE = 1e-6
"""Seconds: a timeout of 0 in filter state is over at once, and not none."""

_DRAINED = "tcp_proxy_drain_close"
_TOO_OLD = "max_connection_duration_reached"

_IDLE = "tcp_session_idle_timeout"


class TCPProxy(Link):
    """
    The terminal filter of one connection.

    Args:
        settings: shared by all connections of the filter.
    """

    halfCloses = True

    __slots__ = (
        "_attempts",
        "_dropsHop",
        "_early",
        "_earlySize",
        "_ended",
        "_idleBytes",
        "_timers",
        "_upstream",
        "_waiting",
        "closed",
        "dataReceived",
        "idle",
        "settings",
        "streamInfo",
        "upstreamEnded",
        "upstreamInfo",
    )

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.stats.downstream_cx_total.value += 1
        self.dataReceived: Callable[[bytes], None] = self._receivedEarly
        self.idle = IdleTimer(
            settings.reactor, settings.idleTimeout, self._idled, settings.idleQueue
        )
        self.upstreamInfo = UpstreamInfo()
        self.streamInfo: StreamInfo
        self._upstream: Upstream | None = None
        self._attempts: Attempts | None = None
        self._timers: Sequence[IDelayedCall] = ()
        self._early: list[bytes] | tuple[()] = ()
        self._earlySize = 0
        self._idleBytes = 0
        self.closed = False
        self._dropsHop = False
        self.upstreamEnded = False
        self._ended = False
        self._waiting = settings.connectOnData

    # Downstream events.

    def connectionMade(self) -> None:
        settings = self.settings
        info = self.streamInfo = self.chain.streamInfo
        info.upstream = self.upstreamInfo
        settings.live[self] = None
        logging = settings.logging
        if logging.onStart:
            self._log("TcpConnectionStart")
        if logging.interval:
            self.schedule(logging.interval, self._logPeriodically)
        if settings.maxDuration:
            jitter = 1 + settings.random.random() * settings.durationJitter
            self.schedule(settings.maxDuration * jitter, self._tooOld)
        if info.state is not None:
            own = info.state.get(_IDLE_KEY)
            if isinstance(own, (NumberObject, Uint64Object)):
                seconds = own.number / 1000 or _AT_ONCE
                self.idle = IdleTimer(settings.reactor, seconds, self._idled)
        if not settings.mayReceiveEarly(info):
            self.chain.gate.shut(CONNECTING)
        self.idle.start()
        if not self._waiting:
            self._connect()

    def readConnectionLost(self) -> None:
        self._ended = True
        if self._upstream is not None:
            self._upstream.endWrites()
        elif not self._early:  # otherwise it came with the bytes, as Envoy sees it
            self.settings.stats.early_data_received_count_total.value += 1

    def connectionLost(self, reason: Failure) -> None:
        """The downstream connection is gone, by whomever."""
        self.closed = True
        self.settings.live.pop(self, None)
        self.dataReceived = dropped
        self._early = ()
        upstream, self._upstream = self._upstream, None
        reset = not isinstance(reason.value, ConnectionDone)
        if reset and self._dropsHop and isinstance(reason.value, ConnectionAborted):
            reset = False  # to us it was a close
            self.streamInfo.detectedCloseType = "Normal"
        if upstream is not None:
            upstream.downstreamLost(reset)
        else:
            self.idle.stop()
        if self._attempts is not None:
            self._attempts.cancel()
        if self._timers:
            for timer in self._timers:
                if timer.active():
                    timer.cancel()
            self._timers = ()
        self.streamInfo.endTime = self.settings.seconds()
        self._log("TcpConnectionEnd")

    def connectionMissed(self) -> None:
        """A filter before this one ended the connection at once; it is logged all the same."""
        info = self.streamInfo = self.chain.streamInfo
        info.upstream = self.upstreamInfo
        info.endTime = self.settings.seconds()
        self._log("TcpConnectionEnd")

    # Before the upstream connection is there.

    def _receivedEarly(self, data: bytes) -> None:
        size = len(data)
        settings = self.settings
        settings.stats.downstream_cx_rx_bytes_total.value += size
        self.streamInfo.bytesReceived += size
        if settings.mayReceiveEarly(self.streamInfo):  # else a listener filter had looked at it
            settings.stats.early_data_received_count_total.value += 1
        self.idle.lastActivity = settings.seconds()
        if self._early:
            self._early.append(data)
        else:
            self._early = [data]
        self._earlySize += size
        if self._earlySize >= (settings.maxEarlyData or 0):
            self.chain.gate.shut(CONNECTING)
        if self._waiting:
            self._waiting = False
            self._connect()

    @property
    def wire(self) -> Any:
        """The downstream connection's transport."""
        return self.chain.transport

    @property
    def earlyBytes(self) -> int:
        """Bytes of the client that wait for the upstream connection."""
        return self._earlySize

    # Connecting.

    def _connect(self) -> None:
        if self.settings.proxyTLVs is not None:
            self.settings.proxyTLVs(self.streamInfo)
        self._attempts = Attempts(self)
        self._attempts.start()

    def attemptsOver(self) -> None:
        """One of them led to a connection."""
        self._attempts = None

    def fail(self, flag: str, reason: str) -> None:
        """There is no upstream connection, for good."""
        self.streamInfo.raiseFlag(flag)
        self.streamInfo.localCloseReason = reason
        self.close()

    # Relaying.

    def begin(self, upstream: Upstream) -> None:
        """The upstream connection is there: bytes may flow."""
        self._goesTo(upstream)
        settings = self.settings
        transport = upstream.transport
        self.idle.start()
        if settings.logging.onConnected:
            self._log("TcpUpstreamConnected")
        sent = upstream.sent
        if self._early:
            early, self._early = self._early, ()
            for data in early:
                sent.value += len(data)
                transport.write(data)
            self._earlySize = 0
        self._relay(upstream)
        if self._ended:
            upstream.endWrites()
        self.chain.gate.open(CONNECTING)

    def _goesTo(self, upstream: Upstream) -> None:
        """There is an upstream connection now."""
        self._upstream = upstream
        transport = upstream.transport
        info = self.upstreamInfo
        info.wire = transport
        info.tls = getattr(transport, "tls", None)
        passthrough = getattr(transport, "passthrough", None)
        own = self.streamInfo.state
        if passthrough is not None or not (own is None or own.isEmpty):
            info.filterState = upstreamState(self.streamInfo.shared(), passthrough)

    def _relay(self, upstream: Upstream) -> None:
        """What comes from now on goes there."""
        settings = self.settings
        received = settings.stats.downstream_cx_rx_bytes_total
        relay = Relay(
            upstream.transport.write,
            received,
            upstream.sent,
            self.streamInfo,
            self.idle,
            settings.seconds,
        ).up
        self.dataReceived = relay if settings.drainClose is None else askingDrain(self, relay)
        self.chain.rebind()

    def passage(self) -> Passage | None:
        """What is done with the client's bytes, while it is only this; see Upstream for others."""
        upstream, settings = self._upstream, self.settings
        if upstream is None or upstream.isTunnel or settings.drainClose is not None:
            return None
        counters = (settings.stats.downstream_cx_rx_bytes_total, upstream.sent)
        count = counting(counters, self.streamInfo, self.idle, settings.seconds, True)
        return Passage(self.dataReceived, upstream.transport, count)

    def drain(self) -> None:
        """The server drains, and check_drain_close asks to end connections then."""
        if not self.transport.disconnecting:
            self.settings.stats.downstream_cx_drain_close.value += 1
            self._because(_DRAINED)
            self.close()

    def upstreamLost(self, reset: bool) -> None:
        """The upstream connection is gone: so is ours, in the same manner."""
        self._upstream = None
        if self.closed:
            return
        self.idle.stop()
        if reset:
            self.streamInfo.raiseFlag("UR")
            self.upstreamInfo.detectedCloseType = "RemoteReset"
            self.transport.unregisterProducer()
            self.transport.resetConnection()
        elif not self.transport.disconnecting:
            self.close()

    def close(self) -> None:
        """
        Close the downstream connection once everything is written.

        An internal connection that is closed without an end of stream before, of either side, is
        lost to its other end, as in Envoy: there it goes on as a reset. TLS says its own end first.
        """
        self.transport.unregisterProducer()
        info = self.streamInfo
        if (
            self.upstreamEnded
            or self._ended
            or not isinstance(info.directLocalAddress, InternalAddress)
            or info.tls is not None
        ):
            self.transport.loseConnection()
        else:
            self._dropsHop = True
            self.transport.resetConnection()

    def _idled(self) -> None:
        buffered = self._bufferedBytes()
        if buffered and buffered != self._idleBytes:
            self._idleBytes = buffered  # somebody reads, if slowly: look again later
            self.idle.start()
            return
        self.settings.stats.idle_timeout.value += 1
        if self._upstream is None:
            self._idledEarly()
            return
        self._because(_IDLE)
        self._closeBoth()

    def _idledEarly(self) -> None:
        """Idle while the upstream connection, or the answer to a CONNECT, is awaited."""
        self.streamInfo.localCloseReason = _IDLE
        attempts = self._attempts
        if attempts is not None and attempts.isAsked:
            self.streamInfo.raiseFlag("UF")
        else:
            self.upstreamInfo.host = None
        if attempts is not None:
            attempts.cancel()
        self._closeBoth()

    def _because(self, reason: str) -> None:
        """Both connections are about to be closed by us."""
        self.streamInfo.localCloseReason = self.upstreamInfo.localCloseReason = reason

    def _bufferedBytes(self) -> int:
        """Bytes that wait for either side to take them."""
        upstream = self._upstream
        total: int = self.chain.transport.bufferedBytes
        return total if upstream is None else total + upstream.transport.bufferedBytes

    def _tooOld(self) -> None:
        self.settings.stats.max_downstream_connection_duration.value += 1
        self.streamInfo.raiseFlag("DT")
        self._because(_TOO_OLD)
        self._closeBoth()

    def _closeBoth(self) -> None:
        """Wait for nobody: as Envoy does, drop what is not taken by now."""
        if self._bufferedBytes():
            self.transport.abortConnection()
            return
        if self._upstream is not None:
            self._upstream.close()
        self.close()

    # Logs and timers.

    def schedule(self, delay: float, call: Callable[[], None]) -> None:
        """Call after so many seconds, unless the connection is gone then."""
        timers = [timer for timer in self._timers if timer.active()]
        timers.append(self.settings.callLater(delay, call))
        self._timers = timers

    def _logPeriodically(self) -> None:
        self._log("TcpPeriodic")
        self.schedule(self.settings.logging.interval, self._logPeriodically)

    def _log(self, recordType: str) -> None:
        info, upstream = self.streamInfo, self.upstreamInfo
        upstream.bytesSent, upstream.bytesReceived = info.bytesReceived, info.bytesSent
        logs = self.settings.logging.logs
        if logs:
            context = FormatContext(info, recordType, self.settings.seconds())
            writeRecord(logs, context)
