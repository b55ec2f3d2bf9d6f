"""
What the config says of outlier detection; the runtime may say otherwise at any time.

Envoy: config.cluster.v3.OutlierDetection
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

DEFAULTS: Mapping[str, int] = {
    "consecutive_5xx": 5,
    "consecutive_gateway_failure": 5,
    "consecutive_local_origin_failure": 5,
    "interval_ms": 10_000,
    "base_ejection_time_ms": 30_000,
    "max_ejection_time_ms": 300_000,
    "max_ejection_time_jitter_ms": 0,
    "max_ejection_percent": 10,
    "enforcing_consecutive_5xx": 100,
    "enforcing_consecutive_gateway_failure": 0,
    "enforcing_consecutive_local_origin_failure": 100,
    "enforcing_success_rate": 100,
    "enforcing_local_origin_success_rate": 100,
    "enforcing_failure_percentage": 0,
    "enforcing_failure_percentage_local_origin": 0,
    "success_rate_minimum_hosts": 5,
    "success_rate_request_volume": 100,
    "success_rate_stdev_factor": 1900,
    "failure_percentage_threshold": 85,
    "failure_percentage_minimum_hosts": 5,
    "failure_percentage_request_volume": 50,
}
"""By the name behind `outlier_detection.` of the runtime key."""


def _unset(key: str) -> int | None:
    return None


class OutlierSettings:
    """
    Numbers by name.

    Args:
        values: those that the config has.
        override: the runtime's number of a key; None when it has none.
        splits: failures to connect are told from bad answers.
        alwaysOne: one host may be ejected whatever share of all that is.
        unejects: a successful health check ends an ejection.
    """

    __slots__ = ("_override", "_values", "alwaysOne", "splits", "unejects")

    def __init__(
        self,
        values: Mapping[str, int],
        override: Callable[[str], int | None] = _unset,
        splits: bool = False,
        alwaysOne: bool = False,
        unejects: bool = True,
    ) -> None:
        self._values = {**DEFAULTS, **values}
        self._override = override
        self.splits = splits
        self.alwaysOne = alwaysOne
        self.unejects = unejects

    def of(self, name: str) -> int:
        """What holds now: milliseconds, percent, or a number."""
        override = self._override(f"outlier_detection.{name}")
        return self._values[name] if override is None else override
