"""
Ring hash: each host stands at many places of a ring, and is chosen for the hashes before them.

Envoy: source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from zope.interface import implementer

from twisted_envoy.extensions.common.host_hashing import HashBalancer, hashOf, hostKey, shares
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancer, LoadBalancerContext
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Gauge
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

MOST = 8 * 1024 * 1024


class RingStats:
    """`cluster.<name>.ring_hash_lb.*`."""

    max_hashes_per_host: Gauge
    min_hashes_per_host: Gauge
    size: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True)
class RingSettings:
    """
    What the config says.

    Attributes:
        least, most: places of the ring.
        byHostname: a host's name is hashed, not its address.
    """

    least: int = 1024
    most: int = MOST
    byHostname: bool = False


@implementer(ILoadBalancer)
class RingHash(HashBalancer[RingSettings, RingStats]):
    """Takes the next place of a ring."""

    __slots__ = ("_hashes",)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        ring, counts = _ring(hosts, self._settings) if hosts else ([], [0])
        self._hashes = [place for place, _ in ring]
        self._hosts = [hosts[index] for _, index in ring]
        self._stats.size.value = len(ring)
        self._stats.min_hashes_per_host.value = min(counts)
        self._stats.max_hashes_per_host.value = max(counts)

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        hosts = self._hosts
        if not hosts:
            return None
        at = bisect_left(self._hashes, hashOf(context, self._source))
        return hosts[(at + context.attempt) % len(hosts)]


def _ring(
    hosts: Sequence[IHost], settings: RingSettings
) -> tuple[list[tuple[int, int]], list[int]]:
    """
    Places in order, with the index of their host; and how many each host has.

    The host of the least weight gets a whole number of places, unless there would be too many.
    """
    parts = shares(hosts)
    least = min(parts)
    scale = min(math.ceil(least * settings.least) / least, settings.most)
    ring: list[tuple[int, int]] = []
    counts: list[int] = []
    target = 0.0
    for index, host in enumerate(hosts):
        prefix = hostKey(host, settings.byHostname) + b"_"
        target += scale * parts[index]
        count = 0
        while len(ring) < target:
            ring.append((xxHash64(b"%b%d" % (prefix, count)), index))
            count += 1
        counts.append(count)
    ring.sort()
    return ring, counts
