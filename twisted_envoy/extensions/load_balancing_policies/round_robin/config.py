"""The factory of round_robin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.load_balancing_policies.round_robin.balancer import RoundRobin
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_SEEDS = 1 << 32


@implementer(IExtensionFactory)
class RoundRobinFactory:
    """Builds the maker of RoundRobin balancers."""

    typeURL = "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin"
    category = "load_balancing_policies"
    descriptors = b""

    def build(self, config: View, context: Any) -> ILoadBalancerMaker:
        return _maker(context)

    def buildFromCluster(self, cluster: View, context: Any) -> ILoadBalancerMaker:
        """The same for a Cluster with `lb_policy: ROUND_ROBIN` (`round_robin_lb_config`)."""
        cluster.round_robin_lb_config  # noqa: B018  its fields are left to be reported
        return _maker(context)


def _maker(context: Any) -> ILoadBalancerMaker:
    random = context.random

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> RoundRobin:
        return RoundRobin(hosts, random.randrange(_SEEDS))

    return make  # type: ignore[no-any-return]
