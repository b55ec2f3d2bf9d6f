"""
What a connection manager counts: `http.<stat_prefix>.*` and the listener's own copies.

Envoy: source/common/http/conn_manager_config.h
"""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class ManagerStats:
    """`http.<stat_prefix>.*` of the connection manager itself."""

    downstream_cx_active: Gauge
    downstream_cx_delayed_close_timeout: Counter
    downstream_cx_destroy: Counter
    downstream_cx_destroy_active_rq: Counter
    downstream_cx_destroy_local: Counter
    downstream_cx_destroy_local_active_rq: Counter
    downstream_cx_destroy_remote: Counter
    downstream_cx_destroy_remote_active_rq: Counter
    downstream_cx_drain_close: Counter
    downstream_cx_http1_active: Gauge
    downstream_cx_http1_soft_drain: Gauge
    downstream_cx_http1_total: Counter
    downstream_cx_http2_active: Gauge
    downstream_cx_http2_total: Counter
    downstream_cx_http3_active: Gauge
    downstream_cx_http3_total: Counter
    downstream_cx_idle_timeout: Counter
    downstream_cx_length_ms: Histogram
    downstream_cx_max_duration_reached: Counter
    downstream_cx_max_requests_reached: Counter
    downstream_cx_overload_disable_keepalive: Counter
    downstream_cx_protocol_error: Counter
    downstream_cx_rx_bytes_buffered: Gauge
    downstream_cx_rx_bytes_total: Counter
    downstream_cx_ssl_active: Gauge
    downstream_cx_ssl_total: Counter
    downstream_cx_total: Counter
    downstream_cx_tx_bytes_buffered: Gauge
    downstream_cx_tx_bytes_total: Counter
    downstream_cx_upgrades_active: Gauge
    downstream_cx_upgrades_total: Counter
    downstream_flow_control_paused_reading_total: Counter
    downstream_flow_control_resumed_reading_total: Counter
    downstream_rq_1xx: Counter
    downstream_rq_2xx: Counter
    downstream_rq_3xx: Counter
    downstream_rq_4xx: Counter
    downstream_rq_5xx: Counter
    downstream_rq_active: Gauge
    downstream_rq_completed: Counter
    downstream_rq_failed_path_normalization: Counter
    downstream_rq_header_timeout: Counter
    downstream_rq_http1_total: Counter
    downstream_rq_http2_total: Counter
    downstream_rq_http3_total: Counter
    downstream_rq_idle_timeout: Counter
    downstream_rq_max_duration_reached: Counter
    downstream_rq_non_relative_path: Counter
    downstream_rq_overload_close: Counter
    downstream_rq_redirected_with_normalized_path: Counter
    downstream_rq_rejected_via_ip_detection: Counter
    downstream_rq_response_before_rq_complete: Counter
    downstream_rq_rx_reset: Counter
    downstream_rq_time: Histogram
    downstream_rq_timeout: Counter
    downstream_rq_too_large: Counter
    downstream_rq_too_many_premature_resets: Counter
    downstream_rq_total: Counter
    downstream_rq_tx_reset: Counter
    downstream_rq_ws_on_non_ws_route: Counter
    rs_too_large: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.byClass = _byClass(self)
        tracing = scope.scope("tracing")
        self.healthChecks = tracing.counter("health_check")
        for name in ("client_enabled", "not_traceable", "random_sampling"):
            tracing.counter(name)
        tracing.counter("service_forced")


class ListenerManagerStats:
    """`listener.<address>.http.<stat_prefix>.*`."""

    downstream_rq_1xx: Counter
    downstream_rq_2xx: Counter
    downstream_rq_3xx: Counter
    downstream_rq_4xx: Counter
    downstream_rq_5xx: Counter
    downstream_rq_completed: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.byClass = _byClass(self)


class HTTP1Stats:
    """`http1.*` of all downstream connections, `cluster.<name>.http1.*` of a cluster's."""

    dropped_headers_with_underscores: Counter
    metadata_not_supported_error: Counter
    requests_rejected_with_underscores_in_headers: Counter
    response_flood: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


def _byClass(stats: ManagerStats | ListenerManagerStats) -> tuple[Counter, ...]:
    """The counters by hundreds of the status; 0 and the like count nowhere that is shown."""
    return (
        Counter("none"),
        stats.downstream_rq_1xx,
        stats.downstream_rq_2xx,
        stats.downstream_rq_3xx,
        stats.downstream_rq_4xx,
        stats.downstream_rq_5xx,
    )
