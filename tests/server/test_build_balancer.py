"""Which balancer a cluster gets."""

from __future__ import annotations

from tests.bootstraps import bootstrap, cluster
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedExtension, UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies."


def policy(*names):
    """A typed load_balancing_policy of these, in order."""
    configs = [
        {"typed_extension_config": {"name": name, "typed_config": {"@type": POLICIES + name}}}
        for name in names
    ]
    return {"policies": configs}


def policyOf(cluster):
    """The module of the balancer that chooses."""
    return cluster.balancer.choose.__module__


class BalancerTests(RefusalTestCase):
    """lb_policy and load_balancing_policy."""

    def text(self, *addresses, **fields):
        return bootstrap([], [cluster("c", *(addresses or ("1.2.3.4:5",)), **fields)])

    def built(self, *addresses, **fields):
        return MemoryEnvoy(self.text(*addresses, **fields)).server.clusters.get("c")

    def test_byEnum(self):
        """lb_policy."""
        for name in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV"):
            built = self.built("1.2.3.4:5", lb_policy=name)
            self.assertIn(name.lower(), policyOf(built))

    def test_byList(self):
        """load_balancing_policy: the first that is implemented."""
        for names, found in (
            (("random.v3.Random", "round_robin.v3.RoundRobin"), "random"),
            (
                (
                    "client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin",
                    "round_robin.v3.RoundRobin",
                ),
                "round_robin",
            ),
        ):
            built = self.built(load_balancing_policy=policy(*names))
            self.assertIn(found, policyOf(built))

    def test_unimplemented(self):
        """What is not implemented says so."""
        text = self.text(
            load_balancing_policy=policy(
                "client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin"
            )
        )
        self.assertIsInstance(self.refused(text), UnsupportedExtension)
        self.assertRefused(
            self.text(load_balancing_policy={"policies": []}),
            "didn't find a registered load balancer factory",
        )

    def test_ofOthers(self):
        """What is said of another policy has no effect; of the cluster's own, it must be obeyed."""
        slow = {"slow_start_config": {"slow_start_window": "1s"}}
        self.built(lb_policy="RANDOM", round_robin_lb_config=slow)
        self.built(lb_policy="MAGLEV", ring_hash_lb_config={"hash_function": "MURMUR_HASH_2"})
        for name, config in (("ROUND_ROBIN", slow), ("LEAST_REQUEST", slow)):
            text = self.text(lb_policy=name, **{f"{name.lower()}_lb_config": config})
            self.assertIsInstance(self.refused(text), UnsupportedField)
        balance = {"consistent_hashing_lb_config": {"hash_balance_factor": 120}}
        self.built(common_lb_config=balance)
        text = self.text(lb_policy="MAGLEV", common_lb_config=balance)
        self.assertIsInstance(self.refused(text), UnsupportedField)

    def test_hostnames(self):
        """Hosts that are found by name may be hashed by name; texts as observed on Envoy."""
        common = {"consistent_hashing_lb_config": {"use_hostname_for_hashing": True}}
        dns = "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster"
        for kind, name in (
            ({}, "envoy.cluster.static"),
            ({"type": "LOGICAL_DNS"}, "envoy.cluster.logical_dns"),
            ({"cluster_type": {"name": "envoy.cluster.strict_dns"}}, "envoy.cluster.strict_dns"),
            ({"cluster_type": {"name": "x", "typed_config": {"@type": dns}}}, ""),
        ):
            problem = "Cannot use hostname for consistent hashing loadbalancing for cluster of type"
            for policy in ("RANDOM", "RING_HASH"):
                text = self.text(lb_policy=policy, common_lb_config=common, **kind)
                self.assertRefused(text, f"{problem}: '{name}'")
        self.built("a.test:1", type="STRICT_DNS", lb_policy="MAGLEV", common_lb_config=common)

    def test_combinations(self):
        """What Envoy refuses together, and what it misses."""
        subset = {"fallback_policy": "ANY_ENDPOINT"}
        for fields, problem in (
            (
                {"load_balancing_policy": policy("random.v3.Random"), "lb_subset_config": subset},
                "load_balancing_policy cannot be combined with lb_subset_config",
            ),
            (
                {"lb_policy": "LOAD_BALANCING_POLICY_CONFIG"},
                "field load_balancing_policy need to be set",
            ),
            (
                {"lb_policy": "CLUSTER_PROVIDED", "lb_subset_config": subset},
                "LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config",
            ),
            (
                {"lb_policy": "CLUSTER_PROVIDED"},
                "cluster provided LB specified but cluster 'c' did not provide one",
            ),
        ):
            self.assertRefused(self.text(**fields), problem)

    def test_unknownPolicies(self):
        """A policy that nobody knows is passed over, as one without a config is."""
        named = policy("random.v3.Random")["policies"]
        echo = "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo"
        unknown = {"typed_extension_config": {"name": "mine", "typed_config": {"@type": echo}}}
        made = self.built(load_balancing_policy={"policies": [{}, unknown, *named]})
        self.assertIn("random", policyOf(made))

    def test_withoutEffect(self):
        """What would need health checks or hashing is accepted."""
        common = {"healthy_panic_threshold": {"value": 50}, "update_merge_window": "1s"}
        self.assertEqual(len(self.built(common_lb_config=common).hosts), 1)
