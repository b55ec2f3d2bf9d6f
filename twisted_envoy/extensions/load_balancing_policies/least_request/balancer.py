"""
Least request: look at what hosts have to do.

Envoy: extensions.load_balancing_policies.least_request.v3.LeastRequest
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.edf import EDFScheduler
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancer, LoadBalancerContext
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class LeastRequestSettings:
    """
    What the config says.

    Attributes:
        choiceCount: hosts looked at for one pick, when weights are equal.
        fullScan: look at all of them instead.
        bias: how much load counts against weight, when weights differ; 0 is not at all.
    """

    choiceCount: int = 2
    fullScan: bool = False
    bias: float = 1.0


@implementer(ILoadBalancer)
class LeastRequest:
    """
    Equal weights: the least loaded of a few. Different weights: earliest deadline first, where a
    host's weight is `weight / (active requests + 1) ** bias` at the time that it is picked.

    A TCP connection counts as one request.

    Args:
        hosts: to choose from. settings: the config's. source: of random numbers.
    """

    isBlind = True

    __slots__ = ("_hosts", "_random", "_scheduler", "_seed", "_settings")

    def __init__(
        self, hosts: Sequence[IHost], settings: LeastRequestSettings, source: random.Random
    ) -> None:
        self._settings = settings
        self._random = source.random
        self._seed = source.randrange(1 << 32)
        self.hostsChanged(hosts)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        self._hosts = hosts
        self._scheduler: EDFScheduler[IHost] | None = None
        if len({host.weight for host in hosts}) > 1:
            self._scheduler = EDFScheduler(self._hosts, self._loadedWeight, self._seed)

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        if self._scheduler is not None:
            return self._scheduler.pick()
        if not self._hosts:
            return None
        return self._leastOfAll() if self._settings.fullScan else self._leastOfSome()

    def _leastOfSome(self) -> IHost:
        hosts = self._hosts
        size = len(hosts)
        best = hosts[int(self._random() * size)]
        for _ in range(self._settings.choiceCount - 1):
            other = hosts[int(self._random() * size)]
            if _load(other) < _load(best):
                best = other
        return best

    def _leastOfAll(self) -> IHost:
        loads = [_load(host) for host in self._hosts]
        least = min(loads)
        best = [host for host, load in zip(self._hosts, loads, strict=True) if load == least]
        return best[int(self._random() * len(best))]

    def _loadedWeight(self, host: IHost) -> float:
        bias = self._settings.bias
        active = _load(host)
        if not (bias and active):
            return host.weight
        return float(host.weight / (active + 1) ** bias)


def _load(host: IHost) -> int:
    stats: Any = host.stats
    active: int = stats.rq_active.value
    return active
