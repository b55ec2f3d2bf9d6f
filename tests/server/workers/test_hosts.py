"""Tests for `twisted_envoy.server.workers.hosts`."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.server.workers.crew import build
from twisted_envoy.server.workers.hosts import Rate, Rates, SummedClusters, Thresholds
from twisted_envoy.server.workers.snapshot import snapshotOf


class SummedClustersTests(SynchronousTestCase):
    """The clusters of two workers."""

    def setUp(self) -> None:
        self.servers = [build(Clock()) for _ in range(2)]
        for number, server in enumerate(self.servers):
            self.hostOf(server).stats.rq_total.value += number + 1
        self.said = [snapshotOf(server)["clusters"] for server in self.servers]
        self.own: Any = self.servers[0].clusters

    def hostOf(self, server: Any) -> Any:
        """The only host."""
        return server.clusters.get("origin").hosts[0]

    def summed(self) -> Any:
        """Their only cluster."""
        return SummedClusters(self.own, self.said).get("origin")

    def test_adds(self) -> None:
        """One host, with the figures of both."""
        (host,) = self.summed().hosts
        self.assertEqual(host.stats.rq_total.value, 3)
        self.assertEqual((host.weight, host.healthFlags, host.monitor), (1, "healthy", None))

    def test_different(self) -> None:
        """What one of them has found alone is there too."""
        self.said[1]["origin"]["hosts"][0]["address"][2] = 10
        self.assertEqual([host.address.port for host in self.summed().hosts], [9, 10])

    def test_outliers(self) -> None:
        """As the first one sees it."""
        self.said[0]["origin"]["outlier"] = [[90.0, 80.0], [-1.0, -1.0]]
        self.said[0]["origin"]["hosts"][0]["rates"] = [99.0, -1.0]
        self.assertEqual(self.summed().outlier, Thresholds((90.0, 80.0), (-1.0, -1.0)))
        self.assertEqual(self.summed().hosts[0].monitor, Rates(Rate(99.0), Rate(-1.0)))

    def test_nobody(self) -> None:
        """Without a worker it is what the first process was built with."""
        self.said = []
        self.assertEqual(list(self.summed().hosts), [self.hostOf(self.servers[0])])

    def test_names(self) -> None:
        """The config's; no other is known."""
        clusters = SummedClusters(self.own, self.said)
        self.assertEqual(list(clusters.names()), ["origin"])
        self.assertIsNone(clusters.get("x"))
