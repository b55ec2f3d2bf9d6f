"""The hosts of all workers as those of one server, for `/clusters`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from twisted.internet.interfaces import IAddress

from twisted_envoy.server.admin.target import Configured, ShownCluster, ShownClusters, ShownHost
from twisted_envoy.server.workers.snapshot import HOST_STATS, addressFrom
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.host import Locality
from twisted_envoy.upstream.stats import HostStats


@dataclass(frozen=True)
class Rate:
    """A share of requests that went well, in percent; -1 when it is not known."""

    rate: float


@dataclass(frozen=True)
class Rates:
    """Of one host; as the outlier detection of one worker sees it."""

    external: Rate
    local: Rate


@dataclass(frozen=True)
class Thresholds:
    """Of one cluster: (average, ejection threshold)."""

    external: tuple[float, float]
    local: tuple[float, float]


@dataclass
class SummedHost:
    """One host as its workers see it; what they do not agree on is as the first one says."""

    address: IAddress
    hostname: str
    weight: int
    priority: int
    health: int
    healthFlags: str
    locality: Locality
    metadata: Mapping[str, Mapping[str, object]]
    monitor: Any
    stats: object = field(default_factory=HostStats)

    def add(self, values: Iterable[int]) -> None:
        """One worker's figures, in the order of HOST_STATS."""
        for name, value in zip(HOST_STATS, values, strict=True):
            getattr(self.stats, name).value += value


@dataclass
class SummedCluster:
    """One cluster: the first process's, with the hosts that the workers have found."""

    name: str
    config: Configured
    hosts: Sequence[ShownHost]
    observabilityName: str
    priorities: Mapping[str, Limits]
    addedViaAPI: bool
    outlier: Any


class SummedClusters:
    """
    All clusters.

    Args:
        own: the first process's.
        said: of each worker, its clusters by name (`snapshot`).
    """

    def __init__(self, own: ShownClusters, said: Sequence[Mapping[str, Any]]) -> None:
        self._own = own
        self._said = said

    def names(self) -> Iterable[str]:
        """In the order of the config."""
        return self._own.names()

    def get(self, name: str) -> ShownCluster | None:
        """The cluster of that name."""
        own = self._own.get(name)
        if own is None:
            return None
        found: dict[str, SummedHost] = {}
        for said in self._said:
            cluster = said.get(name)
            for words in cluster["hosts"] if cluster else ():
                key = repr((words["address"], words["priority"], words["locality"]))
                if key not in found:
                    found[key] = _hostFrom(words)
                found[key].add(words["stats"])
        hosts: Sequence[ShownHost] = tuple(cast(Any, found.values())) if self._said else own.hosts
        return SummedCluster(
            own.name,
            own.config,
            hosts,
            own.observabilityName,
            own.priorities,
            own.addedViaAPI,
            _thresholds(self._said, name) if self._said else own.outlier,
        )


def _thresholds(said: Sequence[Mapping[str, Any]], name: str) -> Thresholds | None:
    words = said[0][name]["outlier"]
    return None if words is None else Thresholds(tuple(words[0]), tuple(words[1]))


def _hostFrom(words: Mapping[str, Any]) -> SummedHost:
    return SummedHost(
        addressFrom(words["address"]),
        words["hostname"],
        words["weight"],
        words["priority"],
        words["health"],
        words["healthFlags"],
        Locality(*words["locality"]),
        {"envoy.lb": {"canary": words["canary"]}},
        None if words["rates"] is None else Rates(*map(Rate, words["rates"])),
    )
