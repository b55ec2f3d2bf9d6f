"""Why a host is ejected, and what that is called where."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """
    data.cluster.v3.OutlierEjectionType; by its names in counters, and in what enforces it.
    """

    CONSECUTIVE_5XX = ("consecutive_5xx", "consecutive_5xx")
    CONSECUTIVE_GATEWAY_FAILURE = ("consecutive_gateway_failure", "consecutive_gateway_failure")
    CONSECUTIVE_LOCAL_ORIGIN_FAILURE = (
        "consecutive_local_origin_failure",
        "consecutive_local_origin_failure",
    )
    SUCCESS_RATE = ("success_rate", "success_rate")
    SUCCESS_RATE_LOCAL_ORIGIN = ("local_origin_success_rate", "local_origin_success_rate")
    FAILURE_PERCENTAGE = ("failure_percentage", "failure_percentage")
    FAILURE_PERCENTAGE_LOCAL_ORIGIN = (
        "local_origin_failure_percentage",
        "failure_percentage_local_origin",
    )

    def __init__(self, counter: str, setting: str) -> None:
        self.detected = f"ejections_detected_{counter}"
        self.enforced = f"ejections_enforced_{counter}"
        self.setting = f"enforcing_{setting}"
