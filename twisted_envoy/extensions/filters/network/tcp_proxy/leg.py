"""What the carried connections of one TCP proxy have in common, and what each of them counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.stats.histogram import SMALL

if TYPE_CHECKING:
    from twisted_envoy.internal.registry import Registry
    from twisted_envoy.network.filter_chain import FilterChain
    from twisted_envoy.network.listener import Listener
    from twisted_envoy.network.timers import DeadlineQueue
    from twisted_envoy.upstream.host import Host


class Leg:
    """
    From a listener through its TCP proxy to a host.

    Args:
        listener: accepts. chain: what it gives its connections, a TCP proxy alone.
        settings: of that.
        host: where they go.
        registry: has the internal listeners.

    Attributes:
        balancer: of the host's cluster; its `only` may become another one.
        begin: starts a connection for a ConnectUser; None where it takes more than that.
        isHop: it goes to an internal listener.
    """

    __slots__ = (
        "_connections",
        "_counts",
        "_everybody",
        "_hostStats",
        "_limit",
        "_listenerStats",
        "_pending",
        "_total",
        "balancer",
        "begin",
        "bufferLimit",
        "chain",
        "cluster",
        "clusterReceived",
        "clusterSent",
        "connectTimeouts",
        "host",
        "idleQueue",
        "isHop",
        "listener",
        "live",
        "nextID",
        "received",
        "registry",
        "seconds",
        "sent",
        "settings",
        "turn",
    )

    def __init__(
        self,
        listener: Listener,
        chain: FilterChain,
        settings: Settings,
        host: Host,
        registry: Registry,
    ) -> None:
        self.registry = registry
        self.turn = registry.turn
        self.listener = listener
        self.chain = chain
        self.settings = settings
        self.host = host
        cluster: Any = host.cluster
        self.cluster = cluster
        self.bufferLimit = listener.settings.bufferLimit
        self.balancer = cluster.balancer
        self.live = settings.live
        self.nextID = listener.nextID
        self.seconds = settings.seconds
        self.isHop = isinstance(host.address, InternalAddress)
        self.begin = getattr(host.tcpPool(), "begin", None)
        self.idleQueue = settings.idleQueue if settings.idleTimeout > 0 else None
        self.connectTimeouts = cluster.connectTimeouts
        self.received = settings.stats.downstream_cx_rx_bytes_total
        self.sent = settings.stats.downstream_cx_tx_bytes_total
        self.clusterReceived = cluster.stats.upstream_cx_rx_bytes_total
        self.clusterSent = cluster.stats.upstream_cx_tx_bytes_total
        self._total = settings.stats.downstream_cx_total
        self._listenerStats = listener.stats
        self._limit = listener.settings.limit
        self._everybody = listener.settings.globalLimit
        self._connections = cluster.connections
        self._pending = cluster.pending
        self._counts = cluster.stats
        self._hostStats = host.stats

    @property
    def isFree(self) -> bool:
        """No limit is reached on its way."""
        listener = self.listener
        limit = self._limit
        everybody = self._everybody
        connections = self._connections
        pending = self._pending
        return not (
            listener.holding
            or (everybody is not None and everybody.reached and not listener.isInternal)
            or (limit.most is not None and limit.reached and not listener.isInternal)
            or connections.inUse >= connections.most
            or pending.inUse >= pending.most
            or self.host.monitor is not None
        )

    def firstToIdle(self, other: Leg) -> DeadlineQueue | None:
        """Where the shorter of two idle time-outs is waited for."""
        mine, others = self.idleQueue, other.idleQueue
        if mine is None or others is None:
            return mine or others
        return mine if mine.delay <= others.delay else others

    # One Python frame each: calls cost more than what they would say.

    def began(self, one: Any) -> None:
        """A connection was accepted, and its upstream connection begins."""
        stats = self._listenerStats
        stats.downstream_cx_total.value += 1
        stats.downstream_cx_active.value += 1
        stats.workerTotal.value += 1
        stats.workerActive.value += 1
        self._limit.active += 1
        if self._everybody is not None:
            self._everybody.active += 1
        self.listener.connections[one] = None
        self._total.value += 1
        connections = self._connections
        connections.inUse += 1
        if connections.inUse >= connections.most or connections.remaining is not None:
            connections.show()
        pending = self._pending
        pending.inUse += 1
        if pending.inUse >= pending.most or pending.remaining is not None:
            pending.show()
        counts = self._counts
        counts.upstream_cx_total.value += 1
        counts.upstream_cx_active.value += 1
        counts.upstream_rq_pending_total.value += 1
        counts.upstream_rq_pending_active.value += 1
        host = self._hostStats
        host.cx_total.value += 1
        host.cx_active.value += 1

    def connected(self, took: float) -> None:
        """The upstream connection is there, after so many seconds."""
        pending = self._pending
        pending.inUse -= 1
        if pending.inUse + 1 >= pending.most or pending.remaining is not None:
            pending.show()
        counts = self._counts
        counts.upstream_rq_pending_active.value -= 1
        whole = int(took * 1000)
        if 0 <= whole < SMALL:
            counts.upstream_cx_connect_ms.pending[whole] += 1
        else:
            counts.upstream_cx_connect_ms.record(whole)
        if self.cluster.takesOneRequest:
            counts.upstream_cx_max_requests.value += 1
        counts.upstream_rq_total.value += 1
        counts.upstream_rq_active.value += 1
        host = self._hostStats
        host.rq_total.value += 1
        host.rq_active.value += 1

    def flushed(self) -> None:
        """The client has ended last, with bytes; see `Upstream.endWrites`."""
        self.settings.stats.upstream_flush_total.value += 1

    def upstreamLost(self, remote: bool, lasted: float) -> None:
        """The upstream connection has ended, the other end first or last."""
        counts = self._counts
        counts.upstream_cx_destroy.value += 1
        counts.upstream_cx_destroy_with_active_rq.value += 1
        if remote:
            counts.upstream_cx_destroy_remote.value += 1
            counts.upstream_cx_destroy_remote_with_active_rq.value += 1
        else:
            counts.upstream_cx_destroy_local.value += 1
            counts.upstream_cx_destroy_local_with_active_rq.value += 1
        counts.upstream_cx_active.value -= 1
        counts.upstream_rq_active.value -= 1
        whole = int(lasted * 1000)
        if 0 <= whole < SMALL:
            counts.upstream_cx_length_ms.pending[whole] += 1
        else:
            counts.upstream_cx_length_ms.record(whole)
        host = self._hostStats
        host.cx_active.value -= 1
        host.rq_active.value -= 1
        connections = self._connections
        connections.inUse -= 1
        if connections.inUse + 1 >= connections.most or connections.remaining is not None:
            connections.show()

    def lost(self, one: Any, lasted: float) -> None:
        """The downstream connection has ended."""
        self.listener.connections.pop(one, None)
        stats = self._listenerStats
        stats.downstream_cx_active.value -= 1
        stats.workerActive.value -= 1
        stats.downstream_cx_destroy.value += 1
        self._limit.active -= 1
        if self._everybody is not None:
            self._everybody.active -= 1
        whole = int(lasted * 1000)
        if 0 <= whole < SMALL:
            stats.downstream_cx_length_ms.pending[whole] += 1
        else:
            stats.downstream_cx_length_ms.record(whole)
