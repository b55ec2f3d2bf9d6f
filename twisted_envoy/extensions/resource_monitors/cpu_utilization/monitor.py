"""
How busy the host's processors are: a mean in which the latest look counts for a twentieth.

Envoy: source/extensions/resource_monitors/cpu_utilization
"""

from __future__ import annotations

from pathlib import Path

_STAT = Path("/proc/stat")
_LATEST = 0.05
_WORK = 3
_ALL = 7
"""user, nice, system; and also idle, iowait, irq, softirq: times of the first line."""


class CPUUtilization:
    """
    Args:
        stat: Linux's file about processors.
    """

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._before: tuple[int, int] | None = None
        self._mean = 0.0

    def pressure(self) -> float:
        """See ResourceMonitor; 0 at the first look."""
        times = [int(text) for text in self._stat.read_text().split("\n", 1)[0].split()[1:]]
        if len(times) < _ALL:
            raise ValueError(f"{self._stat} has no times of processors")
        now = (sum(times[:_WORK]), sum(times[:_ALL]))
        before, self._before = self._before, now
        if before is not None and now[1] > before[1]:
            busy = (now[0] - before[0]) / (now[1] - before[1])
            self._mean = busy * _LATEST + self._mean * (1 - _LATEST)
        return self._mean
