"""The factory of ring_hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.errors import UnsupportedField
from twisted_envoy.extensions.common.host_hashing import byHostname
from twisted_envoy.extensions.load_balancing_policies.ring_hash.balancer import (
    MOST,
    RingHash,
    RingSettings,
    RingStats,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_LEAST = 1024


@implementer(IExtensionFactory)
class RingHashFactory:
    """Builds the maker of RingHash balancers."""

    typeURL = "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash"
    category = "load_balancing_policies"
    descriptors = b""

    def build(self, config: View, context: Any) -> ILoadBalancerMaker:
        named = config.use_hostname_for_hashing
        common = config.consistent_hashing_lb_config
        if common is not None:
            named = common.use_hostname_for_hashing
        return _maker(_settings(config, named), context)

    def buildFromCluster(self, cluster: View, context: Any) -> ILoadBalancerMaker:
        """The same for a Cluster with `lb_policy: RING_HASH` (`ring_hash_lb_config`)."""
        config = cluster.ring_hash_lb_config
        named = byHostname(cluster.common_lb_config)
        settings = RingSettings(byHostname=named) if config is None else _settings(config, named)
        return _maker(settings, context)


def _settings(config: View, named: bool) -> RingSettings:
    if config.hash_function == "MURMUR_HASH_2":
        problem = "hash_function MURMUR_HASH_2 is not implemented by twisted_envoy"
        raise UnsupportedField(config.path, problem, config.position("hash_function"))
    least, most = config.minimum_ring_size, config.maximum_ring_size
    least = _LEAST if least is None else least
    most = MOST if most is None else most
    if least > most:
        raise config.error(
            f"ring hash: minimum_ring_size ({least}) > maximum_ring_size ({most})",
            "minimum_ring_size",
        )
    return RingSettings(least, most, named)


def _maker(settings: RingSettings, context: Any) -> ILoadBalancerMaker:
    source = context.random
    stats = RingStats(context.scope.scope("ring_hash_lb."))

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> RingHash:
        return RingHash(hosts, settings, source, stats)

    return make  # type: ignore[no-any-return]
