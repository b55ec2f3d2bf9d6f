"""Hosts of a cache."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import setFilterState, tcpProxy
from tests.extensions.clusters.dynamic_forward_proxy.support import (
    CACHE,
    proxyCluster,
    serving,
)
from twisted_envoy.testing import MemoryEnvoy

TO_A = (
    setFilterState("envoy.upstream.dynamic_host", "a.test"),
    setFilterState("envoy.upstream.dynamic_port", "7000"),
    tcpProxy("dfp"),
)


class CachedHostsTests(SynchronousTestCase):
    """A TCP proxy whose filter state says where to."""

    def members(self, envoy: MemoryEnvoy) -> int:
        """How many hosts the cluster has."""
        return envoy.stat("cluster.dfp.membership_total")

    def test_chosen(self) -> None:
        """By name; it is a host from then on, until it is not used for long."""
        envoy = serving(*TO_A)
        origin = envoy.listen("10.0.0.1:7000")
        self.assertEqual(self.members(envoy), 0)
        client = envoy.connect("in")
        client.write(b"hi")
        envoy.settle()
        self.assertEqual(origin.connections[0].received, b"hi")
        self.assertEqual(self.members(envoy), 1)
        client.loseConnection()
        envoy.advance(400)
        self.assertEqual((self.members(envoy), envoy.stat("dns_cache.c.num_hosts")), (0, 0))
        envoy.stop()

    def test_moved(self) -> None:
        """Another address of the name is where new connections go."""
        envoy = serving(*TO_A)
        first, second = envoy.listen("10.0.0.1:7000"), envoy.listen("10.0.0.2:7000")
        envoy.connect("in")
        envoy.resolver.addresses["a.test"] = ["10.0.0.2"]
        envoy.advance(61)
        envoy.connect("in")
        self.assertEqual((len(first.connections), len(second.connections)), (1, 1))
        self.assertEqual(self.members(envoy), 1)

    def test_nobody(self) -> None:
        """A name that nobody knows, none at all, and one too many."""
        envoy = serving(setFilterState("envoy.upstream.dynamic_host", "b.test"), tcpProxy("dfp"))
        self.assertTrue(envoy.connect("in").ended)
        envoy = serving(tcpProxy("dfp"))
        self.assertTrue(envoy.connect("in").ended)
        self.assertEqual(envoy.stat("cluster.dfp.upstream_cx_none_healthy"), 1)
        full = {
            **CACHE,
            "max_hosts": 1,
            "preresolve_hostnames": [{"address": "x", "port_value": 1}],
        }
        envoy = serving(*TO_A, clusters=[proxyCluster(cache=full)])
        self.assertTrue(envoy.connect("in").ended)
        self.assertEqual(envoy.stat("dns_cache.c.host_overflow"), 1)
