"""
What HTTP/2 codecs count: `http2.*` of all downstream connections, `cluster.<name>.http2.*`.

Envoy: source/common/http/http2/codec_stats.h
"""

from __future__ import annotations

from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope


class HTTP2Stats:
    """
    Named as Envoy names them.

    Args:
        scope: its prefix ends with `http2.`.
    """

    deferred_stream_close: Counter
    dropped_headers_with_underscores: Counter
    goaway_sent: Counter
    header_overflow: Counter
    headers_cb_no_stream: Counter
    inbound_empty_frames_flood: Counter
    inbound_priority_frames_flood: Counter
    inbound_window_update_frames_flood: Counter
    keepalive_timeout: Counter
    metadata_empty_frames: Counter
    outbound_control_flood: Counter
    outbound_control_frames_active: Gauge
    outbound_flood: Counter
    outbound_frames_active: Gauge
    pending_send_bytes: Gauge
    requests_rejected_with_underscores_in_headers: Counter
    rx_messaging_error: Counter
    rx_reset: Counter
    stream_refused_errors: Counter
    streams_active: Gauge
    trailers: Counter
    tx_flush_timeout: Counter
    tx_reset: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
