"""Subsets in a bootstrap; texts as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy, typed
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

POLICIES = "load_balancing_policies."


def policies(*policy: dict[str, Any]) -> dict[str, Any]:
    """A LoadBalancingPolicy."""
    return {"policies": [{"typed_extension_config": one} for one in policy]}


def subset(**fields: Any) -> dict[str, Any]:
    """The cluster's fields for the same by load_balancing_policy."""
    fields.setdefault("subset_lb_policy", policies(typed("r", f"{POLICIES}random.v3.Random")))
    return {"load_balancing_policy": policies(typed("s", f"{POLICIES}subset.v3.Subset", **fields))}


def hosts(**fields: Any) -> dict[str, Any]:
    """Cluster c of two hosts whose `stage` is dev and prod."""
    made = cluster("c", "10.0.0.1:1", "10.0.0.2:1", **fields)
    endpoints = made["load_assignment"]["endpoints"][0]["lb_endpoints"]
    for endpoint, stage in zip(endpoints, ("dev", "prod"), strict=True):
        endpoint["metadata"] = {"filter_metadata": {"envoy.lb": {"stage": stage}}}
    return made


def asking(stage: str | None, **fields: Any) -> str:
    """A TCP proxy that wants hosts of a stage."""
    wanted = {} if stage is None else {"envoy.lb": {"stage": stage}}
    proxy = tcpProxy("c", metadata_match={"filter_metadata": wanted})
    return bootstrap([listener("l", "127.0.0.1:9000", proxy)], [hosts(**fields)])


SELECTORS = [{"keys": ["stage"]}]


class SubsetFactoryTests(RefusalTestCase):
    """A running server, and refusals."""

    def reached(self, text: str) -> str:
        """The hosts that six connections reach."""
        envoy = MemoryEnvoy(text)
        origins = {name: envoy.listen(f"10.0.0.{name}:1") for name in "12"}
        for _ in range(6):
            envoy.connect("127.0.0.1:9000")
            envoy.settle()
        self.envoy = envoy
        return "".join(name for name, origin in origins.items() if origin.connections)

    def test_chooses(self) -> None:
        """A TCP proxy reaches the hosts that it asks for; both ways to configure it."""
        for fields in (
            {"lb_subset_config": {"subset_selectors": SELECTORS}},
            subset(subset_selectors=SELECTORS),
        ):
            self.assertEqual(self.reached(asking("prod", **fields)), "2")
            self.assertEqual(self.reached(asking("dev", **fields)), "1")
            self.assertEqual(self.envoy.stat("cluster.c.lb_subsets_selected"), 6)
            self.assertEqual(self.envoy.stat("cluster.c.lb_subsets_active"), 4)
            self.assertEqual(self.reached(asking("test", **fields)), "")
            self.assertEqual(self.envoy.stat("cluster.c.upstream_cx_none_healthy"), 6)

    def test_fields(self) -> None:
        """Each field reaches the balancer."""
        default = {"fallback_policy": "DEFAULT_SUBSET", "default_subset": {"stage": "prod"}}
        nobody = {"fallback_policy": "DEFAULT_SUBSET", "default_subset": {"stage": "x"}}
        for fields, expected in (
            ({"fallback_policy": "ANY_ENDPOINT"}, "12"),
            (default, "2"),
            ({**nobody, "panic_mode_any": True}, "12"),
            ({"subset_selectors": [{"keys": ["stage"], "fallback_policy": "ANY_ENDPOINT"}]}, "12"),
        ):
            config = {"subset_selectors": SELECTORS, **fields}
            text = asking("test", lb_subset_config=config)
            self.assertEqual(self.reached(text), expected, fields)
            self.assertEqual(self.reached(asking("test", **subset(**config))), expected, fields)

    def test_noSelectors(self) -> None:
        """Without selectors a cluster has no subsets, whatever else is said."""
        config = {"fallback_policy": "DEFAULT_SUBSET", "default_subset": {"stage": "prod"}}
        self.assertEqual(self.reached(asking("dev", lb_subset_config=config)), "12")
        self.assertEqual(self.reached(asking("dev", **subset(**config))), "2")

    def test_keysSubset(self) -> None:
        """What Envoy refuses of fallback_keys_subset."""
        keys = {"keys": ["a", "b"]}
        wanted = {**keys, "fallback_policy": "KEYS_SUBSET"}
        for selector, problem in (
            (wanted, "fallback_keys_subset cannot be empty"),
            (
                {**wanted, "fallback_keys_subset": ["c"]},
                "fallback_keys_subset must be a subset of selector keys",
            ),
            (
                {**wanted, "fallback_keys_subset": ["b", "a"]},
                "fallback_keys_subset cannot be equal to keys",
            ),
            (
                {**keys, "fallback_keys_subset": ["a"]},
                "fallback_keys_subset can be set only for KEYS_SUBSET fallback_policy",
            ),
        ):
            config = {"subset_selectors": [selector]}
            self.assertRefused(asking(None, lb_subset_config=config), problem)

    def test_inner(self) -> None:
        """A subset needs a balancer."""
        for inner in ({}, {"policies": []}):
            self.assertRefused(
                asking(None, **subset(subset_lb_policy=inner)),
                "cluster: didn't find a registered load balancer factory implementation for "
                "subset lb with names from []",
            )

    def test_localities(self) -> None:
        """Weights of localities are not supported; that they do not count is."""
        for field in ("locality_weight_aware", "scale_locality_weight"):
            config = {"subset_selectors": SELECTORS, field: True}
            problem = self.refused(asking(None, lb_subset_config=config))
            self.assertIsInstance(problem, UnsupportedField)
            MemoryEnvoy(asking(None, lb_subset_config={**config, field: False}))
