"""Tests for twisted_envoy.http.routes.weighted."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import (
    Context,
    edited,
    match,
    request,
    requestInfo,
    routes,
    tableOf,
    wrong,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.errors import ConfigError


def weighted(clusters: str, more: str = "", action: str = "", route: str = "") -> str:
    return (
        f"{{name: w, match: {{prefix: /}}, route: {{weighted_clusters: {{clusters: [{clusters}]"
        f"{more}}}{action}}}{route}}}"
    )


THREE = "{name: a, weight: 10}, {name: b, weight: 0}, {name: c, weight: 20}"


class WeightedTests(SynchronousTestCase):
    def picked(
        self, yaml: str, value: int, headers: HeaderMap | None = None, context: object = None
    ) -> str | None:
        headers = request() if headers is None else headers
        entry = match(tableOf(routes(yaml), context), headers, value)
        assert entry is not None
        return entry.clusterName(headers)

    def test_weights(self) -> None:
        """The random value decides; total_weight does not."""
        yaml = weighted(THREE, ", total_weight: 7")
        found = [self.picked(yaml, value) for value in (0, 9, 10, 29, 30, 40)]
        self.assertEqual(found, ["a", "a", "c", "c", "a", "c"])

    def test_headerName(self) -> None:
        """header_name: the value of a header decides, if it is a number."""
        yaml = weighted(THREE, ", header_name: X-Random")
        self.assertEqual(self.picked(yaml, 0, request(x_random="29")), "c")
        self.assertEqual(self.picked(yaml, 0, request(x_random="x")), "a")

    def test_hashPolicy(self) -> None:
        """use_hash_policy: the same hash gives the same cluster."""
        policy = ", hash_policy: [{header: {header_name: x}}]"
        yaml = weighted(
            "{name: a, weight: 1}, {name: c, weight: 1}", ", use_hash_policy: true", policy
        )
        found = {self.picked(yaml, value, request(x="same")) for value in range(4)}
        self.assertEqual(len(found), 1)
        self.assertEqual(len({self.picked(yaml, value) for value in range(2)}), 2)

    def test_runtime(self) -> None:
        """runtime_key_prefix: weights of the runtime instead."""
        yaml = weighted(THREE, ", runtime_key_prefix: w")
        context = Context(runtime={"w.a": 0, "w.b": 5, "w.c": -1})
        found = [self.picked(yaml, value, context=context) for value in (0, 4, 5)]
        self.assertEqual(found, ["b", "b", "c"])
        nothing = Context(runtime={"w.a": 0, "w.b": 0, "w.c": 0})
        with self.assertRaises(ConfigError) as caught:
            self.picked(yaml, 3, context=nothing)
        self.assertIn("Sum of weights", str(caught.exception))
        context.runtime.values["w.b"] = 0
        self.assertEqual(self.picked(yaml, 4, context=context), "c")

    def test_nothingLater(self) -> None:
        """When the runtime leaves no weight the next route is looked at."""
        context = Context(runtime={"w.a": 1})
        yaml = weighted("{name: a, weight: 1}", ", runtime_key_prefix: w")
        both = routes(yaml, "{name: next, match: {prefix: /}, route: {cluster: b}}")
        table = tableOf(both, context)
        first = match(table, request(), 0)
        context.runtime.values["w.a"] = 0
        second = match(table, request(), 0)
        assert first is not None and second is not None
        self.assertEqual((first.name, second.name), ("w", "next"))

    def test_ownSettings(self) -> None:
        """A cluster's own edits come first, its metadata last; cluster_header names one."""
        sets = "[{header: {key: x, value: %s}, append_action: ADD_IF_ABSENT}]"
        yaml = weighted(
            f"{{cluster_header: x-c, weight: 1, request_headers_to_add: {sets % 'own'}, "
            f"response_headers_to_add: {sets % 'own'}, host_rewrite_literal: own.host, "
            "metadata_match: {filter_metadata: {envoy.lb: {k: own}}}}",
            "",
            ", metadata_match: {filter_metadata: {envoy.lb: {k: route, r: 1}}}",
            f", request_headers_to_add: {sets % 'route'}, response_headers_to_add: "
            f"{sets % 'route'}",
        )
        headers, entry = edited(tableOf(routes(yaml)), request(x_c="b"))
        response = HeaderMap()
        entry.finalizeResponse(response, requestInfo())
        self.assertEqual(entry.clusterName(headers), "b")
        self.assertEqual((headers[b"x"], response[b"x"]), (b"own", b"own"))
        self.assertEqual(headers[b":authority"], b"own.host")
        self.assertEqual(entry.metadataMatch, {"k": "own", "r": 1})
        self.assertEqual(entry.name, "w")

    def test_onlyHost(self) -> None:
        """A cluster may rewrite the host and nothing else."""
        yaml = weighted("{name: a, weight: 1, host_rewrite_literal: own.host}")
        self.assertEqual(edited(tableOf(routes(yaml)))[0][b":authority"], b"own.host")

    def test_errors(self) -> None:
        """In Envoy's words."""
        most = (1 << 32) - 1
        for clusters, problem in {
            "{name: zz, weight: 1}": "route: unknown weighted cluster 'zz'",
            "{name: a, weight: 0}": "Sum of weights in the weighted_cluster must be greater than "
            "0.",
            "{name: a}": "Field 'weight' is missing in: WeightedCluster.ClusterWeight",
            f"{{name: a, weight: {most}}}, {{name: b, weight: 1}}": "The sum of weights of all "
            f"weighted clusters of route w exceeds {most}",
            "{name: a, cluster_header: x, weight: 1}": "Only one of name or cluster_header can be "
            "specified",
            "{weight: 1}": "At least one of name or cluster_header need to be specified",
        }.items():
            self.assertEqual(wrong(weighted(clusters)), problem)
