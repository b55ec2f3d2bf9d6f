"""What is read and refused about load balancing."""

from __future__ import annotations

from tests.bootstraps import bootstrap, cluster
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy

TYPES = "type.googleapis.com/envoy.extensions."
SUBSET = {"subset_selectors": [{"keys": ["a"]}]}


def policies(*kinds):
    """A load_balancing_policy of these types; None for a policy without any."""
    return {
        "policies": [
            {}
            if kind is None
            else {"typed_extension_config": {"name": "p", "typed_config": {"@type": TYPES + kind}}}
            for kind in kinds
        ]
    }


def text(**fields):
    """A bootstrap with one cluster."""
    return bootstrap([], [cluster("c", "1.2.3.4:5", **fields)])


ROUND_ROBIN = "load_balancing_policies.round_robin.v3.RoundRobin"
ECHO = "filters.network.echo.v3.Echo"


class BalancerTests(RefusalTestCase):
    """A cluster's policy."""

    def test_typedPolicyWins(self):
        """With a typed policy the enum and the old configs mean nothing."""
        MemoryEnvoy(
            text(
                load_balancing_policy=policies(ROUND_ROBIN),
                lb_policy="RING_HASH",
                least_request_lb_config={"choice_count": 3},
            )
        )

    def test_unknownPoliciesAreSkipped(self):
        """What is no policy, or empty, is passed over while another follows."""
        MemoryEnvoy(text(load_balancing_policy=policies(ECHO, None, ROUND_ROBIN)))

    def test_noPolicyIsLeft(self):
        """Otherwise the error names all of them."""
        problem = (
            "cluster: didn't find a registered load balancer factory implementation for cluster: "
            "'c' with names from [p, ]"
        )
        self.assertRefused(text(load_balancing_policy=policies(ECHO, None)), problem)

    def test_aPolicysMistake(self):
        """A policy that is known and wrong is not passed over."""
        wrong = policies("load_balancing_policies.least_request.v3.LeastRequest", ROUND_ROBIN)
        wrong["policies"][0]["typed_extension_config"]["typed_config"]["choice_count"] = 1
        self.assertRefused(text(load_balancing_policy=wrong), "LeastRequestValidationError")

    def test_configsOfOtherPolicies(self):
        """They, and what needs unhealthy hosts, have no effect, as in Envoy."""
        MemoryEnvoy(
            text(
                least_request_lb_config={"choice_count": 3},
                common_lb_config={"healthy_panic_threshold": {"value": 30}},
            )
        )

    def test_refused(self):
        """What does not go together."""
        for fields, problem in (
            ({"lb_policy": "CLUSTER_PROVIDED"}, "cluster provided LB specified but cluster 'c'"),
            (
                {"lb_policy": "CLUSTER_PROVIDED", "lb_subset_config": SUBSET},
                "cluster: LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config",
            ),
            (
                {"load_balancing_policy": policies(ROUND_ROBIN), "lb_subset_config": SUBSET},
                "cluster: load_balancing_policy cannot be combined with lb_subset_config",
            ),
            (
                {"lb_policy": "LOAD_BALANCING_POLICY_CONFIG"},
                "cluster: field load_balancing_policy need to be set",
            ),
            ({"lb_policy": "MAGLEV"}, "lb_policy MAGLEV is not implemented"),
        ):
            self.assertRefused(text(**fields), problem)


class ClusterRefusalTests(RefusalTestCase):
    """What else Envoy refuses of a cluster, in its words."""

    def test_types(self):
        """Types that are not implemented have mistakes of their own."""
        for fields, problem in (
            ({"type": "EDS"}, "cannot create an EDS cluster without an EDS config"),
            (
                {"type": "ORIGINAL_DST"},
                "cluster: LB policy ROUND_ROBIN is not valid for Cluster type ORIGINAL_DST.",
            ),
            (
                {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"},
                "ORIGINAL_DST clusters must have no load assignment configured",
            ),
            ({"eds_cluster_config": {}}, "eds_cluster_config set in a non-EDS cluster"),
        ):
            self.assertRefused(text(**fields), problem)

    def test_moreSources(self):
        """At most one address of each IP version may be bound to."""
        first = {"address": "127.0.0.1", "port_value": 0}
        other = {"address": {"address": "127.0.0.2", "port_value": 0}}
        six = {"address": {"address": "::1", "port_value": 0}}
        for field in ("extra_source_addresses", "additional_source_addresses"):
            sources = [source["address"] for source in (other, six)]
            given = [other, six] if field.startswith("extra") else sources
            for chosen, problem in (
                (given[:1], "two same IP version source addresses"),
                (given, "more than one extra/additional source addresses"),
                (given[1:], "a second source address is not implemented"),
            ):
                bind = {"source_address": first, field: chosen}
                self.assertRefused(text(upstream_bind_config=bind), problem)

    def test_perHostThresholds(self):
        """Only connections can be limited per host."""
        self.assertRefused(
            text(circuit_breakers={"per_host_thresholds": [{"max_requests": 1}]}),
            "Unsupported field in per_host_thresholds",
        )

    def test_protocolOptions(self):
        """Their own rules are checked first."""
        name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        options = {name: {"@type": f"type.googleapis.com/{name}"}}
        self.assertRefused(
            text(typed_extension_protocol_options=options),
            'field: "upstream_protocol_options", reason: is required',
        )
