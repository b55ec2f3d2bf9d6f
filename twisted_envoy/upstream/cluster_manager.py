"""All clusters of a server: by name, begun together and ended together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from zope.interface import implementer

from twisted_envoy.interfaces.upstream import IClusterManager

if TYPE_CHECKING:
    from twisted_envoy.upstream.cluster import Cluster

_Step = Callable[[Callable[[], None]], None]


def _searches(cluster: Cluster) -> list[_Step]:
    """What finds a cluster's hosts."""
    discovery = cluster.discovery
    return [] if discovery is None else [partial(discovery.start, cluster)]


def _checks(cluster: Cluster) -> list[_Step]:
    """What looks after them; only checks are worth waiting for."""
    if cluster.outlier is not None:
        cluster.outlier.start(cluster)
    checker = cluster.healthChecker
    return [] if checker is None else [partial(checker.start, cluster)]


@implementer(IClusterManager)
class ClusterManager:
    """All clusters by name."""

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}
        self._leftOut: set[str] = set()
        self._stopped = False

    def start(self, found: Callable[[], object] = bool) -> Deferred[None]:
        """
        Look for hosts, then check the health of those that were found.

        Args:
            found: called when every cluster has had its first answer, or a failure: before any
                host is checked.
        Returns:
            Fires when every host that was found has had its first check.
        """
        ready: Deferred[None] = Deferred()

        def check() -> None:
            found()
            self._each(_checks, lambda: ready.callback(None))

        self._each(_searches, check)
        return ready

    def _each(
        self,
        steps: Callable[[Cluster], list[_Step]],
        done: Callable[[], None],
    ) -> None:
        """Begin the steps of all clusters; done when each of them is."""
        begun = [step for cluster in self._clusters.values() for step in steps(cluster)]
        left = set(range(len(begun)))

        def ended(number: int) -> None:
            if number in left:
                left.discard(number)
                if not left and not self._stopped:
                    done()

        if not begun:
            done()
        for number, step in enumerate(begun):
            step(partial(ended, number))

    def stop(self) -> None:
        """Look for hosts no more, nor after them."""
        self._stopped = True
        for cluster in self._clusters.values():
            if cluster.discovery is not None:
                cluster.discovery.stop()
            if cluster.healthChecker is not None:
                cluster.healthChecker.stop()
            if cluster.outlier is not None:
                cluster.outlier.stop()

    def add(self, cluster: Cluster) -> None:
        """
        One more cluster.

        Raises:
            ValueError: there is one of that name.
        """
        if cluster.name in self._clusters:
            raise ValueError(cluster.name)
        self._clusters[cluster.name] = cluster

    def leaveOut(self, name: str) -> None:
        """There is a cluster of that name, but it is of a kind that is not implemented."""
        self._leftOut.add(name)

    def isKnown(self, name: str) -> bool:
        """Is there a cluster of that name, implemented or not?"""
        return name in self._clusters or name in self._leftOut

    def get(self, name: str) -> Cluster | None:
        return self._clusters.get(name)

    def names(self) -> Iterable[str]:
        """In the order in which they were added."""
        return self._clusters.keys()
