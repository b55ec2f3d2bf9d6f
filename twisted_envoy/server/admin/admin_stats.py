"""`http.admin.*` and `listener.admin.*`: the admin interface counts itself as Envoy's does."""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope

_NEVER = """
    downstream_cx_delayed_close_timeout downstream_cx_destroy_active_rq
    downstream_cx_destroy_local_active_rq downstream_cx_destroy_remote_active_rq
    downstream_cx_drain_close downstream_cx_http1_soft_drain downstream_cx_http2_total
    downstream_cx_http3_total downstream_cx_max_duration_reached
    downstream_cx_max_requests_reached downstream_cx_overload_disable_keepalive
    downstream_cx_protocol_error downstream_cx_ssl_total downstream_cx_upgrades_total
    downstream_flow_control_paused_reading_total downstream_flow_control_resumed_reading_total
    downstream_rq_failed_path_normalization downstream_rq_header_timeout downstream_rq_http2_total
    downstream_rq_http3_total downstream_rq_idle_timeout downstream_rq_max_duration_reached
    downstream_rq_overload_close downstream_rq_redirected_with_normalized_path
    downstream_rq_rejected_via_ip_detection downstream_rq_response_before_rq_complete
    downstream_rq_rx_reset downstream_rq_timeout downstream_rq_too_large
    downstream_rq_too_many_premature_resets downstream_rq_tx_reset
    downstream_rq_ws_on_non_ws_route rs_too_large
""".split()
"""Counters of an HTTP connection manager that nothing here ever raises; they show 0."""

_NEVER_GAUGES = """
    downstream_cx_http2_active downstream_cx_http3_active downstream_cx_rx_bytes_buffered
    downstream_cx_ssl_active downstream_cx_tx_bytes_buffered downstream_cx_upgrades_active
""".split()


class ResponseClasses:
    """Counters by response class, kept twice: for the manager and for the listener."""

    def __init__(self, scope: Scope) -> None:
        self._classes = [scope.counter(f"downstream_rq_{number}xx") for number in range(1, 6)]
        self._completed = scope.counter("downstream_rq_completed")

    def count(self, code: int) -> None:
        """One answer with that status has begun."""
        self._classes[code // 100 - 1].value += 1
        self._completed.value += 1


class ManagerStats:
    """`http.admin.*`."""

    downstream_cx_active: Gauge
    downstream_cx_destroy: Counter
    downstream_cx_destroy_local: Counter
    downstream_cx_destroy_remote: Counter
    downstream_cx_http1_active: Gauge
    downstream_cx_http1_total: Counter
    downstream_cx_idle_timeout: Counter
    downstream_cx_length_ms: Histogram
    downstream_cx_rx_bytes_total: Counter
    downstream_cx_total: Counter
    downstream_cx_tx_bytes_total: Counter
    downstream_rq_active: Gauge
    downstream_rq_http1_total: Counter
    downstream_rq_non_relative_path: Counter
    downstream_rq_time: Histogram
    downstream_rq_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        for name in _NEVER:
            scope.counter(name)
        for name in _NEVER_GAUGES:
            scope.gauge(name)


class ListenerOwnStats:
    """`listener.admin.*`."""

    connections_accepted_per_socket_event: Histogram
    downstream_cx_active: Gauge
    downstream_cx_destroy: Counter
    downstream_cx_length_ms: Histogram
    downstream_cx_overflow: Counter
    downstream_cx_overload_reject: Counter
    downstream_cx_total: Counter
    downstream_cx_transport_socket_connect_timeout: Counter
    downstream_global_cx_overflow: Counter
    downstream_listener_filter_error: Counter
    downstream_listener_filter_remote_close: Counter
    downstream_pre_cx_active: Gauge
    downstream_pre_cx_timeout: Counter
    no_filter_chain_match: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class MainThreadStats:
    """`listener.admin.main_thread.*`."""

    downstream_cx_active: Gauge
    downstream_cx_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class AdminStats:
    """
    Everything that the admin interface counts.

    Args:
        root: the server's root scope.
    """

    def __init__(self, root: Scope) -> None:
        self.manager = ManagerStats(root.scope("http.admin"))
        self.listener = ListenerOwnStats(root.scope("listener.admin"))
        self.mainThread = MainThreadStats(root.scope("listener.admin.main_thread"))
        self._responses = (
            ResponseClasses(root.scope("http.admin")),
            ResponseClasses(root.scope("listener.admin.http.admin")),
        )

    def connectionMade(self) -> None:
        """One connection was accepted."""
        for total in (self.manager, self.listener, self.mainThread):
            total.downstream_cx_total.value += 1
            total.downstream_cx_active.value += 1
        self.listener.connections_accepted_per_socket_event.record(1)
        self.manager.downstream_cx_http1_total.value += 1
        self.manager.downstream_cx_http1_active.value += 1

    def connectionLost(self, seconds: float, locally: bool) -> None:
        """It has ended, after so many seconds; locally when we closed it."""
        for total in (self.manager, self.listener, self.mainThread):
            total.downstream_cx_active.value -= 1
        self.manager.downstream_cx_http1_active.value -= 1
        for ended in (self.manager, self.listener):
            ended.downstream_cx_destroy.value += 1
            ended.downstream_cx_length_ms.record(seconds * 1000)
        side = (
            self.manager.downstream_cx_destroy_local
            if locally
            else self.manager.downstream_cx_destroy_remote
        )
        side.value += 1

    def requestReceived(self) -> None:
        """A whole request has come."""
        self.manager.downstream_rq_total.value += 1
        self.manager.downstream_rq_http1_total.value += 1
        self.manager.downstream_rq_active.value += 1

    def responseBegun(self, code: int) -> None:
        """Its answer has that status."""
        for responses in self._responses:
            responses.count(code)

    def responseEnded(self, seconds: float) -> None:
        """The answer has been written, so many seconds after the request."""
        self.manager.downstream_rq_active.value -= 1
        self.manager.downstream_rq_time.record(seconds * 1000)
