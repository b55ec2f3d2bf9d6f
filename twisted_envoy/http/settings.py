"""What a connection manager's config says, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.h1.memo import RESPONSE_HOLES, HeadMemo
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings, HTTP2Settings
from twisted_envoy.http.filter_plan import FilterPlan
from twisted_envoy.http.shortcuts import Shortcuts
from twisted_envoy.http.stats import ListenerManagerStats, ManagerStats
from twisted_envoy.http.stream_timers import IdleWatch
from twisted_envoy.http.user_agents import UserAgents
from twisted_envoy.network.timers import DeadlineQueue
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogger


@dataclass(frozen=True, slots=True)
class Upgrade:
    """`upgrade_configs`: is a type let through, and with which filters (None: the usual)."""

    enabled: bool = True
    plan: FilterPlan | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; 0 is never."""

    idle: float = 3600.0
    maxConnectionDuration: float = 0.0
    maxConnectionDurationJitter: float = 0.0
    maxStreamDuration: float = 0.0
    streamIdle: float = 300.0
    streamFlush: float = 300.0
    request: float = 0.0
    requestHeaders: float = 0.0
    drain: float = 5.0
    drainJitter: float = 0.0
    delayedClose: float = 1.0


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Access logs and when they are written besides at the end; interval in seconds, 0: never."""

    logs: tuple[IAccessLogger, ...] = ()
    onNewRequest: bool = False
    onTunnel: bool = False
    interval: float = 0.0


@dataclass(slots=True)
class ManagerSettings:
    """
    Of one connection manager, shared by all its connections.

    Attributes:
        codec: `AUTO`, `HTTP1` or `HTTP2`.
        plan: the filters. routes: http.routes' RouteTable. edge: http.edge's Edge.
        localReplies: http.local_reply's LocalReplies.
        upgrades: by lower-case type.
        maxRequests: a connection, 0 is without end.
        post: `TurnQueue.post`. nextID: numbers requests.
        drain, listener: an IDrainDecision, and whose connections these are.
        http1Secured: http1 where the client speaks TLS.
        tunnelHalfClose: switch `twisted_envoy.http1_tunnel_half_close`.
        hasTimers: streams have other times than that of idleWatch.
        shortcuts: which requests need no stream.
    """

    codec: str
    plan: FilterPlan
    routes: Any
    edge: Any
    localReplies: Any
    reactor: Any
    random: Random
    runtime: Any
    clusters: Any
    scope: Any
    stats: ManagerStats
    listenerStats: ListenerManagerStats
    http1Stats: Any
    http2Stats: Any
    post: Callable[[Callable[[], None]], None]
    nextID: Callable[[], int]
    drain: Any
    listener: Any
    http1: HTTP1Settings = HTTP1Settings()
    http2: HTTP2Settings = HTTP2Settings()
    limits: HeaderLimits = HeaderLimits()
    timeouts: Timeouts = Timeouts()
    records: RecordSettings = RecordSettings()
    upgrades: dict[str, Upgrade] = field(default_factory=dict)
    maxRequests: int = 0
    proxies100Continue: bool = False
    safeMaxDuration: bool = False
    tunnelHalfClose: bool = False
    seconds: Callable[[], float] = field(init=False)
    userAgents: UserAgents = field(init=False)
    http1Secured: HTTP1Settings = field(init=False)
    idleWatch: IdleWatch = field(init=False)
    hasTimers: bool = field(init=False)
    idleQueue: DeadlineQueue = field(init=False)
    heads: HeadMemo = field(init=False)
    shortcuts: Shortcuts = field(init=False)

    def __post_init__(self) -> None:
        self.seconds = self.reactor.seconds
        self.userAgents = UserAgents(self.scope)
        self.http1Secured = replace(self.http1, refusesHTTPS=False)
        times = self.timeouts
        self.idleWatch = IdleWatch(self.reactor, times.streamIdle)
        self.hasTimers = bool(
            times.requestHeaders
            or times.request
            or times.maxStreamDuration
            or (self.records.interval and self.records.logs)
        )
        self.heads = HeadMemo(RESPONSE_HOLES)
        self.shortcuts = Shortcuts(self)
        self.idleQueue = DeadlineQueue(self.reactor, self.timeouts.idle)
