"""
Which hosts of a cluster are in use, by priority and by locality.

Envoy: docs "Priority levels" and "Locality weighted load balancing"; with every host healthy.
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


def firstPriority(hosts: Sequence[IHost]) -> tuple[IHost, ...]:
    """The hosts of the first priority that has any, in order: while they are, no other is used."""
    first = min((host.priority for host in hosts), default=0)
    return tuple(host for host in hosts if host.priority == first)


@implementer(ILoadBalancer)
class LocalityWeighted:
    """
    Picks a locality by weight, spread evenly, then a host of it as `maker`'s balancers do.

    Localities of no weight are left out, unless none has any.

    Args:
        hosts: to choose from. maker: makes the balancer of each locality.
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
        weights: dict[Hashable, int] = {}
        for host in firstPriority(hosts):
            groups.setdefault(host.locality, []).append(host)
            if host.localityWeight:
                weights[host.locality] = host.localityWeight
        self._scheduler: EDFScheduler[tuple[int, ILoadBalancer]] | None = None
        if weights:
            balancers = [(weight, self._maker(groups[key])) for key, weight in weights.items()]
            self._scheduler = EDFScheduler(balancers, lambda one: one[0], self._seed)
        else:
            self._plain.hostsChanged(hosts)

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        if self._scheduler is None:
            return self._plain.choose(context)
        return self._scheduler.pick()[1].choose(context)


def localityWeighted(maker: ILoadBalancerMaker, source: Random) -> ILoadBalancerMaker:
    """`locality_weighted_lb_config` on top of another policy."""

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> LocalityWeighted:
        return LocalityWeighted(hosts, maker, source.randrange(_SEEDS))

    return make  # type: ignore[no-any-return]
