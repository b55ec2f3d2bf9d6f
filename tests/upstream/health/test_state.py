"""What results make of a host."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import Lines, events, host, settings, stats
from twisted_envoy.upstream.health.flags import (
    EXCLUDED_VIA_IMMEDIATE_HC_FAIL,
    FAILED_ACTIVE_HC,
    PENDING_ACTIVE_HC,
)
from twisted_envoy.upstream.health.settings import Failure, Transition
from twisted_envoy.upstream.health.state import CheckedHost


class CheckedHostTests(SynchronousTestCase):
    def make(self, health: int = FAILED_ACTIVE_HC, **fields: Any) -> CheckedHost:
        self.lines = Lines()
        self.stats = stats()
        return CheckedHost(host(health), settings(**fields), self.stats, events(self.lines))

    def counts(self) -> dict[str, int]:
        found = {name: getattr(self.stats, name).value for name in vars(self.stats)}
        return {name: value for name, value in found.items() if value}

    def test_firstSuccess(self) -> None:
        """The first result decides at once."""
        checked = self.make()
        self.assertIs(checked.succeeded(), Transition.CHANGED)
        self.assertEqual(checked.host.healthFlags, "healthy")
        self.assertEqual(self.counts(), {"healthy": 1, "success": 1})
        self.assertEqual(self.lines.events(), ["add_healthy_event"])

    def test_firstFailure(self) -> None:
        """It stays unhealthy, which is logged once."""
        checked = self.make()
        for _ in range(3):
            self.assertIs(checked.failed(Failure.ACTIVE), Transition.UNCHANGED)
        self.assertEqual(checked.host.healthFlags, "/failed_active_hc")
        self.assertEqual(self.counts(), {"failure": 3})
        self.assertEqual(self.lines.events(), ["health_check_failure_event"])

    def test_thresholds(self) -> None:
        """Later it takes as many in a row as the config says."""
        checked = self.make(unhealthyThreshold=3, healthyThreshold=2)
        checked.succeeded()
        network = Failure.NETWORK
        self.assertIs(checked.failed(network), Transition.PENDING)
        self.assertIs(checked.failed(network), Transition.PENDING)
        self.assertIs(checked.succeeded(), Transition.UNCHANGED)
        self.assertIs(checked.failed(network), Transition.PENDING)
        self.assertIs(checked.failed(network), Transition.PENDING)
        self.assertIs(checked.failed(network), Transition.CHANGED)
        self.assertEqual(checked.host.healthFlags, "/failed_active_hc")
        self.assertIs(checked.succeeded(), Transition.PENDING)
        self.assertIs(checked.failed(network), Transition.UNCHANGED)
        self.assertIs(checked.succeeded(), Transition.PENDING)
        self.assertIs(checked.succeeded(), Transition.CHANGED)
        self.assertEqual(self.counts()["network_failure"], 6)
        self.assertEqual(
            self.lines.events(),
            ["add_healthy_event", "eject_unhealthy_event", "add_healthy_event"],
        )

    def test_whatItSays(self) -> None:
        """A host that says that it is ill is believed at once, unless that is retriable."""
        checked = self.make()
        checked.succeeded()
        self.assertIs(checked.failed(Failure.ACTIVE, retriable=True), Transition.PENDING)
        checked.succeeded()
        self.assertIs(checked.failed(Failure.ACTIVE), Transition.CHANGED)

    def test_timeout(self) -> None:
        """A flag says that the last failure was a silence."""
        checked = self.make()
        checked.failed(Failure.NETWORK_TIMEOUT)
        self.assertEqual(checked.host.healthFlags, "/failed_active_hc/active_hc_timeout")
        checked.failed(Failure.ACTIVE)
        self.assertEqual(checked.host.healthFlags, "/failed_active_hc")
        checked = self.make(0)
        checked.failed(Failure.NETWORK_TIMEOUT)
        self.assertEqual(checked.host.healthFlags, "healthy")

    def test_degraded(self) -> None:
        """A host may be well and ask for less."""
        checked = self.make()
        self.assertIs(checked.succeeded(True), Transition.CHANGED)
        self.assertEqual(checked.host.healthFlags, "/degraded_active_hc")
        self.assertEqual(self.counts(), {"degraded": 1, "healthy": 1, "success": 1})
        self.assertIs(checked.succeeded(True), Transition.UNCHANGED)
        self.assertIs(checked.succeeded(), Transition.CHANGED)
        self.assertEqual(checked.host.healthFlags, "healthy")
        self.assertEqual(
            self.lines.events(),
            ["add_healthy_event", "degraded_healthy_host", "no_longer_degraded_host"],
        )

    def test_excluded(self) -> None:
        """Health takes the exclusion with it, and any result the wait for the first one."""
        checked = self.make(FAILED_ACTIVE_HC | EXCLUDED_VIA_IMMEDIATE_HC_FAIL | PENDING_ACTIVE_HC)
        self.assertIs(checked.failed(Failure.ACTIVE), Transition.CHANGED)
        self.assertTrue(checked.host.health & EXCLUDED_VIA_IMMEDIATE_HC_FAIL)
        checked.succeeded()
        self.assertIs(checked.succeeded(), Transition.CHANGED)
        self.assertEqual(checked.host.healthFlags, "healthy")

    def test_logs(self) -> None:
        """Every result where the config wants that."""
        checked = self.make(alwaysLogFailures=True, alwaysLogSuccess=True)
        checked.failed(Failure.PASSIVE)
        checked.failed(Failure.PASSIVE)
        checked.succeeded()
        self.assertEqual(
            self.lines.events(),
            ["health_check_failure_event"] * 2 + ["successful_health_check_event"],
        )
        self.assertEqual(self.counts()["passive_failure"], 2)

    def test_removed(self) -> None:
        """A host that is gone is neither healthy nor degraded."""
        checked = self.make()
        checked.succeeded(True)
        checked.removed()
        self.assertEqual(self.counts(), {"success": 1})
