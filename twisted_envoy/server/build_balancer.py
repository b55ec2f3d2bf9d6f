"""The load balancing policy of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.common.balancer_list import buildFirst
from twisted_envoy.extensions.common.localities import localityWeighted
from twisted_envoy.extensions.common.priorities import prioritized
from twisted_envoy.interfaces.upstream import ILoadBalancerMaker
from twisted_envoy.server.context import FactoryContext

if TYPE_CHECKING:
    from random import Random

    from twisted_envoy.config.view import View

_PREFIX = "envoy.extensions.load_balancing_policies."
_POLICIES = {
    "ROUND_ROBIN": "round_robin.v3.RoundRobin",
    "LEAST_REQUEST": "least_request.v3.LeastRequest",
    "RANDOM": "random.v3.Random",
    "RING_HASH": "ring_hash.v3.RingHash",
    "MAGLEV": "maglev.v3.Maglev",
}
_FIELDS = {
    "ROUND_ROBIN": "round_robin_lb_config",
    "LEAST_REQUEST": "least_request_lb_config",
    "RING_HASH": "ring_hash_lb_config",
    "MAGLEV": "maglev_lb_config",
    "CLUSTER_PROVIDED": "original_dst_lb_config",
}
"""What a Cluster says of one policy only."""
_WEIGHTED = frozenset({"ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"})
_HASHING = frozenset({"RING_HASH", "MAGLEV"})


def buildBalancer(config: View, context: FactoryContext) -> ILoadBalancerMaker | None:
    """
    Read everything of a cluster's config that is about load balancing.

    Returns:
        None for CLUSTER_PROVIDED.
    Raises:
        ConfigError: what Envoy refuses, or what is not implemented.
    """
    maker = _maker(config, context)
    policy = "" if config.load_balancing_policy is not None else config.lb_policy
    for owner, field in _FIELDS.items():
        if owner != policy:
            config.moot(field, "it belongs to another policy")
    common = config.common_lb_config
    if common is not None:
        common.moot("update_merge_window", "updates are not many enough to be merged")
        _checkHostnames(config, common)
        if policy not in _HASHING:
            common.moot("consistent_hashing_lb_config", "nothing is hashed")
    return maker


def _checkHostnames(config: View, common: View) -> None:
    """Hosts may be hashed by name where they are found by name, whatever the policy is."""
    hashing = common.message.consistent_hashing_lb_config  # type: ignore[attr-defined]
    kind = config.type
    custom = config.which("cluster_discovery_type") == "cluster_type"
    if not hashing.use_hostname_for_hashing or (kind == "STRICT_DNS" and not custom):
        return
    name = f"envoy.cluster.{kind.lower()}"
    if custom:
        name = "" if config.cluster_type.typed_config is not None else config.cluster_type.name
    raise common.error(
        f"Cannot use hostname for consistent hashing loadbalancing for cluster of type: '{name}'",
        "consistent_hashing_lb_config",
    )


def _maker(config: View, context: FactoryContext) -> ILoadBalancerMaker | None:
    typed = config.load_balancing_policy
    policy = config.lb_policy
    subset = config.has("lb_subset_config")
    if typed is not None:
        if subset:
            raise config.error(
                "cluster: load_balancing_policy cannot be combined with lb_subset_config"
            )
        return buildFirst(typed, f"cluster: '{config.name}'", context)
    if policy == "LOAD_BALANCING_POLICY_CONFIG":
        raise config.error("cluster: field load_balancing_policy need to be set", "lb_policy")
    if policy == "CLUSTER_PROVIDED":
        if subset:
            raise config.error(
                "cluster: LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config"
            )
        return None
    factory = context.extensions.factory(f"{_PREFIX}{_POLICIES[policy]}")
    maker: Any = factory.buildFromCluster(config, context)
    maker = prioritized(*_localityAware(config, maker, context), panicMaker=maker)
    if subset:
        factory = context.extensions.factory(f"{_PREFIX}subset.v3.Subset")
        maker = factory.buildFromCluster(config, maker, context)
    return maker  # type: ignore[no-any-return]


def _localityAware(
    config: View, maker: ILoadBalancerMaker, context: FactoryContext
) -> tuple[ILoadBalancerMaker, Random]:
    """The maker, or one that looks at localities first, where the policy can do so."""
    random = context.random
    common = config.common_lb_config
    if common is None or config.lb_policy not in _WEIGHTED or config.has("lb_subset_config"):
        return maker, random
    if common.locality_weighted_lb_config is None:
        return maker, random
    return localityWeighted(maker, random), random
