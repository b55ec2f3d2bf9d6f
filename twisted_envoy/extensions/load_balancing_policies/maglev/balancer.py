"""
Maglev: a table of hosts, filled by turns as each host's own permutation of its places has it.

Follows "Maglev: A Fast and Reliable Software Network Load Balancer", section 3.4.

Envoy: source/extensions/load_balancing_policies/maglev/maglev_lb.cc
"""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from twisted_envoy.extensions.common.host_hashing import HashBalancer, hashOf, hostKey, shares
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancer, LoadBalancerContext
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Gauge
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

TABLE_SIZE = 65537
_BITS = 1 << 64


class MaglevStats:
    """`cluster.<name>.maglev_lb.*`."""

    max_entries_per_host: Gauge
    min_entries_per_host: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True)
class MaglevSettings:
    """
    What the config says.

    Attributes:
        size: of the table, a prime number.
        byHostname: a host's name is hashed, not its address.
    """

    size: int = TABLE_SIZE
    byHostname: bool = False


@implementer(ILoadBalancer)
class Maglev(HashBalancer[MaglevSettings, MaglevStats]):
    """Looks the hash up in a table."""

    __slots__ = ("_table",)

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        self._hosts = []
        self._table: list[int] = []
        if not hosts:
            return
        named = self._settings.byHostname
        entries = sorted(
            (
                (hostKey(host, named), part, host)
                for host, part in zip(hosts, shares(hosts), strict=True)
            ),
            key=lambda entry: entry[:2],
        )
        self._hosts = [host for _, _, host in entries]
        if len(entries) == 1:  # one place is enough, and Envoy counts it as one
            self._table, counts = [0], [1]
        else:
            self._table, counts = _fill([entry[:2] for entry in entries], self._settings.size)
        self._stats.min_entries_per_host.value = min(counts)
        self._stats.max_entries_per_host.value = max(counts)

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        table = self._table
        if not table:
            return None
        key = hashOf(context, self._source)
        if context.attempt:
            key ^= _BITS - context.attempt  # differs in most bits, so it leads elsewhere
        return self._hosts[table[key % len(table)]]


def _fill(entries: Sequence[tuple[bytes, float]], size: int) -> tuple[list[int], list[int]]:
    """
    The index of an entry for each place; and how many places each has.

    Args:
        entries: key and share. size: of the table.
    """
    table = [-1] * size
    places = [xxHash64(key) % size for key, _ in entries]
    skips = [xxHash64(key, 1) % (size - 1) + 1 for key, _ in entries]
    targets = [0.0] * len(entries)
    counts = [0] * len(entries)
    most = max(part for _, part in entries)
    left = size
    turn = 0
    while left:
        turn += 1
        for index, (_, part) in enumerate(entries):
            if turn * part < targets[index]:
                continue
            targets[index] += most
            place, skip = places[index], skips[index]
            while table[place] >= 0:
                place = (place + skip) % size
            table[place] = index
            places[index] = (place + skip) % size
            counts[index] += 1
            left -= 1
            if not left:
                break
    return table, counts
