"""Sessions, their timers, and when a cluster is ready."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import Lines, events, host, settings, stats
from twisted_envoy.upstream.health.checker import HealthChecker
from twisted_envoy.upstream.health.flags import FAILED_ACTIVE_HC
from twisted_envoy.upstream.health.settings import Failure
from twisted_envoy.upstream.host import HealthCheckTarget


class Probe:
    """Waits to be told what to say."""

    def __init__(self, host: Any, report: Any) -> None:
        self.host = host
        self.report = report
        self.checks = 0
        self.given = 0
        self.raises = False

    def check(self) -> None:
        self.checks += 1
        if self.raises:
            raise ValueError("a mistake")

    def giveUp(self) -> None:
        self.given += 1


class CheckerTests(SynchronousTestCase):
    def make(self, *hosts: Any, **fields: Any) -> HealthChecker:
        self.clock = Clock()
        self.probes: list[Probe] = []
        self.stats = stats()
        self.lines = Lines()

        def makeProbe(host: Any, report: Any) -> Probe:
            self.probes.append(Probe(host, report))
            return self.probes[-1]

        self.checked: list[tuple[Any, bool]] = []
        self.cluster: Any = SimpleNamespace(
            hosts=hosts,
            stats=SimpleNamespace(upstream_cx_total=SimpleNamespace(value=0)),
            hostChecked=lambda *result: self.checked.append(result),
        )
        self.ready: list[bool] = []
        checker = HealthChecker(
            settings(**fields), makeProbe, self.stats, events(self.lines), self.clock, Random(0)
        )
        self.checker = checker
        return checker

    def start(self, *hosts: Any, **fields: Any) -> HealthChecker:
        checker = self.make(*hosts, **fields)
        checker.start(self.cluster, lambda: self.ready.append(True))
        self.assertEqual(self.stats.attempt.value, 0)  # it waits for the reactor
        self.clock.advance(0)
        return checker

    def test_rounds(self) -> None:
        """The interval begins with the result."""
        one = host(FAILED_ACTIVE_HC)
        self.start(one)
        (probe,) = self.probes
        self.assertEqual(probe.checks, 1)
        self.clock.advance(0.3)
        probe.report.succeeded()
        self.assertEqual(self.checked, [(one, True)])
        self.clock.advance(0.99)
        self.assertEqual(probe.checks, 1)
        self.clock.advance(0.01)
        self.assertEqual(probe.checks, 2)
        self.assertEqual(self.stats.attempt.value, 2)

    def test_timeout(self) -> None:
        """A probe that says nothing is given up; what it says later is not heard."""
        one = host(FAILED_ACTIVE_HC)
        self.start(one)
        (probe,) = self.probes
        self.clock.advance(0.5)
        self.assertEqual(probe.given, 1)
        self.assertEqual(one.healthFlags, "/failed_active_hc/active_hc_timeout")
        probe.report.succeeded()
        self.assertEqual(self.checked, [(one, False)])
        self.clock.advance(1)
        self.assertEqual(probe.checks, 2)

    def test_twice(self) -> None:
        """Only the first word of a check counts."""
        self.start(host(FAILED_ACTIVE_HC))
        (probe,) = self.probes
        probe.report.succeeded()
        probe.report.failed(Failure.ACTIVE)
        self.assertEqual((self.stats.success.value, self.stats.failure.value), (1, 0))

    def test_lost(self) -> None:
        """A connection that breaks between two checks is a failure of its own."""
        self.start(host(FAILED_ACTIVE_HC))
        (probe,) = self.probes
        probe.report.succeeded()
        self.clock.advance(0.5)
        probe.report.lost()
        self.assertEqual(self.stats.network_failure.value, 1)
        self.clock.advance(0.99)
        self.assertEqual(probe.checks, 1)
        self.clock.advance(0.01)
        self.assertEqual(probe.checks, 2)
        probe.report.lost()
        self.assertEqual(self.stats.network_failure.value, 2)

    def test_raises(self) -> None:
        """A probe that raises is a failure, not the end of checking."""
        self.start(host(FAILED_ACTIVE_HC))
        (probe,) = self.probes
        probe.report.succeeded()
        probe.raises = True
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.stats.network_failure.value, 1)
        probe.raises = False
        self.clock.advance(1)
        self.assertEqual(probe.checks, 3)

    def test_ready(self) -> None:
        """Once each host has had a result, good or bad; hosts that are not checked do not count."""
        target = HealthCheckTarget(disabled=True)
        self.start(host(FAILED_ACTIVE_HC), host(FAILED_ACTIVE_HC), host(target=target))
        first, second = self.probes
        first.report.succeeded()
        self.assertEqual(self.ready, [])
        second.report.failed(Failure.ACTIVE)
        self.assertEqual(self.ready, [True])
        self.clock.advance(5)
        self.assertEqual(self.ready, [True])
        self.start()
        self.assertEqual(self.ready, [True])

    def test_initialJitter(self) -> None:
        """Hosts do not all begin at once."""
        self.start(*(host(FAILED_ACTIVE_HC) for _ in range(10)), initialJitter=2.0)
        self.assertEqual(self.stats.attempt.value, 0)
        self.clock.advance(1)
        self.assertTrue(0 < sum(probe.checks for probe in self.probes) < 10)

    def test_passive(self) -> None:
        """A host may say by a response to others that it goes."""
        one = host(FAILED_ACTIVE_HC)
        self.start(one)
        (probe,) = self.probes
        probe.report.succeeded()
        one.passiveHealth()
        self.assertEqual(one.healthFlags, "/failed_active_hc/excluded_via_immediate_hc_fail")
        self.assertEqual(self.stats.passive_failure.value, 1)
        self.assertEqual(self.checked[-1], (one, False))
        self.clock.advance(1)
        self.assertEqual(probe.checks, 2)

    def test_hostsChanged(self) -> None:
        """New ones are checked at once, old ones no more."""
        old = host(FAILED_ACTIVE_HC)
        checker = self.start(old)
        self.probes[0].report.succeeded()
        new = host(FAILED_ACTIVE_HC)
        checker.hostsChanged([new], [old])
        self.assertEqual(self.probes[0].given, 1)
        self.assertIsNone(old.passiveHealth)
        self.assertEqual(self.stats.healthy.value, 0)
        self.assertEqual(self.probes[1].checks, 1)
        self.clock.advance(10)
        self.assertEqual(self.probes[0].checks, 1)

    def test_stop(self) -> None:
        """Nothing is left, in whatever state a session is; who speaks then is not heard."""
        first, second = host(FAILED_ACTIVE_HC), host(FAILED_ACTIVE_HC)
        checker = self.start(first, second)
        self.probes[0].report.succeeded()
        say = first.passiveHealth
        checker.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.probes[1].report.succeeded()
        self.probes[0].report.lost()
        say()
        self.assertEqual(self.ready, [])
        self.assertEqual(second.healthFlags, "/failed_active_hc")
        checker.hostsChanged([host()], [])
        self.assertEqual(len(self.probes), 2)

    def test_stopAtOnce(self) -> None:
        """Nothing was begun yet."""
        checker = self.make(host(FAILED_ACTIVE_HC))
        checker.start(self.cluster, lambda: self.ready.append(True))
        checker.stop()
        self.assertEqual((self.clock.getDelayedCalls(), self.probes, self.ready), ([], [], []))

    def test_traffic(self) -> None:
        """As long as nobody uses the cluster it is checked less often."""
        self.start(host(FAILED_ACTIVE_HC), noTrafficHealthyInterval=60.0)
        (probe,) = self.probes
        probe.report.succeeded()
        self.clock.advance(59)
        self.assertEqual(probe.checks, 1)
        self.clock.advance(1)
        self.cluster.stats.upstream_cx_total.value = 1
        probe.report.succeeded()
        self.clock.advance(1)
        self.assertEqual(probe.checks, 3)
