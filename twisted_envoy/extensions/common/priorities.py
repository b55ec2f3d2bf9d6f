"""
Which hosts of a cluster are in use: by priority and by health.

A priority takes as much of the load as its healthy hosts, 40 % overprovisioned, can; the next takes
what is left; then degraded hosts do. With fewer usable hosts than the panic threshold says, health
does not count. All that is found out when hosts or their health change: as long as all of the load
goes to one set of hosts, choosing is that set's balancer's own method.

Envoy: source/extensions/load_balancing_policies/common/load_balancer_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from random import Random

from zope.interface import implementer

from twisted_envoy.interfaces.upstream import (
    IHost,
    ILoadBalancer,
    ILoadBalancerMaker,
    LoadBalancerContext,
)
from twisted_envoy.values import dataclass

HEALTHY = "healthy"
DEGRADED = "degraded"
ALL = "all"


@dataclass(slots=True)
class HostSet:
    """The hosts of one priority, in order; excluded ones are in `every` but do not count."""

    every: list[IHost] = field(default_factory=list)
    healthy: list[IHost] = field(default_factory=list)
    degraded: list[IHost] = field(default_factory=list)
    excluded: int = 0

    def add(self, host: IHost) -> None:
        """One more host."""
        self.every.append(host)
        if host.isHealthy:
            self.healthy.append(host)
        elif host.isDegraded:
            self.degraded.append(host)
        if host.isExcluded:
            self.excluded += 1

    def health(self, factor: int, weighted: bool) -> tuple[int, int]:
        """Percent of the load that healthy and that degraded hosts can take."""
        count = len(self.every) - self.excluded
        if count <= 0:
            return 0, 0
        healthy, degraded = len(self.healthy), len(self.degraded)
        if weighted:
            count = sum(host.weight for host in self.every if not host.isExcluded)
            healthy = sum(host.weight for host in self.healthy)
            degraded = sum(host.weight for host in self.degraded)
        return min(100, factor * healthy // count), min(100, factor * degraded // count)

    def isInPanic(self, threshold: int) -> bool:
        """Are too few of the hosts usable?"""
        count = len(self.every) - self.excluded
        usable = len(self.healthy) + len(self.degraded)
        return (100 * usable / count if count > 0 else 0.0) < threshold


@dataclass(slots=True)
class Loads:
    """Percent of the load by priority, 100 in all, and the priorities whose health is ignored."""

    healthy: list[int]
    degraded: list[int]
    panics: list[bool]


def hostSets(hosts: Sequence[IHost]) -> list[HostSet]:
    """By priority, from 0 to the last that there is."""
    sets = [HostSet() for _ in range(max((host.priority for host in hosts), default=0) + 1)]
    for host in hosts:
        sets[host.priority].add(host)
    return sets


def loadsOf(sets: Sequence[HostSet], factor: int, weighted: bool, threshold: int) -> Loads:
    """
    How the load is spread.

    Args:
        factor: percent, 140: so much of its share of hosts a priority is taken to be able to do.
        weighted: hosts count by weight.
        threshold: percent of usable hosts below which health is ignored.
    """
    health = [one.health(factor, weighted) for one in sets]
    healthy, degraded = [one for one, _ in health], [one for _, one in health]
    total = min(100, sum(healthy) + sum(degraded))
    panics = [False] * len(sets)
    if total:
        shares, left = _spread(healthy, 100, total)
        others, left = _spread(degraded, left, total)
        if left:  # by rounding
            first = next((at for at, one in enumerate(healthy) if one), None)
            if first is None:
                others[next(at for at, one in enumerate(degraded) if one)] += left
            else:
                shares[first] += left
    else:
        shares, others = [100] + [0] * (len(sets) - 1), [0] * len(sets)
        if not threshold:
            return Loads(shares, others, panics)
    if total < 100:
        panics = [one.isInPanic(threshold) for one in sets]
    if all(panics):
        shares, others = _byCount(sets), [0] * len(sets)
    return Loads(shares, others, panics)


def _spread(available: Sequence[int], load: int, total: int) -> tuple[list[int], int]:
    """Give each priority what it can take; what is left."""
    shares = []
    for one in available:
        share = min(load, one * 100 // total)
        shares.append(share)
        load -= share
    return shares, load


def _byCount(sets: Sequence[HostSet]) -> list[int]:
    """Every priority is in panic: by how many hosts they have."""
    counts = [len(one.every) for one in sets]
    total = sum(counts)
    if not total:
        return [100] + [0] * (len(sets) - 1)
    shares = [100 * count // total for count in counts]
    shares[next(at for at, count in enumerate(counts) if count)] += 100 - sum(shares)
    return shares


_Choose = Callable[[LoadBalancerContext], "IHost | None"]


def _nobody(context: LoadBalancerContext) -> IHost | None:
    return None


@implementer(ILoadBalancer)
class Prioritized:
    """
    A balancer for each set of hosts that has a part of the load.

    Args:
        hosts: all of the cluster's, or of a subset of them.
        maker: makes the balancer of hosts that are in use for their health.
        random: chooses between sets.
        panicMaker: makes the balancer of all hosts of a priority that is in panic.

    Attributes:
        choose, isBlind: see ILoadBalancer; rebound whenever something changes.
        only: the host that `choose` gives whoever asks; None: it depends.
    """

    __slots__ = (
        *("_balancers", "_hosts", "_maker", "_panicMaker", "_random", "_ranges", "choose"),
        *("isBlind", "only"),
    )

    choose: _Choose
    only: IHost | None

    def __init__(
        self,
        hosts: Sequence[IHost],
        maker: ILoadBalancerMaker,
        random: Random,
        panicMaker: ILoadBalancerMaker,
    ) -> None:
        self._maker = maker
        self._panicMaker = panicMaker
        self._random = random
        self._balancers: dict[tuple[int, str], ILoadBalancer] = {}
        self._ranges: list[tuple[int, _Choose]] = []
        self._hosts: tuple[IHost, ...] | None = None
        self.isBlind = False
        self.hostsChanged(hosts)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        """When they are the same ones their health has changed: who asks next pays for it."""
        hosts = tuple(hosts)
        if hosts and hosts == self._hosts:
            self.choose = self._rebuild
            self.only = None
        else:
            self._hosts = hosts
            self._build()

    def _rebuild(self, context: LoadBalancerContext) -> IHost | None:
        self._build()
        return self.choose(context)

    def _build(self) -> None:
        self._chooseAnew()
        owner = getattr(self.choose, "__self__", self)
        self.only = None if owner is self else getattr(owner, "only", None)
        self.isBlind = all(getattr(one, "isBlind", False) for one in self._balancers.values())

    def _chooseAnew(self) -> None:
        hosts = self._hosts or ()
        if not hosts:
            for balancer in self._balancers.values():
                balancer.hostsChanged(())
            if not self._balancers:
                self._use(0, HEALTHY, ())
            self.choose = _nobody
            return
        policy = hosts[0].cluster.healthPolicy
        sets = hostSets(hosts)
        loads = loadsOf(
            sets, policy.overprovisioningFactor, policy.weightedPriorityHealth, policy.threshold()
        )
        before, self._balancers = self._balancers, {}
        self._ranges = []
        upTo = 0
        for kind, shares in ((HEALTHY, loads.healthy), (DEGRADED, loads.degraded)):
            for priority, share in enumerate(shares):
                if not share:
                    continue
                upTo += share
                if loads.panics[priority]:
                    choose = self._inPanic(priority, sets[priority], before)
                else:
                    some = sets[priority].healthy if kind == HEALTHY else sets[priority].degraded
                    choose = self._use(priority, kind, some, before)
                self._ranges.append((upTo, choose))
        self.choose = self._ranges[0][1] if len(self._ranges) == 1 else self._chooseSet

    def _use(
        self,
        priority: int,
        kind: str,
        hosts: Sequence[IHost],
        before: dict[tuple[int, str], ILoadBalancer] | None = None,
    ) -> _Choose:
        """The choosing of a set's balancer, which stays the same as long as the set is in use."""
        key = (priority, kind)
        balancer = self._balancers.get(key) or (before or {}).get(key)
        if balancer is None:
            balancer = (self._panicMaker if kind == ALL else self._maker)(hosts)
        else:
            balancer.hostsChanged(hosts)
        self._balancers[key] = balancer
        return balancer.choose

    def _inPanic(
        self, priority: int, hosts: HostSet, before: dict[tuple[int, str], ILoadBalancer]
    ) -> _Choose:
        cluster = (self._hosts or ())[0].cluster
        choose: _Choose = _nobody
        if not cluster.healthPolicy.failsOnPanic:
            choose = self._use(priority, ALL, hosts.every, before)
        panics = cluster.stats.lb_healthy_panic

        def chooseAny(context: LoadBalancerContext) -> IHost | None:
            panics.value += 1
            return choose(context)

        return chooseAny

    def chooseOther(self, context: LoadBalancerContext) -> IHost | None:
        """As `choose`, for a retry whose IRetryPriority has a word about priorities."""
        hosts = self._hosts
        if not hosts:
            return None
        policy = hosts[0].cluster.healthPolicy
        weighted, factor = policy.weightedPriorityHealth, policy.overprovisioningFactor
        sets = hostSets(hosts)
        usual = loadsOf(sets, factor, weighted, policy.threshold())
        health = [one.health(factor, weighted) for one in sets]
        loads = context.priorities.loads(health, (usual.healthy, usual.degraded))
        number = self._random.getrandbits(32) % 100 + 1
        for kind, shares in zip((HEALTHY, DEGRADED), loads, strict=True):
            for priority, share in enumerate(shares):
                number -= share
                if share and number <= 0:
                    return self._chooseIn(priority, kind, sets[priority], usual, context)
        return None

    def _chooseIn(
        self, priority: int, kind: str, hosts: HostSet, usual: Loads, context: LoadBalancerContext
    ) -> IHost | None:
        if usual.panics[priority]:
            return self._inPanic(priority, hosts, self._balancers)(context)
        some = hosts.healthy if kind == HEALTHY else hosts.degraded
        return self._use(priority, kind, some, self._balancers)(context)

    def _chooseSet(self, context: LoadBalancerContext) -> IHost | None:
        key = None if context is None else context.hashKey
        number = (self._random.getrandbits(32) if key is None else key) % 100 + 1
        for upTo, choose in self._ranges:
            if number <= upTo:
                return choose(context)
        return None


def prioritized(
    maker: ILoadBalancerMaker, random: Random, panicMaker: ILoadBalancerMaker | None = None
) -> ILoadBalancerMaker:
    """
    A maker of balancers that look at priorities and health first.

    Args:
        maker: of those for hosts that are in use; panicMaker: for all hosts, in panic.
    """

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> Prioritized:
        return Prioritized(hosts, maker, random, panicMaker or maker)

    return make  # type: ignore[no-any-return]
