"""Tests for `twisted_envoy.server.admin.admin_stats`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.admin.admin_stats import AdminStats
from twisted_envoy.stats.scope import Store


class AdminStatsTests(SynchronousTestCase):
    """What the admin interface counts."""

    def setUp(self) -> None:
        """A store of its own."""
        self.store = Store()
        self.stats = AdminStats(self.store)

    def nonZero(self) -> dict[str, int]:
        """Counters and gauges that are not zero."""
        return {one.name: int(one.value) for one in self.store.numbers() if one.value}

    def test_names(self) -> None:
        """Names that real Envoy shows at zero are there."""
        for name in (
            "http.admin.rs_too_large",
            "http.admin.downstream_rq_ws_on_non_ws_route",
            "listener.admin.no_filter_chain_match",
            "listener.admin.http.admin.downstream_rq_5xx",
        ):
            self.assertEqual(self.store.value(name), 0)
        self.assertEqual(len([one for one in self.store.numbers() if "admin" in one.name]), 79)

    def test_connection(self) -> None:
        """A connection is counted by the manager, the listener and the main thread."""
        self.stats.connectionMade()
        self.stats.requestReceived()
        self.stats.responseBegun(404)
        self.assertEqual(
            self.nonZero(),
            {
                "http.admin.downstream_cx_active": 1,
                "http.admin.downstream_cx_http1_active": 1,
                "http.admin.downstream_cx_http1_total": 1,
                "http.admin.downstream_cx_total": 1,
                "http.admin.downstream_rq_4xx": 1,
                "http.admin.downstream_rq_active": 1,
                "http.admin.downstream_rq_completed": 1,
                "http.admin.downstream_rq_http1_total": 1,
                "http.admin.downstream_rq_total": 1,
                "listener.admin.downstream_cx_active": 1,
                "listener.admin.downstream_cx_total": 1,
                "listener.admin.http.admin.downstream_rq_4xx": 1,
                "listener.admin.http.admin.downstream_rq_completed": 1,
                "listener.admin.main_thread.downstream_cx_active": 1,
                "listener.admin.main_thread.downstream_cx_total": 1,
            },
        )

    def test_end(self) -> None:
        """All gauges return to zero; who closed is counted."""
        for locally in (True, False):
            self.stats.connectionMade()
            self.stats.requestReceived()
            self.stats.responseEnded(0.002)
            self.stats.connectionLost(0.005, locally)
        self.assertEqual({one.name for one in self.store.gauges.values() if one.value}, set())
        for name, value in (("", 2), ("_local", 1), ("_remote", 1)):
            self.assertEqual(self.store.value(f"http.admin.downstream_cx_destroy{name}"), value)
        self.assertEqual(self.store.value("listener.admin.downstream_cx_destroy"), 2)
