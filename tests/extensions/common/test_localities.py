"""Priorities and localities of hosts; distributions as observed on Envoy 1.40."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.bootstraps import addressOf, bootstrap, listener, tcpProxy
from tests.extensions.load_balancing_policies.hosts import FakeCluster, FakeHost, picks
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.extensions.common.localities import LocalityWeighted, localityWeighted
from twisted_envoy.extensions.load_balancing_policies.round_robin.balancer import RoundRobin
from twisted_envoy.interfaces.upstream import ILoadBalancer
from twisted_envoy.testing import MemoryEnvoy
from twisted_envoy.upstream.health.flags import FAILED_EDS_HEALTH


def host(name: str, locality: str = "", weight: int = 0, priority: int = 0) -> Any:
    """One host."""
    return FakeHost(name, locality=locality, localityWeight=weight, priority=priority)


class LocalityWeightedTests(SynchronousTestCase):
    """Round robin within localities."""

    def make(self, *hosts: Any) -> Any:
        self.cluster = FakeCluster(hosts=hosts)
        for one in hosts:
            one.cluster = self.cluster
        balancer = LocalityWeighted(hosts, RoundRobin, 0)  # type: ignore[arg-type]
        verifyObject(ILoadBalancer, balancer)
        return balancer

    def test_weights(self) -> None:
        """Localities get their share, however many hosts they have; one of no weight nothing."""
        balancer = self.make(
            host("a", "x", 1), host("b", "x", 1), host("c", "y", 3), host("d", "z", 0)
        )
        found = picks(balancer, 16)
        self.assertEqual([found.count(name) for name in "abcd"], [2, 2, 12, 0])
        self.assertNotIn("cccc", found)

    def test_noWeights(self) -> None:
        """Without any weights, localities make no difference."""
        self.assertEqual(picks(self.make(host("a", "x"), host("b", "x"), host("c", "y")), 3), "abc")

    def test_hostsChanged(self) -> None:
        """Hosts may come and go."""
        first, second = host("a", "x", 1), host("b", "y", 9)
        balancer = self.make(first, second)
        self.assertEqual(picks(balancer, 10).count("b"), 9)
        balancer.hostsChanged([first])
        self.assertEqual(picks(balancer, 2), "aa")
        balancer.hostsChanged([])
        self.assertIsNone(balancer.choose(None))

    def test_health(self) -> None:
        """A locality weighs less when too few of its hosts are in use; 40 % are to spare."""
        hosts = [host(name, "x", 50) for name in "abcd"] + [host("e", "y", 50)]
        balancer = self.make(*hosts)
        for down, share in ((0, 100), (1, 100), (2, 82), (3, 52)):
            for one in hosts[:down]:
                one.health = FAILED_EDS_HEALTH
            balancer.hostsChanged(hosts[down:])
            found = picks(balancer, 200)
            self.assertLess(abs(200 - found.count("e") - share), 4)

    def test_maker(self) -> None:
        """Every balancer begins somewhere else."""
        make: Any = localityWeighted(RoundRobin, Random(0))  # type: ignore[arg-type]
        hosts = [host("a", "x", 1), host("b", "y", 1)]
        cluster = FakeCluster(hosts=tuple(hosts))
        for one in hosts:
            one.cluster = cluster
        self.assertEqual({picks(make(hosts), 2) for _ in range(20)}, {"ab", "ba"})


def group(number: int, priority: int = 0, weight: int | None = None) -> dict[str, Any]:
    """A locality of its own with one endpoint."""
    made: dict[str, Any] = {
        "lb_endpoints": [{"endpoint": {"address": addressOf(f"10.0.0.{number}:1")}}],
        "locality": {"region": f"r{number}"},
        "priority": priority,
    }
    return made if weight is None else {**made, "load_balancing_weight": weight}


class ServerTests(RefusalTestCase):
    """A running server."""

    def text(self, *groups: dict[str, Any], **fields: Any) -> str:
        assignment = {"cluster_name": "c", "endpoints": list(groups)}
        made = {"name": "c", "load_assignment": assignment, **fields}
        return bootstrap([listener("l", "127.0.0.1:9000", tcpProxy("c"))], [made])

    def reached(self, *groups: dict[str, Any], **fields: Any) -> list[int]:
        """How many of 20 connections reach hosts 1 to 3."""
        envoy = MemoryEnvoy(self.text(*groups, **fields))
        origins = [envoy.listen(f"10.0.0.{number}:1") for number in (1, 2, 3)]
        for _ in range(20):
            envoy.connect("127.0.0.1:9000")
            envoy.settle()
        return [len(origin.connections) for origin in origins]

    def test_priorities(self) -> None:
        """The first priority has everything, whichever policy; gaps do not matter."""
        for policy in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV"):
            found = self.reached(group(1, 2), group(2, 1), group(3, 3), lb_policy=policy)
            self.assertEqual(found, [0, 20, 0], policy)

    def test_prioritiesOfSubsets(self) -> None:
        """Each subset has a first priority of its own."""
        groups = [group(1, 0), group(2, 1)]
        lb = {"envoy.lb": {"k": "v"}}
        groups[1]["lb_endpoints"][0]["metadata"] = {"filter_metadata": lb}
        config = {"subset_selectors": [{"keys": ["k"]}], "fallback_policy": "ANY_ENDPOINT"}
        self.assertEqual(self.reached(*groups, lb_subset_config=config), [20, 0, 0])
        default = {"fallback_policy": "DEFAULT_SUBSET", "default_subset": {"k": "v"}}
        config = {**config, **default}
        self.assertEqual(self.reached(*groups, lb_subset_config=config), [0, 20, 0])

    def test_localities(self) -> None:
        """By weight when the cluster says so, evenly when it does not."""
        groups = (group(1, 0, 1), group(2, 0, 3), group(3, 1, 9))
        common = {"locality_weighted_lb_config": {}}
        self.assertEqual(self.reached(*groups, common_lb_config=common), [5, 15, 0])
        self.assertEqual(self.reached(*groups), [10, 10, 0])

    def test_unsupported(self) -> None:
        """Weights of localities are not obeyed by every policy."""
        common = {"locality_weighted_lb_config": {}}
        subset = {"subset_selectors": [{"keys": ["a"]}]}
        for fields in ({"lb_policy": "MAGLEV"}, {"lb_subset_config": subset}):
            text = self.text(group(1, 0, 1), common_lb_config=common, **fields)
            self.assertIsInstance(self.refused(text), UnsupportedField)
