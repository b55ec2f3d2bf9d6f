"""The counters of a TCP proxy: `tcp.<stat_prefix>.*`."""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class TCPProxyStats:
    """Named as Envoy names them."""

    downstream_cx_drain_close: Counter
    downstream_cx_no_route: Counter
    downstream_cx_overload_close: Counter
    downstream_cx_rx_bytes_total: Counter
    downstream_cx_total: Counter
    downstream_cx_tx_bytes_total: Counter
    downstream_flow_control_paused_reading_total: Counter
    downstream_flow_control_resumed_reading_total: Counter
    early_data_received_count_total: Counter
    idle_timeout: Counter
    max_downstream_connection_duration: Counter
    route_delayed_total: Counter
    upstream_flush_active: Gauge
    upstream_flush_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


def makeTunnelStats(scope: Scope) -> None:
    """Those of Envoy's router, which a proxy with tunneling_config has and never counts."""
    for name in _OF_A_ROUTER:
        scope.counter(f"tcpproxy_tunneling.{name}")


_OF_A_ROUTER = (
    *("no_cluster", "no_route", "rq_direct_response", "rq_overload_local_reply", "rq_redirect"),
    *("rq_reset_after_downstream_response_started", "rq_total"),
    *("passthrough_internal_redirect_bad_location", "passthrough_internal_redirect_no_route"),
    *("passthrough_internal_redirect_predicate", "passthrough_internal_redirect_unsafe_scheme"),
    "passthrough_internal_redirect_too_many_redirects",
)
