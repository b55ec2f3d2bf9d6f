"""Original destination clusters in a bootstrap; texts as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, cluster, typed
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy

TYPE = "type.googleapis.com/envoy.extensions.clusters.original_dst.v3.OriginalDstCluster"
NO_ASSIGNMENT = "ORIGINAL_DST clusters must have no load assignment configured"
WRONG_POLICY = (
    "cluster: LB policy ROUND_ROBIN is not valid for Cluster type {}. Only 'CLUSTER_PROVIDED' is "
    "allowed with cluster type 'ORIGINAL_DST'"
)


def text(**fields: Any) -> str:
    """A bootstrap with one cluster that provides its balancer."""
    return bootstrap([], [{"name": "c", "lb_policy": "CLUSTER_PROVIDED", **fields}])


def custom(name: str = "x", **content: Any) -> dict[str, Any]:
    """A cluster_type with the message of its own."""
    return {"name": name, "typed_config": {"@type": TYPE, **content}}


class OriginalDstClusterTests(RefusalTestCase):
    """What is accepted and what is refused."""

    def test_accepted(self) -> None:
        """By type, by name and by message; there are no hosts at first."""
        for fields in (
            {"type": "ORIGINAL_DST", "dns_refresh_rate": "1s", "ring_hash_lb_config": {}},
            {"cluster_type": {"name": "envoy.cluster.original_dst"}},
            {"cluster_type": custom(use_http_header=True, http_header_name="X-To")},
            {"cluster_type": custom(metadata_key={"key": "a", "path": [{"index": 0}]})},
        ):
            envoy = MemoryEnvoy(text(**fields))
            self.assertEqual(envoy.stat("cluster.c.membership_total"), 0)

    def test_policy(self) -> None:
        """No other balancer will do."""
        wrong = {"lb_policy": "ROUND_ROBIN"}
        named = {"name": "envoy.cluster.original_dst"}
        assignment = cluster("c", "1.2.3.4:5")["load_assignment"]
        for fields, kind in (
            ({"type": "ORIGINAL_DST", "load_assignment": assignment}, "ORIGINAL_DST"),
            ({"cluster_type": named}, "envoy.cluster.original_dst"),
            ({"cluster_type": custom("mine")}, "mine"),
        ):
            self.assertRefused(text(**fields, **wrong), WRONG_POLICY.format(kind), '"lb_policy"')
        rule = typed("r", "load_balancing_policies.random.v3.Random")
        policy = {"policies": [{"typed_extension_config": rule}]}
        self.assertRefused(
            text(type="ORIGINAL_DST", load_balancing_policy=policy),
            "cluster manager: cluster provided LB not specified but cluster 'c' provided one.",
        )

    def test_assignment(self) -> None:
        """Its hosts are never configured."""
        assignment = cluster("c", "1.2.3.4:5")["load_assignment"]
        for assigned in (assignment, {"cluster_name": "c"}):
            fields = {"type": "ORIGINAL_DST", "load_assignment": assigned}
            self.assertRefused(text(**fields), NO_ASSIGNMENT)

    def test_header(self) -> None:
        """A header's name without use_http_header is a mistake."""
        problem = (
            "ORIGINAL_DST cluster: invalid config http_header_name=x and use_http_header is "
            "false. Set use_http_header to true if http_header_name is desired."
        )
        legacy = {"http_header_name": "x"}
        self.assertRefused(
            text(type="ORIGINAL_DST", original_dst_lb_config=legacy), problem, '"http_header'
        )
        self.assertRefused(text(cluster_type=custom(http_header_name="x")), problem, '"http_header')

    def test_subset(self) -> None:
        """There are no subsets of what is not known."""
        subset = {"subset_selectors": [{"keys": ["a"]}]}
        self.assertRefused(
            text(type="ORIGINAL_DST", lb_subset_config=subset),
            "cluster: LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config",
        )
