"""The names of a TCP proxy's counters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, proxied, tcpProxy
from twisted_envoy.testing import MemoryEnvoy

NAMES = {
    "downstream_cx_drain_close",
    "downstream_cx_no_route",
    "downstream_cx_overload_close",
    "downstream_cx_rx_bytes_buffered",
    "downstream_cx_rx_bytes_total",
    "downstream_cx_total",
    "downstream_cx_tx_bytes_buffered",
    "downstream_cx_tx_bytes_total",
    "downstream_flow_control_paused_reading_total",
    "downstream_flow_control_resumed_reading_total",
    "early_data_received_count_total",
    "idle_timeout",
    "max_downstream_connection_duration",
    "route_delayed_total",
    "upstream_flush_active",
    "upstream_flush_total",
}


class StatsTests(SynchronousTestCase):
    """`tcp.<stat_prefix>.*`, as real Envoy 1.40 lists them when there is no on_demand."""

    def test_names(self):
        """Exactly these."""
        store = MemoryEnvoy(proxied()).server.store
        found = {one.name for one in store.numbers() if one.name.startswith("tcp.tcp.")}
        self.assertEqual({name.removeprefix("tcp.tcp.") for name in found}, NAMES)

    def test_tunnels(self):
        """A proxy with a tunnel has those of a router, too: always 0, as in Envoy."""
        tunnel = {"hostname": "a.test:1"}
        config = bootstrap(
            [listener("in", "127.0.0.1:9000", tcpProxy(tunneling_config=tunnel))],
            [cluster("origin", "127.0.0.1:9001")],
        )
        store = MemoryEnvoy(config).server.store
        found = [one for one in store.numbers() if ".tcpproxy_tunneling." in one.name]
        self.assertEqual(len(found), 12)
        self.assertIn("tcp.tcp.tcpproxy_tunneling.rq_total", {one.name for one in found})
