"""How busy processors are."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.resource_monitors.cpu_utilization.monitor import CPUUtilization


class CPUUtilizationTests(SynchronousTestCase):
    """Of a host."""

    def test_mean(self) -> None:
        """The latest look counts for a twentieth; none is 0."""
        stat = Path(self.mktemp())
        monitor = CPUUtilization(stat)
        found = []
        for busy, idle in ((100, 100), (150, 150), (250, 150), (250, 150)):
            stat.write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 9 9\ncpu0 1\n", "utf-8")
            found.append(round(monitor.pressure(), 6))
        self.assertEqual(found, [0.0, 0.025, 0.07375, 0.07375])

    def test_unreadable(self) -> None:
        """No file, or another one."""
        stat = Path(self.mktemp())
        self.assertRaises(OSError, CPUUtilization(stat).pressure)
        stat.write_text("nothing\n", "utf-8")
        self.assertRaises(ValueError, CPUUtilization(stat).pressure)
