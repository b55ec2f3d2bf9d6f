"""The factory of random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.load_balancing_policies.random.balancer import RandomChoice
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class RandomFactory:
    """Builds the maker of RandomChoice balancers."""

    typeURL = "envoy.extensions.load_balancing_policies.random.v3.Random"
    category = "load_balancing_policies"
    descriptors = b""

    def build(self, config: View, context: Any) -> ILoadBalancerMaker:
        return _maker(context)

    def buildFromCluster(self, cluster: View, context: Any) -> ILoadBalancerMaker:
        """The same for a Cluster with `lb_policy: RANDOM`, which has no config of its own."""
        return _maker(context)


def _maker(context: Any) -> ILoadBalancerMaker:
    source = context.random

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> RandomChoice:
        return RandomChoice(hosts, source)

    return make  # type: ignore[no-any-return]
