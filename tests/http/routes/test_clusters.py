"""Tests for twisted_envoy.http.routes.clusters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import (
    Context,
    action,
    only,
    problem,
    request,
    routes,
    tableOf,
    wrong,
)


class ClusterTests(SynchronousTestCase):
    def test_cluster(self) -> None:
        """cluster is a name."""
        self.assertEqual(action("").clusterName(request()), "a")

    def test_clusterHeader(self) -> None:
        """cluster_header names the header that has the name; it may be missing."""
        entry = only("{match: {prefix: /}, route: {cluster_header: X-Cluster}}")
        self.assertEqual(entry.clusterName(request(x_cluster="b")), "b")
        self.assertIsNone(entry.clusterName(request()))
        self.assertIsNone(entry.clusterName(request(x_cluster="")))

    def test_unknown(self) -> None:
        """A cluster has to exist, unless validate_clusters says no."""
        route = "{match: {prefix: /}, route: {cluster: zz}}"
        self.assertEqual(wrong(route), "route: unknown cluster 'zz'")
        tableOf(routes(route, config="validate_clusters: false"), Context())
        asked = routes(route, config="validate_clusters: true")
        self.assertEqual(problem(asked), "route: unknown cluster 'zz'")

    def test_notFoundCode(self) -> None:
        """cluster_not_found_response_code, 503 unless it is set."""
        self.assertEqual(action("").clusterNotFoundCode, 503)
        for name, code in (("NOT_FOUND", 404), ("INTERNAL_SERVER_ERROR", 500)):
            entry = action(f"cluster_not_found_response_code: {name}")
            self.assertEqual(entry.clusterNotFoundCode, code)
