"""The load balancing policy of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField
from twisted_envoy.interfaces.upstream import ILoadBalancerMaker
from twisted_envoy.server.context import FactoryContext

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_POLICIES = {
    "ROUND_ROBIN": "round_robin.v3.RoundRobin",
    "LEAST_REQUEST": "least_request.v3.LeastRequest",
    "RANDOM": "random.v3.Random",
}
_OTHERS = (
    "round_robin_lb_config",
    "least_request_lb_config",
    "ring_hash_lb_config",
    "maglev_lb_config",
    "original_dst_lb_config",
)
_WITHOUT_EFFECT = (
    "healthy_panic_threshold",
    "update_merge_window",
    "ignore_new_hosts_until_first_hc",
    "zone_aware_lb_config",
    "consistent_hashing_lb_config",
)
_UNKNOWN = "Didn't find a registered implementation for"


def buildBalancer(config: View, context: FactoryContext) -> ILoadBalancerMaker | None:
    """
    Read everything of a cluster's config that is about load balancing.

    Returns:
        None for CLUSTER_PROVIDED.
    Raises:
        ConfigError: what Envoy refuses, or what is not implemented.
    """
    maker = _maker(config, context)
    for field in _OTHERS:
        config.moot(field, "it belongs to another policy")
    common = config.common_lb_config
    if common is not None:
        for field in _WITHOUT_EFFECT:
            common.moot(field, "every host is healthy, there is no local cluster and no hashing")
    return maker


def _maker(config: View, context: FactoryContext) -> ILoadBalancerMaker | None:
    typed = config.load_balancing_policy
    policy = config.lb_policy
    subset = config.has("lb_subset_config")
    if typed is not None:
        if subset:
            raise config.error(
                "cluster: load_balancing_policy cannot be combined with lb_subset_config"
            )
        return _typed(typed, config.name, context)
    if policy == "LOAD_BALANCING_POLICY_CONFIG":
        raise config.error("cluster: field load_balancing_policy need to be set", "lb_policy")
    if policy == "CLUSTER_PROVIDED":
        if subset:
            raise config.error(
                "cluster: LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config"
            )
        return None
    name = _POLICIES.get(policy)
    if name is None:
        problem = f"lb_policy {policy} is not implemented by twisted_envoy"
        raise UnsupportedField(config.path, problem, config.position("lb_policy"))
    factory = context.extensions.factory(f"envoy.extensions.load_balancing_policies.{name}")
    maker: Any = factory.buildFromCluster(config, context)
    return maker  # type: ignore[no-any-return]


def _typed(typed: View, cluster: str, context: FactoryContext) -> ILoadBalancerMaker:
    """The first policy of the list that is implemented, as in Envoy."""
    unsupported: list[ConfigError] = []
    names: list[str] = []
    found: Any = None
    for policy in typed.policies:
        extension = policy.typed_extension_config
        if found is not None:
            policy.moot("typed_extension_config", "an earlier policy was taken")
            continue
        names.append("" if extension is None else extension.name)
        if extension is None:
            continue
        try:
            found = context.build(extension, "load_balancing_policies")
        except UnsupportedExtension as problem:
            unsupported.append(problem)
        except ConfigError as problem:
            if not problem.problem.startswith(_UNKNOWN):
                raise
            extension.take()
    if found is not None:
        return found  # type: ignore[no-any-return]
    if unsupported:
        raise unsupported[0]
    raise typed.error(
        "cluster: didn't find a registered load balancer factory implementation for cluster: "
        f"'{cluster}' with names from [{', '.join(names)}]"
    )
