"""Hosts for balancers."""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted_envoy.stats.metrics import Gauge


@dataclass
class Stats:
    """The one that balancers look at."""

    rq_active: Gauge = field(default_factory=lambda: Gauge("rq_active"))


@dataclass(eq=False)
class FakeHost:
    """A host with a weight and something to do."""

    name: str
    weight: int = 1
    stats: Stats = field(default_factory=Stats)
    priority: int = 0
    locality: str = ""
    localityWeight: int = 0

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
