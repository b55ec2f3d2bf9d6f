"""What may be wrong with a host."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.upstream.health.flags import (
    CONFIGURED,
    DEGRADED_ACTIVE_HC,
    EXCLUDED_VIA_IMMEDIATE_HC_FAIL,
    FAILED_ACTIVE_HC,
    flagText,
)


class FlagTests(SynchronousTestCase):
    def test_text(self) -> None:
        """As real Envoy shows them."""
        self.assertEqual(flagText(0), "healthy")
        self.assertEqual(flagText(DEGRADED_ACTIVE_HC), "/degraded_active_hc")
        self.assertEqual(
            flagText(EXCLUDED_VIA_IMMEDIATE_HC_FAIL | FAILED_ACTIVE_HC),
            "/failed_active_hc/excluded_via_immediate_hc_fail",
        )

    def test_configured(self) -> None:
        """What an endpoint's health_status makes of it; observed on Envoy 1.40."""
        self.assertEqual(
            {name: flagText(flags) for name, flags in CONFIGURED.items()},
            {
                "UNHEALTHY": "/failed_eds_health",
                "TIMEOUT": "/failed_eds_health",
                "DRAINING": "/eds_status_draining",
                "DEGRADED": "/degraded_eds_health",
            },
        )
