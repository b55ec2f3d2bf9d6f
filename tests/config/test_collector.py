"""Tests of twisted_envoy.config.collector."""

import gc

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.collector import collectorPaused


class CollectorPausedTests(SynchronousTestCase):
    """The garbage collector while something is made."""

    def setUp(self) -> None:
        self.addCleanup(gc.enable if gc.isenabled() else gc.disable)

    def test_paused(self) -> None:
        """It does not run, and runs again afterwards, also after errors."""
        gc.enable()

        with self.assertRaises(ZeroDivisionError), collectorPaused():
            self.assertFalse(gc.isenabled())
            _ = 1 / 0

        self.assertTrue(gc.isenabled())

    def test_leftAsItWas(self) -> None:
        """Where it did not run before, it does not run afterwards."""
        gc.disable()

        with collectorPaused():
            pass

        self.assertFalse(gc.isenabled())
