"""
Round robin: hosts in turn, by weight when weights differ.

Envoy: extensions.load_balancing_policies.round_robin.v3.RoundRobin
"""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from twisted_envoy.extensions.common.edf import EDFScheduler
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancer, LoadBalancerContext


@implementer(ILoadBalancer)
class RoundRobin:
    """
    Each pick is the next host, whether or not it was tried before: so does Envoy.

    Args:
        hosts: in the order of the config.
        seed: where to begin; Envoy begins anywhere, so that many servers do not all begin alike.

    Attributes:
        only: the one host that there is; None for more, and for none.
        isBlind: as of ILoadBalancer.
    """

    isBlind = True

    __slots__ = ("_hosts", "_next", "_scheduler", "_seed", "only")

    def __init__(self, hosts: Sequence[IHost], seed: int = 0) -> None:
        self._seed = self._next = seed
        self.hostsChanged(hosts)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        self._hosts = hosts
        self.only = hosts[0] if len(hosts) == 1 else None
        self._scheduler: EDFScheduler[IHost] | None = None
        if len({host.weight for host in hosts}) > 1:
            self._scheduler = EDFScheduler(self._hosts, lambda host: host.weight, self._seed)

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        if self._scheduler is not None:
            return self._scheduler.pick()
        hosts = self._hosts
        if not hosts:
            return None
        host = hosts[self._next % len(hosts)]
        self._next += 1
        return host
