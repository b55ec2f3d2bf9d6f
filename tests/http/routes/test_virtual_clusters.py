"""Tests for twisted_envoy.http.routes.virtual_clusters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import problem, request, routes, tableOf

ROUTE = "{match: {prefix: /}, route: {cluster: a}}"


class VirtualClusterTests(SynchronousTestCase):
    def test_names(self) -> None:
        """virtual_clusters: the first whose headers match, else `other`."""
        clusters = (
            "virtual_clusters: [{name: put, headers: [{name: ':method', string_match: "
            "{exact: PUT}}]}, {name: a, headers: [{name: x}, {name: z}]}]"
        )
        host = tableOf(routes(ROUTE, host=clusters)).virtualHosts[0]
        found = [
            host.virtualClusters.find(one)
            for one in (request(method="PUT", x="", z=""), request(x="", z=""), request(x=""))
        ]
        self.assertEqual([one and one.name for one in found], ["put", "a", "other"])
        self.assertEqual(host.virtualClusters.names, ("put", "a", "other"))

    def test_none(self) -> None:
        """Where there are none there is no name."""
        host = tableOf(routes(ROUTE)).virtualHosts[0]
        self.assertIsNone(host.virtualClusters.find(request()))
        self.assertEqual(host.virtualClusters.names, ())

    def test_errors(self) -> None:
        """Headers are needed."""
        self.assertEqual(
            problem(routes(ROUTE, host="virtual_clusters: [{name: x}]")),
            "virtual clusters must define 'headers'",
        )
