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


class BalancerTests(RefusalTestCase):
    """lb_policy and load_balancing_policy."""

    def text(self, *addresses, **fields):
        return bootstrap([], [cluster("c", *(addresses or ("1.2.3.4:5",)), **fields)])

    def built(self, *addresses, **fields):
        return MemoryEnvoy(self.text(*addresses, **fields)).server.clusters.get("c")

    def test_byEnum(self):
        """lb_policy."""
        for name in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"):
            balancer = self.built("1.2.3.4:5", lb_policy=name)._balancer
            self.assertIn(name.lower(), type(balancer).__module__)

    def test_byList(self):
        """load_balancing_policy: the first that is implemented."""
        for names, found in (
            (("random.v3.Random", "round_robin.v3.RoundRobin"), "random"),
            (("maglev.v3.Maglev", "round_robin.v3.RoundRobin"), "round_robin"),
        ):
            balancer = self.built(load_balancing_policy=policy(*names))._balancer
            self.assertIn(found, type(balancer).__module__)

    def test_unimplemented(self):
        """What is not implemented says so."""
        text = self.text(lb_policy="MAGLEV")
        self.assertIsInstance(self.refused(text), UnsupportedField)
        self.assertRefused(text, "lb_policy MAGLEV is not implemented", '"lb_policy"')
        text = self.text(load_balancing_policy=policy("maglev.v3.Maglev"))
        self.assertIsInstance(self.refused(text), UnsupportedExtension)
        self.assertRefused(
            self.text(load_balancing_policy={"policies": []}),
            "didn't find a registered load balancer factory",
        )

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
        self.assertIn("random", type(made._balancer).__module__)

    def test_withoutEffect(self):
        """What would need health checks or hashing is accepted."""
        common = {"healthy_panic_threshold": {"value": 50}, "update_merge_window": "1s"}
        self.assertEqual(len(self.built(common_lb_config=common).hosts), 1)
