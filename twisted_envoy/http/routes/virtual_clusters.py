"""virtual_clusters: groups that requests are counted under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.group_stats import GroupStats
from twisted_envoy.network.matchers import HeaderMatch, buildHeaderMatch
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

_OTHER = "other"


@dataclass(frozen=True, slots=True)
class VirtualCluster:
    """One of them; all its headers have to match."""

    name: str
    headers: tuple[HeaderMatch, ...]
    stats: GroupStats


class VirtualClusters:
    """
    Finds the first whose headers match.

    Args:
        clusters: the last one, without headers, is what others are counted under.
    """

    __slots__ = ("_clusters",)

    def __init__(self, clusters: Sequence[VirtualCluster]) -> None:
        self._clusters = tuple(clusters)

    def find(self, headers: HeaderMap) -> VirtualCluster | None:
        """`other` when no other matches; None where no virtual clusters are configured."""
        for cluster in self._clusters:
            if all(match(headers) for match in cluster.headers):
                return cluster
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Of all of them."""
        return tuple(cluster.name for cluster in self._clusters)


def buildVirtualClusters(views: Sequence[Any], scope: Scope) -> VirtualClusters:
    """
    Read virtual_clusters.

    Args:
        scope: `vhost.<virtual host>.`.
    Raises:
        ConfigError: one without headers.
    """
    clusters = []
    for view in views:
        matches = tuple(buildHeaderMatch(header) for header in view.headers)
        if not matches:
            raise view.error("virtual clusters must define 'headers'")
        clusters.append(_cluster(view.name, matches, scope))
    if clusters:
        clusters.append(_cluster(_OTHER, (), scope))
    return VirtualClusters(clusters)


def _cluster(name: str, matches: tuple[HeaderMatch, ...], scope: Scope) -> VirtualCluster:
    return VirtualCluster(name, matches, GroupStats(scope.scope(f"vcluster.{name}.")))
