"""The names of a listener's counters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.listener_stats import ListenerStats
from twisted_envoy.stats.scope import Store


class ListenerStatsTests(SynchronousTestCase):
    """Spelt as Envoy spells them."""

    def test_names(self):
        """The listener's own, and those of its one worker."""
        store = Store()
        ListenerStats(store.scope("listener.127.0.0.1_80."))
        names = {one.name.removeprefix("listener.127.0.0.1_80.") for one in store.numbers()}
        self.assertLessEqual(
            {
                "downstream_cx_active",
                "downstream_cx_destroy",
                "downstream_cx_overflow",
                "downstream_cx_overload_reject",
                "downstream_cx_total",
                "downstream_cx_transport_socket_connect_timeout",
                "downstream_global_cx_overflow",
                "downstream_listener_filter_error",
                "downstream_listener_filter_remote_close",
                "downstream_pre_cx_active",
                "downstream_pre_cx_timeout",
                "no_filter_chain_match",
                "worker_0.downstream_cx_active",
                "worker_0.downstream_cx_total",
            },
            names,
        )
        self.assertIn("listener.127.0.0.1_80.downstream_cx_length_ms", store.histograms)
