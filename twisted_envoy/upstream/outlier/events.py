"""
The event log of outlier detection: one line of JSON for each event.

Envoy: data.cluster.v3.OutlierDetectionEvent
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.state.addresses import addressText
from twisted_envoy.upstream.health.events import line, timeText
from twisted_envoy.upstream.outlier.kinds import Kind

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogFile
    from twisted_envoy.upstream.host import Host
    from twisted_envoy.upstream.outlier.monitor import HostMonitor

_RATES = frozenset((Kind.SUCCESS_RATE, Kind.SUCCESS_RATE_LOCAL_ORIGIN))
_PERCENTAGES = frozenset((Kind.FAILURE_PERCENTAGE, Kind.FAILURE_PERCENTAGE_LOCAL_ORIGIN))


class OutlierEvents:
    """
    Writes what happens to hosts.

    Args:
        seconds: the reactor's clock.
        file: takes the lines; None for nobody.
    """

    def __init__(self, seconds: Callable[[], float], file: IAccessLogFile | None = None) -> None:
        self._seconds = seconds
        self._file = file

    def ejected(
        self,
        host: Host,
        monitor: HostMonitor,
        kind: Kind,
        enforced: bool,
        rate: float,
        average: tuple[float, float],
    ) -> None:
        """
        A host was ejected, or would have been.

        Args:
            rate: its success rate. average: the cluster's, and the one below which it is ejected.
        """
        event: dict[str, object] = {}
        name = "eject_consecutive_event"
        if kind in _RATES:
            name = "eject_success_rate_event"
            event = {
                "host_success_rate": int(rate),
                "cluster_average_success_rate": int(average[0]),
                "cluster_success_rate_ejection_threshold": int(average[1]),
            }
        elif kind in _PERCENTAGES:
            name = "eject_failure_percentage_event"
            event = {"host_success_rate": int(rate)}
        self._write(host, monitor, kind, "EJECT", enforced, monitor.unejectedAt, {name: event})

    def unejected(self, host: Host, monitor: HostMonitor) -> None:
        """A host is back."""
        kind = Kind.CONSECUTIVE_5XX  # Envoy leaves the field as it is
        self._write(host, monitor, kind, "UNEJECT", False, monitor.ejectedAt, {})

    def _write(
        self,
        host: Host,
        monitor: HostMonitor,
        kind: Kind,
        action: str,
        enforced: bool,
        since: float | None,
        event: dict[str, object],
    ) -> None:
        if self._file is None:
            return
        now = self._seconds()
        fields: dict[str, Any] = {"type": kind.name, "timestamp": timeText(now)}
        if since is not None:
            fields["secs_since_last_action"] = str(int(now - since))
        fields |= {
            "cluster_name": host.cluster.name,
            "upstream_url": addressText(host.address),
            "action": action,
            "num_ejections": monitor.ejections,
            "enforced": enforced,
            **event,
        }
        self._file.write(line(fields))
