"""
What a cluster makes of the health of its hosts.

Envoy: config.cluster.v3.Cluster.CommonLbConfig, config.endpoint.v3.ClusterLoadAssignment.Policy
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.values import dataclass


def _unset() -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """
    The config's words.

    Attributes:
        panicThreshold: percent; with fewer usable hosts than this, health is ignored.
        overprovisioningFactor: percent, how much of its share of hosts a priority can take.
        weightedPriorityHealth: hosts count by weight there.
        failsOnPanic: nobody is chosen then, instead of anybody.
        override: the threshold of the runtime, None when it has none.
        warmsNewHosts: hosts that are found later do not count before their first check.
        ignoresHealthOnRemoval: hosts that discovery does not find any more go, though healthy.
        closesOnFailure: connections to a host are closed when it is found unhealthy.
    """

    panicThreshold: int = 50
    overprovisioningFactor: int = 140
    weightedPriorityHealth: bool = False
    failsOnPanic: bool = False
    override: Callable[[], int | None] = _unset
    warmsNewHosts: bool = False
    ignoresHealthOnRemoval: bool = False
    closesOnFailure: bool = False

    def threshold(self) -> int:
        """The panic threshold that holds now, percent."""
        override = self.override()
        return min(100, self.panicThreshold if override is None else override)
