"""What a router's config says, in the form that requests use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from twisted_envoy.extensions.filters.http.router.plans import RoutePlan, makePlan
from twisted_envoy.extensions.filters.http.router.stats import CodeStats, RouterStats
from twisted_envoy.network.timers import DeadlineQueue
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """
    Everything that the requests of one router share.

    Attributes:
        dynamicStats: count answers by code. suppressesHeaders: no x-envoy-* of ours.
        strictHeaders: names that are checked. respectsExpected: obey an earlier proxy's
            x-envoy-expected-rq-timeout-ms.
        rejectsEarlyData: a CONNECT request with bytes before the answer is refused.
        logs: of upstream requests; logsOnStart: written when one starts too; logInterval: seconds.
        hidesReason: asked whether the transport failure reason stays out of local replies.
        wallClock: seconds since the epoch.
        nextID: numbers connections.
        ownAddress: of this machine, for copies. copyStats: `http.async-client.*`.
        zone: that this server is in, empty for none.
        plans: route -> what it means to requests that ask for nothing.
    """

    stats: RouterStats
    codes: CodeStats
    clusters: Any
    runtime: Any
    random: Any
    reactor: Any
    seconds: Callable[[], float]
    wallClock: Callable[[], float]
    hidesReason: Callable[[], bool]
    nextID: Callable[[], int]
    ownAddress: bytes
    copyStats: RouterStats
    zone: str = ""
    dynamicStats: bool = True
    suppressesHeaders: bool = False
    strictHeaders: tuple[bytes, ...] = ()
    respectsExpected: bool = False
    rejectsEarlyData: bool = False
    logs: tuple[Any, ...] = ()
    logsOnStart: bool = False
    logInterval: float = 0.0
    queues: dict[float, DeadlineQueue] = field(default_factory=dict)
    plans: dict[Any, RoutePlan] = field(default_factory=dict)

    @property
    def maintained(self) -> bool:
        """Whether there may be a cluster in maintenance at all."""
        return bool(self.runtime.values)

    def planOf(self, route: Any) -> RoutePlan:
        """Of a route that is not in plans yet."""
        if len(self.plans) > 1024:  # routes may come and go
            self.plans.clear()
        plan = self.plans[route] = makePlan(self, route)
        return plan

    def queue(self, delay: float) -> DeadlineQueue:
        """Where all wait whose time-out is that long, in seconds."""
        found = self.queues.get(delay)
        if found is None:
            if len(self.queues) > 256:  # clients may choose: keep no queue for each wish
                self.queues.clear()
            found = self.queues[delay] = DeadlineQueue(self.reactor, delay)
        return found
