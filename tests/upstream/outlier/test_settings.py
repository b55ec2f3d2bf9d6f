"""Numbers of the config, and of the runtime."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.upstream.outlier.settings import OutlierSettings


class SettingsTests(SynchronousTestCase):
    def test_order(self) -> None:
        """The runtime's, the config's, Envoy's default."""
        runtime = {"outlier_detection.consecutive_5xx": 7}
        settings = OutlierSettings({"consecutive_5xx": 3, "interval_ms": 1}, runtime.get)
        self.assertEqual(settings.of("consecutive_5xx"), 7)
        self.assertEqual(settings.of("interval_ms"), 1)
        self.assertEqual(settings.of("max_ejection_percent"), 10)
        self.assertEqual(OutlierSettings({}).of("consecutive_5xx"), 5)
