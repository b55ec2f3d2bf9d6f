"""What a group of requests counts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, match, request, routes, tableOf
from twisted_envoy.http.routes.group_stats import GroupStats
from twisted_envoy.stats.scope import Store


class GroupStatsTests(SynchronousTestCase):
    def test_charge(self) -> None:
        """Answers by code, by class and together; odd codes only together."""
        store = Store()
        stats = GroupStats(store.scope("g."))
        for status in (200, 204, 200, 700):
            stats.charge(status)
        found = {name: counter.value for name, counter in store.counters.items() if counter.value}
        self.assertEqual(
            found,
            {
                "g.upstream_rq_200": 2,
                "g.upstream_rq_204": 1,
                "g.upstream_rq_2xx": 3,
                "g.upstream_rq_completed": 4,
            },
        )

    def test_time(self) -> None:
        """A histogram once there is a time."""
        store = Store()
        stats = GroupStats(store.scope("g."))
        self.assertNotIn("g.upstream_rq_time", store.histograms)
        stats.recordTime(5)
        stats.recordTime(6)
        store.merge()
        self.assertEqual(store.histograms["g.upstream_rq_time"].total.count, 2)

    def test_route(self) -> None:
        """stat_prefix of a route names its group."""
        context = Context()
        yaml = "{match: {prefix: /}, stat_prefix: own, route: {cluster: a}}"
        entry = match(tableOf(routes(yaml), context), request(), 0)
        assert entry is not None and entry.stats is not None
        entry.stats.charge(200)
        found = [name for name in context.stats.counters if "route.own.upstream_rq_200" in name]
        self.assertEqual(len(found), 1)
