"""How much memory there is in use."""

from __future__ import annotations

import resource
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.resource_monitors.fixed_heap.monitor import FixedHeap


class FixedHeapTests(SynchronousTestCase):
    """Of this process."""

    def test_resident(self) -> None:
        """The second number of the file, in pages."""
        statm = Path(self.mktemp())
        statm.write_text("900 30 7 1 0 5 0\n", "utf-8")
        self.assertEqual(FixedHeap(60 * resource.getpagesize(), statm).pressure(), 0.5)

    def test_elsewhere(self) -> None:
        """Without the file, the most there ever was."""
        found = FixedHeap(2**30, Path(self.mktemp())).pressure()
        self.assertTrue(0.001 < found < 64, found)
