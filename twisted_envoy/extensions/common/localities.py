"""
Which of a priority's hosts in use are chosen, by locality.

Envoy: docs "Locality weighted load balancing"
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from zope.interface import implementer

from twisted_envoy.extensions.common.edf import EDFScheduler
from twisted_envoy.interfaces.upstream import (
    IHost,
    ILoadBalancer,
    ILoadBalancerMaker,
    LoadBalancerContext,
)

_SEEDS = 1 << 32


@implementer(ILoadBalancer)
class LocalityWeighted:
    """
    Picks a locality by weight, spread evenly, then a host of it as `maker`'s balancers do.

    Localities of no weight are left out, unless none has any. One of whose hosts too few are in use
    weighs less, once overprovisioning does not make up for it.

    Args:
        hosts: of one priority, those in use. maker: makes the balancer of each locality.
        seed: where to begin with the localities.
    """

    __slots__ = ("_maker", "_plain", "_scheduler", "_seed")

    def __init__(self, hosts: Sequence[IHost], maker: ILoadBalancerMaker, seed: int) -> None:
        self._maker = maker
        self._seed = seed
        self._plain = maker(())
        self.hostsChanged(hosts)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        groups: dict[Hashable, list[IHost]] = {}
        weights: dict[Hashable, float] = {}
        for host in hosts:
            groups.setdefault(host.locality, []).append(host)
            if host.localityWeight:
                weights[host.locality] = host.localityWeight
        self._scheduler: EDFScheduler[tuple[float, ILoadBalancer]] | None = None
        if weights:
            balancers = [
                (weight * _usableShare(groups[key]), self._maker(groups[key]))
                for key, weight in weights.items()
            ]
            self._scheduler = EDFScheduler(balancers, lambda one: one[0], self._seed)
        else:
            self._plain.hostsChanged(hosts)

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        if self._scheduler is None:
            return self._plain.choose(context)
        return self._scheduler.pick()[1].choose(context)


def _usableShare(hosts: Sequence[IHost]) -> float:
    """How much of a locality's weight counts: its share of hosts in use, overprovisioned."""
    first = hosts[0]
    cluster = first.cluster
    place = (first.priority, first.locality)
    every = [
        one for one in cluster.hosts if (one.priority, one.locality) == place and not one.isExcluded
    ]
    factor: int = cluster.healthPolicy.overprovisioningFactor
    return min(1.0, factor * len(hosts) / (100 * max(len(every), 1)))


def localityWeighted(maker: ILoadBalancerMaker, source: Random) -> ILoadBalancerMaker:
    """`locality_weighted_lb_config` on top of another policy."""

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> LocalityWeighted:
        return LocalityWeighted(hosts, maker, source.randrange(_SEEDS))

    return make  # type: ignore[no-any-return]
