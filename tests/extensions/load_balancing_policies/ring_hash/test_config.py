"""Ring hash's factory; texts as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy
from tests.extensions.load_balancing_policies.hashing import choices, hashedHosts
from tests.extensions.load_balancing_policies.ring_hash.test_balancer import EQUAL, OBSERVED
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError, UnsupportedField
from twisted_envoy.extensions.load_balancing_policies.ring_hash import factories
from twisted_envoy.testing import MemoryEnvoy

CLUSTER = "envoy.config.cluster.v3.Cluster"
HASHING = {"use_hostname_for_hashing": True}


class FactoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        (self.factory,) = factories

    def build(self, content: dict[str, Any], weights: Any = (1, 1, 1, 1), keyed: Any = None) -> str:
        """What is chosen, from a message of its own."""
        self.config = configOf(self.factory.typeURL, content)
        make = self.factory.build(self.config, Context())
        return choices(make(hashedHosts(weights, keyed)))

    def test_build(self) -> None:
        """Each field counts."""
        self.assertEqual(self.build({"hash_function": "XX_HASH"}), EQUAL)
        sizes = {"minimum_ring_size": 50, "maximum_ring_size": 100}
        self.assertEqual(self.build(sizes, (1, 2, 3, 7)), OBSERVED[1][3])
        named = OBSERVED[3][3]
        for content in (HASHING, {"consistent_hashing_lb_config": HASHING}):
            self.assertEqual(self.build(content, keyed=1), named)
            self.assertEqual(unreadFields(self.config), [])

    def test_fromCluster(self) -> None:
        """By lb_policy."""
        sizes = {"minimum_ring_size": 50, "maximum_ring_size": 100}
        for fields, weights, keyed, expected in (
            ({}, (1, 1, 1, 1), None, EQUAL),
            ({"ring_hash_lb_config": sizes}, (1, 2, 3, 7), None, OBSERVED[1][3]),
            (
                {"common_lb_config": {"consistent_hashing_lb_config": HASHING}},
                (1, 1, 1, 1),
                1,
                OBSERVED[3][3],
            ),
        ):
            config = configOf(CLUSTER, {"name": "c", **fields})
            make = self.factory.buildFromCluster(config, Context())
            self.assertEqual(choices(make(hashedHosts(weights, keyed))), expected)

    def test_refused(self) -> None:
        """The limits must be in order; one hash function is not there."""
        problem = self.assertRaises(
            ConfigError, self.build, {"minimum_ring_size": 10, "maximum_ring_size": 5}
        )
        self.assertEqual(
            problem.problem, "ring hash: minimum_ring_size (10) > maximum_ring_size (5)"
        )
        self.assertRaises(UnsupportedField, self.build, {"hash_function": "MURMUR_HASH_2"})

    def test_unsupported(self) -> None:
        """What is not obeyed is left to be reported."""
        hashing = {"hash_balance_factor": 120}
        self.build({"consistent_hashing_lb_config": hashing, "locality_weighted_lb_config": {}})
        self.assertEqual(
            sorted(unreadFields(self.config)),
            ["consistent_hashing_lb_config.hash_balance_factor", "locality_weighted_lb_config"],
        )

    def test_server(self) -> None:
        """A TCP proxy sends each client to a host of its own."""
        addresses = [f"10.0.0.{number}:1" for number in range(1, 5)]
        proxy = tcpProxy("c", hash_policy=[{"source_ip": {}}])
        text = bootstrap(
            [listener("l", "127.0.0.1:9000", proxy)],
            [cluster("c", *addresses, lb_policy="RING_HASH")],
        )
        envoy = MemoryEnvoy(text)
        origins = [envoy.listen(address) for address in addresses]
        for number in range(12):
            for _ in range(2):
                envoy.connect("127.0.0.1:9000", f"10.1.0.{number}:0")
                envoy.settle()
        counts = [len(origin.connections) for origin in origins]
        self.assertEqual(sum(counts), 24)
        self.assertTrue(all(count % 2 == 0 for count in counts), counts)
        self.assertGreater(len([count for count in counts if count]), 1)
        self.assertEqual(envoy.stat("cluster.c.ring_hash_lb.size"), 1024)
