"""How much memory the process has: what the kernel says is resident."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATM = Path("/proc/self/statm")
_KILOBYTE = 1 if sys.platform == "darwin" else 1024


class FixedHeap:
    """
    Args:
        most: bytes.
        statm: Linux's file about this process.
    """

    def __init__(self, most: int, statm: Path = _STATM) -> None:
        self._most = most
        self._statm = statm

    def pressure(self) -> float:
        """See ResourceMonitor."""
        return self._resident() / self._most

    def _resident(self) -> int:
        """Bytes; elsewhere than on Linux the most that there ever were."""
        try:
            return int(self._statm.read_text().split()[1]) * resource.getpagesize()
        except FileNotFoundError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE
