"""Hosts for balancers."""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.upstream.health.flags import DEGRADED, EXCLUDED, UNHEALTHY
from twisted_envoy.upstream.health.policy import HealthPolicy


@dataclass
class Stats:
    """The one that balancers look at."""

    rq_active: Gauge = field(default_factory=lambda: Gauge("rq_active"))


@dataclass
class ClusterStats:
    """The one that balancers count."""

    lb_healthy_panic: Counter = field(default_factory=lambda: Counter("lb_healthy_panic"))


@dataclass(eq=False)
class FakeCluster:
    """What balancers ask a cluster."""

    healthPolicy: HealthPolicy = HealthPolicy()
    hosts: tuple[FakeHost, ...] = ()
    stats: ClusterStats = field(default_factory=ClusterStats)


@dataclass(eq=False)
class FakeHost:
    """A host with a weight and something to do."""

    name: str
    weight: int = 1
    stats: Stats = field(default_factory=Stats)
    priority: int = 0
    locality: str = ""
    localityWeight: int = 0
    health: int = 0
    cluster: FakeCluster = field(default_factory=lambda: FakeCluster())

    @property
    def isHealthy(self):
        return not self.health & (UNHEALTHY | DEGRADED)

    @property
    def isDegraded(self):
        return bool(self.health & DEGRADED) and not self.health & UNHEALTHY

    @property
    def isExcluded(self):
        return bool(self.health & EXCLUDED)

    def busy(self, active):
        """Has so many requests."""
        self.stats.rq_active.value = active
        return self


def hosts(*weights):
    """Hosts a, b, c, ... with these weights."""
    return [FakeHost(name, weight) for name, weight in zip("abcdefgh", weights, strict=False)]


def picks(balancer, count):
    """The names of so many chosen hosts."""
    return "".join(balancer.choose(None).name for _ in range(count))
