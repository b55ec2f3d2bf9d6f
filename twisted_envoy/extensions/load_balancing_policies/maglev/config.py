"""The factory of maglev."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.host_hashing import byHostname
from twisted_envoy.extensions.load_balancing_policies.maglev.balancer import (
    TABLE_SIZE,
    Maglev,
    MaglevSettings,
    MaglevStats,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class MaglevFactory:
    """Builds the maker of Maglev balancers."""

    typeURL = "envoy.extensions.load_balancing_policies.maglev.v3.Maglev"
    category = "load_balancing_policies"
    descriptors = b""

    def build(self, config: View, context: Any) -> ILoadBalancerMaker:
        return _maker(config, byHostname(config), context)

    def buildFromCluster(self, cluster: View, context: Any) -> ILoadBalancerMaker:
        """The same for a Cluster with `lb_policy: MAGLEV` (`maglev_lb_config`)."""
        return _maker(cluster.maglev_lb_config, byHostname(cluster.common_lb_config), context)


def _maker(config: View | None, named: bool, context: Any) -> ILoadBalancerMaker:
    size = TABLE_SIZE
    if config is not None and config.table_size is not None:
        size = config.table_size
        if not _isPrime(size):
            raise config.error("The table size of maglev must be prime number", "table_size")
    settings = MaglevSettings(size, named)
    source = context.random
    stats = MaglevStats(context.scope.scope("maglev_lb."))

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> Maglev:
        return Maglev(hosts, settings, source, stats)

    return make  # type: ignore[no-any-return]


def _isPrime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))
