"""Circuit breakers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.metrics import Gauge
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.circuit_breaker import Limits, Resource


class ResourceTests(SynchronousTestCase):
    """One number and its limit."""

    def test_takeAndGive(self):
        """The gauges follow what is in use."""
        opened, remaining = Gauge("open"), Gauge("remaining")
        resource = Resource(2, opened, remaining)
        seen = []
        for step in (resource.take, resource.take, resource.take, resource.give, resource.give):
            step()
            seen.append((resource.inUse, resource.full, opened.value, remaining.value))
        self.assertEqual(
            seen,
            [
                (1, False, 0, 1),
                (2, True, 1, 0),
                (3, True, 1, 0),
                (2, True, 1, 0),
                (1, False, 0, 1),
            ],
        )

    def test_none(self):
        """A limit of 0 is always reached; the gauge shows it only once it was used, as in Envoy."""
        opened = Gauge("open")
        self.assertTrue(Resource(0, opened).full)
        self.assertEqual(opened.value, 0)


class LimitsTests(SynchronousTestCase):
    """The resources of a priority."""

    def test_defaults(self):
        """Envoy's, without gauges of what remains."""
        store = Store()
        limits = Limits(store)
        self.assertEqual(
            [
                limits.connections.most,
                limits.pendingRequests.most,
                limits.requests.most,
                limits.retries.most,
                limits.connectionPools.most,
            ],
            [1024, 1024, 1024, 3, 2**64 - 1],
        )
        self.assertEqual(
            sorted(store.gauges),
            ["cx_open", "cx_pool_open", "rq_open", "rq_pending_open", "rq_retry_open"],
        )

    def test_tracked(self):
        """With track_remaining there are more gauges."""
        store = Store()
        Limits(store, maxConnections=7, trackRemaining=True)
        self.assertEqual(store.value("remaining_cx"), 7)
        self.assertEqual(store.value("remaining_retries"), 3)


class RetryBudgetTests(SynchronousTestCase):
    """Retries as a share of what is under way."""

    def test_share(self):
        store = Store()
        limits = Limits(store, retryBudget=(50.0, 1))
        retries = limits.retries

        retries.take()
        first = (retries.full, store.value("rq_retry_open"))
        for _ in range(3):
            limits.requests.take()
        limits.pendingRequests.take()
        second = (retries.full, retries.most)
        retries.take()
        third = (retries.full, store.value("rq_retry_open"))
        retries.give()
        fourth = (retries.full, store.value("rq_retry_open"))

        self.assertEqual(first, (True, 1))
        self.assertEqual(second, (False, 2))
        self.assertEqual(third, (True, 1))
        self.assertEqual(fourth, (False, 0))
