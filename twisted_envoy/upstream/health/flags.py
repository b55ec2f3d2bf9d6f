"""
What may be wrong with a host: flags, and what they make of it.

    unhealthy   FAILED_*, EDS_STATUS_DRAINING          gets nothing, but in panic
    degraded    DEGRADED_*, and not unhealthy          gets what healthy hosts cannot take
    healthy     any other
    excluded    PENDING_ACTIVE_HC, EXCLUDED_*, EDS_STATUS_DRAINING   besides: is not counted

Envoy: HEALTH_FLAG_ENUM_VALUES in envoy/upstream/upstream.h; coarseHealth in upstream_impl.h
"""

from __future__ import annotations

FAILED_ACTIVE_HC = 0x1
FAILED_OUTLIER_CHECK = 0x2
FAILED_EDS_HEALTH = 0x4
DEGRADED_ACTIVE_HC = 0x8
DEGRADED_EDS_HEALTH = 0x10
PENDING_DYNAMIC_REMOVAL = 0x20
PENDING_ACTIVE_HC = 0x40
EXCLUDED_VIA_IMMEDIATE_HC_FAIL = 0x80
ACTIVE_HC_TIMEOUT = 0x100
EDS_STATUS_DRAINING = 0x200

UNHEALTHY = FAILED_ACTIVE_HC | FAILED_OUTLIER_CHECK | FAILED_EDS_HEALTH | EDS_STATUS_DRAINING
DEGRADED = DEGRADED_ACTIVE_HC | DEGRADED_EDS_HEALTH
EXCLUDED = PENDING_ACTIVE_HC | EXCLUDED_VIA_IMMEDIATE_HC_FAIL | EDS_STATUS_DRAINING

_NAMES = (
    "failed_active_hc",
    "failed_outlier_check",
    "failed_eds_health",
    "degraded_active_hc",
    "degraded_eds_health",
    "pending_dynamic_removal",
    "pending_active_hc",
    "excluded_via_immediate_hc_fail",
    "active_hc_timeout",
    "eds_status_draining",
)

CONFIGURED = {
    "UNHEALTHY": FAILED_EDS_HEALTH,
    "TIMEOUT": FAILED_EDS_HEALTH,
    "DRAINING": EDS_STATUS_DRAINING,
    "DEGRADED": DEGRADED_EDS_HEALTH,
}
"""By `health_status` of an endpoint."""


def flagText(flags: int) -> str:
    """As `/clusters` shows them."""
    if not flags:
        return "healthy"
    return "".join(f"/{name}" for bit, name in enumerate(_NAMES) if flags >> bit & 1)
