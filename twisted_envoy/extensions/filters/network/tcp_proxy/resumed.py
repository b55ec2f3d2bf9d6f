"""The TCP proxy of a connection that was carried before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy
from twisted_envoy.network.read_gate import CONNECTING

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.attempts import Attempts
    from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings
    from twisted_envoy.extensions.filters.network.tcp_proxy.upstream import Upstream


class ResumedProxy(TCPProxy):
    """
    Begins in the middle, and was counted at the beginning.

    Args:
        settings: of the filter.
    """

    __slots__ = ()

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        settings.stats.downstream_cx_total.value -= 1

    def resume(self, host: Any, lastActivity: float) -> None:
        """Go on for a connection that has begun, and was counted, without it."""
        settings = self.settings
        settings.live[self] = None
        info = self.upstreamInfo
        self.streamInfo = self.chain.streamInfo
        self.streamInfo.upstream = info
        info.cluster = host.cluster
        info.clusterName = settings.targets[0].cluster
        info.host = host
        info.attempts = 1
        info.hostsAttempted, info.hostNamesAttempted = host.asAttempted
        info.connectionID = settings.nextID()
        self.idle.resume(lastActivity)

    def resumeConnecting(self, attempts: Attempts) -> None:
        """The upstream connection is being made."""
        self._attempts = attempts
        if not self.settings.mayReceiveEarly(self.streamInfo):
            self.chain.gate.shut(CONNECTING)

    def resumeRelaying(self, upstream: Upstream, ended: bool, upstreamEnded: bool) -> None:
        """It was made; the client's stream, or the upstream's, may have ended."""
        self._ended = ended
        self.upstreamEnded = upstreamEnded
        self._goesTo(upstream)
        self._relay(upstream)

    def resumeEnding(self, wire: Any) -> None:
        """It was made, and is gone; the client still takes what it has sent."""
        self._ended = self.upstreamEnded = True
        self.upstreamInfo.wire = wire
        self.idle.stop()
