"""
Random: every host is as likely as any other.

Envoy: extensions.load_balancing_policies.random.v3.Random
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from zope.interface import implementer

from twisted_envoy.interfaces.upstream import IHost, ILoadBalancer, LoadBalancerContext


@implementer(ILoadBalancer)
class RandomChoice:
    """
    Weights of hosts do not count here, in Envoy neither.

    Args:
        hosts: to choose from. source: of random numbers.
    """

    isBlind = True

    __slots__ = ("_hosts", "_random")

    def __init__(self, hosts: Sequence[IHost], source: random.Random) -> None:
        self._random = source.random
        self.hostsChanged(hosts)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        self._hosts = hosts

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        hosts = self._hosts
        return hosts[int(self._random() * len(hosts))] if hosts else None
