"""What the carried connections of one TCP proxy have in common, and what each of them counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.upstream.counting import (
    countDestroyed,
    countDestroyedWithActive,
    countStarted,
)

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
        begin: starts a connection for a ConnectUser; None where it takes more than that.
        isHop: it goes to an internal listener.
    """

    __slots__ = (
        "_limit",
        "_listenerStats",
        "_rqActive",
        "_rqTotal",
        "begin",
        "chain",
        "cluster",
        "clusterReceived",
        "clusterSent",
        "connectTimeouts",
        "host",
        "idleQueue",
        "isHop",
        "listener",
        "received",
        "registry",
        "seconds",
        "sent",
        "settings",
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
        self.listener = listener
        self.chain = chain
        self.settings = settings
        self.host = host
        cluster: Any = host.cluster
        self.cluster = cluster
        self.seconds = settings.seconds
        self.isHop = isinstance(host.address, InternalAddress)
        self.begin = getattr(host.tcpPool(), "begin", None)
        self.idleQueue = settings.idleQueue if settings.idleTimeout > 0 else None
        self.connectTimeouts = cluster.connectTimeouts
        self.received = settings.stats.downstream_cx_rx_bytes_total
        self.sent = settings.stats.downstream_cx_tx_bytes_total
        self.clusterReceived = cluster.stats.upstream_cx_rx_bytes_total
        self.clusterSent = cluster.stats.upstream_cx_tx_bytes_total
        self._listenerStats = listener.stats
        self._limit = listener.settings.limit
        self._rqTotal = cluster.stats.upstream_rq_total
        self._rqActive = cluster.stats.upstream_rq_active

    @property
    def isFree(self) -> bool:
        """No limit is reached on its way."""
        listener = self.listener
        settings = listener.settings
        cluster = self.cluster
        connections = cluster.connections
        pending = cluster.pending
        return not (
            listener.holding
            or (settings.globalLimit is not None and settings.globalLimit.reached)
            or (settings.limit.most is not None and settings.limit.reached)
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

    def began(self, one: Any) -> None:
        """A connection was accepted, and its upstream connection begins."""
        listener = self.listener
        stats = self._listenerStats
        stats.downstream_cx_total.value += 1
        stats.downstream_cx_active.value += 1
        stats.workerTotal.value += 1
        stats.workerActive.value += 1
        self._limit.active += 1
        everybody = listener.settings.globalLimit
        if everybody is not None:
            everybody.active += 1
        listener.connections[one] = None
        self.settings.stats.downstream_cx_total.value += 1
        cluster = self.cluster
        countStarted(self.host, cluster.connections)
        cluster.pending.take()
        stats = cluster.stats
        stats.upstream_rq_pending_total.value += 1
        stats.upstream_rq_pending_active.value += 1

    def connected(self, took: float) -> None:
        """The upstream connection is there, after so many seconds."""
        cluster = self.cluster
        cluster.pending.give()
        stats = cluster.stats
        stats.upstream_rq_pending_active.value -= 1
        stats.upstream_cx_connect_ms.record(took * 1000)
        if cluster.takesOneRequest:
            stats.upstream_cx_max_requests.value += 1
        self._rqTotal.value += 1
        self._rqActive.value += 1
        stats = self.host.stats
        stats.rq_total.value += 1
        stats.rq_active.value += 1

    def flushed(self) -> None:
        """The client has ended last, with bytes; see `Upstream.endWrites`."""
        self.settings.stats.upstream_flush_total.value += 1

    def upstreamLost(self, remote: bool, lasted: float) -> None:
        """The upstream connection has ended, the other end first or last."""
        host = self.host
        cluster = self.cluster
        countDestroyed(host, remote, cluster.connections)
        countDestroyedWithActive(host, remote)
        self._rqActive.value -= 1
        host.stats.rq_active.value -= 1
        cluster.stats.upstream_cx_length_ms.record(lasted * 1000)

    def lost(self, one: Any, lasted: float) -> None:
        """The downstream connection has ended."""
        listener = self.listener
        listener.connections.pop(one, None)
        stats = self._listenerStats
        stats.downstream_cx_active.value -= 1
        stats.workerActive.value -= 1
        stats.downstream_cx_destroy.value += 1
        self._limit.active -= 1
        everybody = listener.settings.globalLimit
        if everybody is not None:
            everybody.active -= 1
        stats.downstream_cx_length_ms.record(lasted * 1000)
