"""A cluster in memory, without a bootstrap."""

from __future__ import annotations

import re

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from twisted_envoy.extensions.transport_sockets.raw_buffer.config import RawBuffer
from twisted_envoy.internal import getRegistry
from twisted_envoy.stats.scope import Store
from twisted_envoy.testing import MemorySockets
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.cluster import Cluster, ClusterSettings
from twisted_envoy.upstream.host import HostSettings
from twisted_envoy.upstream.stats import ClusterStats

ONE = HostSettings(IPv4Address("TCP", "127.0.0.1", 1))
TWO = HostSettings(IPv4Address("TCP", "127.0.0.1", 2))


class First:
    """A balancer that always takes the first host, and records what it was told."""

    def __init__(self, hosts):
        self.hosts = hosts
        self.asked = []

    def choose(self, context):
        self.asked.append(context)
        return self.hosts[0] if self.hosts else None

    def hostsChanged(self, hosts):
        self.hosts = hosts


class World:
    """A clock, sockets, and one cluster `c` with its stats."""

    def __init__(self, *hosts, maxConnections=3, **settings):
        self.clock = Clock()
        registry = getRegistry(self.clock)
        self.turn = registry.turn
        self.sockets = MemorySockets(self.turn)
        self.store = Store()
        scope = self.store.scope("cluster.c.")
        limits = {
            "default": Limits(scope.scope("circuit_breakers.default."), maxConnections),
            "high": Limits(scope.scope("circuit_breakers.high.")),
        }
        self.cluster = Cluster(
            ClusterSettings("c", tuple(hosts), **settings),
            None,
            ClusterStats(scope),
            limits,
            RawBuffer(self.sockets, registry, self.clock),
            First,
            self.clock,
        )

    def settle(self):
        self.turn.pump(self.clock)

    def used(self):
        """The metrics that are not 0, without the cluster's prefix and the number of its hosts."""
        return {
            one.name.removeprefix("cluster.c."): one.value
            for one in self.store.numbers()
            if one.value and not re.search("membership|total_match_count", one.name)
        }
