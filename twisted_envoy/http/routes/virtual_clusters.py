"""virtual_clusters: names that requests are counted under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.matchers import HeaderMatch, buildHeaderMatch

_OTHER = "other"


class VirtualClusters:
    """Finds the first whose headers match."""

    __slots__ = ("_clusters",)

    def __init__(self, clusters: Sequence[tuple[str, tuple[HeaderMatch, ...]]]) -> None:
        self._clusters = tuple(clusters)

    def name(self, headers: HeaderMap) -> str:
        """Its name; `other` for none, "" where no virtual clusters are configured."""
        for name, matches in self._clusters:
            if all(match(headers) for match in matches):
                return name
        return _OTHER if self._clusters else ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that `name` can give, for counters."""
        if not self._clusters:
            return ()
        return (*(name for name, _ in self._clusters), _OTHER)


def buildVirtualClusters(views: Sequence[Any]) -> VirtualClusters:
    """
    Read virtual_clusters.

    Raises:
        ConfigError: one without headers.
    """
    clusters = []
    for view in views:
        matches = tuple(buildHeaderMatch(header) for header in view.headers)
        if not matches:
            raise view.error("virtual clusters must define 'headers'")
        clusters.append((view.name, matches))
    return VirtualClusters(clusters)
