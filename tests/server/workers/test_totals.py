"""Tests for `twisted_envoy.server.workers.totals`."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.workers.snapshot import statsOf
from twisted_envoy.server.workers.totals import Totals
from twisted_envoy.stats.query import StatsQuery
from twisted_envoy.stats.render import renderText
from twisted_envoy.stats.scope import Store

LISTENER = "listener.127.0.0.1_80.worker_0.downstream_cx_total"


def built() -> Store:
    """What building writes, in each process alike."""
    store = Store()
    store.counter("cluster.c.default.total_match_count").value += 1
    store.counter("cluster.c.upstream_cx_total")
    store.counter(LISTENER)
    store.counter("listener_manager.listener_create_success")
    store.gauge("cluster.c.membership_total").value = 2
    store.gauge("cluster.c.lb_subsets_active").value = 4
    store.gauge("server.concurrency").value = 2
    store.histogram("cluster.c.upstream_cx_length_ms", "ms")
    store.histogram("listener.admin.downstream_cx_length_ms", "ms")
    return store


class TotalsTests(SynchronousTestCase):
    """Two workers."""

    def setUp(self) -> None:
        self.own = built()
        self.workers = [built(), built()]
        self.totals = Totals(self.own, 2)

    def store(self) -> Store:
        """What all of them have said by now."""
        for index, worker in enumerate(self.workers):
            said: Any = json.loads(json.dumps(statsOf(worker)))
            self.totals.take(index, said)
        return self.totals.store()

    def count(self, name: str, *values: int) -> None:
        """Each worker counts so much."""
        for worker, value in zip(self.workers, values, strict=True):
            worker.counter(name).value += value

    def test_counters(self) -> None:
        """They are added; what building has counted counts once."""
        self.count("cluster.c.upstream_cx_total", 3, 4)
        self.count("http.new.rq_total", 0, 2)
        store = self.store()
        self.assertEqual(store.value("cluster.c.upstream_cx_total"), 7)
        self.assertEqual(store.value("http.new.rq_total"), 2)
        self.assertEqual(store.value("cluster.c.default.total_match_count"), 1)

    def test_unused(self) -> None:
        """What nobody has written stays unwritten."""
        self.assertFalse(self.store().counters["cluster.c.upstream_cx_total"].used)

    def test_gauges(self) -> None:
        """They are added; members of a cluster are the same for all."""
        for worker in self.workers:
            worker.gauge("cluster.c.upstream_cx_active").value = 5
            worker.gauge("cluster.c.membership_total").value = 3
            worker.gauge("cluster.c.circuit_breakers.default.cx_open").value = 1
        store = self.store()
        self.assertEqual(store.value("cluster.c.upstream_cx_active"), 10)
        self.assertEqual(store.value("cluster.c.membership_total"), 3)
        self.assertEqual(store.value("cluster.c.circuit_breakers.default.cx_open"), 1)

    def test_subsets(self) -> None:
        """They count for each worker and once more, as in Envoy."""
        self.assertEqual(self.store().value("cluster.c.lb_subsets_active"), 6)

    def test_own(self) -> None:
        """What the first process knows is not added, and stays alive."""
        self.count("server.x", 1, 1)
        self.own.counter("http.admin.downstream_rq_total").value += 1
        store = self.store()
        self.assertNotIn("server.x", store.counters)
        self.assertEqual(store.value("server.concurrency"), 2)
        self.own.counter("http.admin.downstream_rq_total").value += 1
        self.assertEqual(store.value("http.admin.downstream_rq_total"), 2)

    def test_perWorker(self) -> None:
        """Envoy counts created listeners for each worker."""
        self.own.counter("listener_manager.listener_create_success").value += 3
        self.assertEqual(self.store().value("listener_manager.listener_create_success"), 6)

    def test_memory(self) -> None:
        """It is that of all processes."""
        for store in (self.own, *self.workers):
            store.computedGauge("server.memory_allocated", lambda: 10)
        self.assertEqual(self.store().value("server.memory_allocated"), 30)

    def test_workersOwn(self) -> None:
        """A worker's stats bear its number, unused ones too."""
        self.assertIn(LISTENER.replace("_0.d", "_1.d"), self.store().counters)
        self.count(LISTENER, 1, 2)
        store = self.store()
        self.assertEqual(store.value(LISTENER), 1)
        self.assertEqual(store.value(LISTENER.replace("_0.d", "_1.d")), 2)

    def test_histograms(self) -> None:
        """They are merged: the same as if one had recorded all."""
        name = "cluster.c.upstream_cx_length_ms"
        alone = built()
        for number in range(20):
            self.workers[number % 2].histogram(name).record(number * 7)
            alone.histogram(name).record(number * 7)
        for store in (alone, *self.workers):
            store.merge()
        query = StatsQuery(type="Histograms")
        self.assertEqual(renderText(self.store(), query), renderText(alone, query))

    def test_texts(self) -> None:
        """A text is as the workers say."""
        self.workers[1].textReadout("a.b").value = "x"
        self.assertEqual(self.store().textReadouts["a.b"].value, "x")

    def test_ended(self) -> None:
        """What an ended worker has counted stays, also beside its follower; gauges go."""
        self.count("cluster.c.upstream_cx_total", 3, 4)
        self.workers[0].gauge("cluster.c.upstream_cx_active").value = 1
        self.workers[0].histogram("cluster.c.upstream_cx_length_ms").record(5)
        self.workers[0].merge()
        self.store()
        self.totals.ended(0)
        self.totals.ended(0)
        self.workers[0] = built()
        store = self.store()
        self.assertEqual(store.value("cluster.c.upstream_cx_total"), 7)
        self.assertEqual(store.value("cluster.c.default.total_match_count"), 1)
        self.assertNotIn("cluster.c.upstream_cx_active", store.gauges)
        self.assertEqual(store.histograms["cluster.c.upstream_cx_length_ms"].total.count, 1)

    def test_allEnded(self) -> None:
        """Without any worker the counts are still there."""
        self.count("http.new.rq_total", 1, 1)
        self.store()
        for index in range(2):
            self.totals.ended(index)
        self.assertEqual(self.totals.store().value("http.new.rq_total"), 2)

    def test_reset(self) -> None:
        """Counters of ended workers, too; and what building has counted."""
        self.count("cluster.c.upstream_cx_total", 3, 4)
        self.store()
        self.totals.ended(0)
        self.workers[0] = built()
        self.store()
        for worker in self.workers:
            worker.resetCounters()
        self.totals.resetCounters()
        for store in (self.totals.store(), self.store()):
            self.assertEqual(store.value("cluster.c.upstream_cx_total"), 0)
            self.assertEqual(store.value("cluster.c.default.total_match_count"), 0)
