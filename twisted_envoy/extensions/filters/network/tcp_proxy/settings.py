"""What the config of a TCP proxy says, in the form that connections use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from random import Random
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.extensions.filters.network.tcp_proxy.stats import TCPProxyStats
from twisted_envoy.interfaces.upstream import IClusterManager
from twisted_envoy.network.timers import Backoff, DeadlineQueue
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.network.tcp_proxy.proxy_tlvs import ProxyTLVs
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel import Tunnel
    from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_request import TunnelRequest
    from twisted_envoy.interfaces.access_log import IAccessLogger


_EARLY_KEY = "envoy.tcp_proxy.receive_before_connect"


@dataclass(frozen=True, slots=True)
class Target:
    """One cluster that connections may go to; weight is a share of 1 or more."""

    cluster: str
    weight: int
    metadataMatch: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class AccessLogging:
    """
    The access logs and when they are written, besides at the end.

    Attributes:
        interval: seconds between periodic records, 0 for none.
    """

    logs: tuple[IAccessLogger, ...] = ()
    onStart: bool = False
    onConnected: bool = False
    interval: float = 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Everything that the connections of one TCP proxy share.

    Attributes:
        idleTimeout, maxDuration: seconds, 0 for none.
        durationJitter: share of maxDuration that is added at random, 0 to 1.
        idleQueue: where all connections wait for it.
        maxEarlyData: bytes that may be received before the upstream is there; None for none.
        connectOnData: True when the upstream connection waits for the client's first bytes.
        hashKey: of the hash policy, None when there is none.
        tunnel: what to ask the upstream for first; None to send the bytes as they are.
        newTunnel: makes one of a proxy and its cluster's stats; set where tunnel is.
        drainClose: asked after each chunk whether the connection shall end; None for never.
        proxyTLVs: adds to what headers of the PROXY protocol say; None for nothing.
        live: the open connections' links, for gauges that are computed when read.
    """

    targets: tuple[Target, ...]
    totalWeight: int
    stats: TCPProxyStats
    clusters: IClusterManager
    random: Random
    seconds: Callable[[], float]
    nextID: Callable[[], int]
    callLater: Callable[..., IDelayedCall]
    reactor: Any
    logging: AccessLogging = AccessLogging()
    idleTimeout: float = 3600.0
    idleQueue: DeadlineQueue | None = None
    maxConnectAttempts: int = 1
    newBackoff: Callable[[], Backoff] | None = None
    maxDuration: float = 0.0
    durationJitter: float = 0.0
    maxEarlyData: int | None = None
    connectOnData: bool = False
    hashKey: Callable[[StreamInfo], int | None] | None = None
    drainClose: Callable[[], bool] | None = None
    tunnel: TunnelRequest | None = None
    newTunnel: Callable[..., Tunnel] | None = None
    proxyTLVs: ProxyTLVs | None = None
    live: dict[Any, None] = field(default_factory=dict)

    def mayReceiveEarly(self, info: StreamInfo) -> bool:
        """May the client's bytes be received before the upstream connection is there?"""
        if self.maxEarlyData is not None:
            return True
        if info.state is None:
            return False
        asked = info.filterState.get(_EARLY_KEY)
        return asked is not None and asked.plainText() == "true"

    def pick(self) -> Target:
        """A target, at random by weight."""
        targets = self.targets
        if len(targets) == 1:
            return targets[0]
        number = self.random.randrange(self.totalWeight)
        for target in targets:
            number -= target.weight
            if number < 0:
                break
        return target
