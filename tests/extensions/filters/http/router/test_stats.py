"""Tests for router.stats."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing, VirtualHost
from twisted_envoy.extensions.filters.http.router.stats import CodeStats
from twisted_envoy.http.routes.group_stats import GroupStats
from twisted_envoy.http.routes.virtual_clusters import VirtualCluster, VirtualClusters
from twisted_envoy.stats.scope import Store


class CodeStatsTests(SynchronousTestCase):
    """What answers add to."""

    def setUp(self):
        self.store = Store()
        self.stats = CodeStats(self.store)
        self.codes = self.stats.of(SimpleNamespace(observabilityName="c"))

    def used(self):
        return {one.name: one.value for one in self.store.numbers() if one.value}

    def test_sameClusterSameCounters(self):
        self.assertIs(self.stats.of(SimpleNamespace(observabilityName="c")), self.codes)

    def test_charge(self):
        self.codes.charge(200, False)
        self.codes.charge(200, True)

        expected = {}
        for prefix, value in (("", 2), ("internal.", 1), ("external.", 1)):
            for name in ("completed", "2xx", "200"):
                expected[f"cluster.c.{prefix}upstream_rq_{name}"] = value
        self.assertEqual(self.used(), expected)

    def test_oddStatus(self):
        self.codes.charge(700, False)

        self.assertEqual(
            set(self.used()),
            {"cluster.c.upstream_rq_completed", "cluster.c.external.upstream_rq_completed"},
        )

    def test_prefixes(self):
        self.codes.chargeUnder("retry.", 503)
        self.codes.chargeUnder("retry.", 503)

        self.assertEqual(self.used()["cluster.c.retry.upstream_rq_503"], 2)

    def test_times(self):
        self.codes.recordTime(5, True)
        self.codes.recordTime(6, False)
        self.codes.recordTimeUnder("canary.", 6)
        self.store.merge()

        found = {name: one.total.count for name, one in self.store.histograms.items()}
        self.assertEqual(
            found,
            {
                "cluster.c.upstream_rq_time": 2,
                "cluster.c.canary.upstream_rq_time": 1,
                "cluster.c.internal.upstream_rq_time": 1,
                "cluster.c.external.upstream_rq_time": 1,
            },
        )

    def test_internalRequest(self):
        routing = Routing()
        routing.request((b"x-envoy-internal", b"true"))
        routing.asked[0].answer(200)

        self.assertEqual(routing.value("internal.upstream_rq_200"), 1)

    def test_virtualCluster(self):
        routing = Routing()
        stats = GroupStats(routing.stats.scope("vhost.vh.vcluster.vc."))
        found = VirtualClusters([VirtualCluster("vc", (), stats)])
        self.patch(VirtualHost, "virtualClusters", found)
        stream = routing.request()
        routing.asked[0].answer(200)

        self.assertEqual(stream.streamInfo.virtualClusterName, "vc")
        prefix = "vhost.vh.vcluster.vc.upstream_rq_"
        for name in ("200", "2xx", "completed", "total"):
            self.assertEqual(routing.stats.value(prefix + name), 1, name)
        routing.stats.merge()
        self.assertEqual(routing.stats.histograms[prefix + "time"].total.count, 1)

    def test_notDynamic(self):
        """Without dynamic_stats, and for health checks, nothing is counted by code."""
        for config, isHealthCheck in (({"dynamic_stats": False}, False), ({}, True)):
            routing = Routing(config)
            stream = routing.request()
            stream.streamInfo.isHealthCheck = isHealthCheck
            routing.asked[0].answer(200)

            self.assertNotIn("cluster.origin.upstream_rq_200", routing.stats.counters)


class ZoneTests(SynchronousTestCase):
    """Answers between zones."""

    def test_zones(self):
        """What a host of a named zone answers to a server in one counts under both names."""
        routing = Routing()
        routing.cluster.hosts[0].locality = SimpleNamespace(zone="there")
        routing.request()
        routing.asked[0].answer(200)

        name = "cluster.origin.zone.here.there.upstream_rq_200"
        self.assertEqual(routing.stats.value(name), 1)
