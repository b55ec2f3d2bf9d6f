"""The counters of a listener, named as Envoy names them."""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class ListenerStats:
    """`listener.<address>.*`; one worker serves everything, so `worker_0.*` says the same."""

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
    extension_config_missing: Counter
    network_extension_config_missing: Counter
    no_filter_chain_match: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.downstream_pre_cx_active.value = 0
        worker = scope.scope("worker_0.")
        self.workerActive = worker.gauge("downstream_cx_active")
        self.workerTotal = worker.counter("downstream_cx_total")
