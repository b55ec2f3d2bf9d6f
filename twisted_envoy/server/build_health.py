"""What a cluster's config says of the health of its hosts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from twisted_envoy.upstream.health.policy import HealthPolicy

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.server.context import FactoryContext

_THRESHOLD = "upstream.healthy_panic_threshold"
_SPREADING = frozenset({"ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"})


def buildHealthPolicy(config: View, context: FactoryContext) -> HealthPolicy:
    """What the cluster makes of hosts that are not healthy."""
    context.runtime.integer(_THRESHOLD)
    made: dict[str, Any] = {"override": partial(context.runtime.integer, _THRESHOLD)}
    common = config.common_lb_config
    if common is not None:
        made.update(_common(config, common))
    assignment = config.load_assignment
    policy = None if assignment is None else assignment.policy
    if policy is not None:
        policy.moot("endpoint_stale_after", "no endpoint comes from a server")
        factor = policy.overprovisioning_factor
        if factor is not None:
            made["overprovisioningFactor"] = factor
        made["weightedPriorityHealth"] = policy.weighted_priority_health
    return HealthPolicy(
        ignoresHealthOnRemoval=config.ignore_health_on_host_removal,
        closesOnFailure=config.close_connections_on_host_health_failure,
        **made,
    )


def _common(config: View, common: View) -> dict[str, Any]:
    made: dict[str, Any] = {"warmsNewHosts": common.ignore_new_hosts_until_first_hc}
    percent = common.healthy_panic_threshold
    if percent is not None:
        made["panicThreshold"] = round(percent.value)
    zones = common.zone_aware_lb_config
    if zones is not None:
        fails = zones.fail_traffic_on_panic
        made["failsOnPanic"] = fails and config.lb_policy in _SPREADING
        for field in ("routing_enabled", "min_cluster_size"):
            zones.moot(field, "there is no local cluster whose zones could be compared")
    return made
