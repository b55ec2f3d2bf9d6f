"""Who is ejected, for how long, and who may return."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import host
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.health.flags import FAILED_ACTIVE_HC
from twisted_envoy.upstream.outlier.detector import OutlierDetector, threshold
from twisted_envoy.upstream.outlier.events import OutlierEvents
from twisted_envoy.upstream.outlier.settings import OutlierSettings
from twisted_envoy.upstream.outlier.stats import OutlierStats


class DetectorTests(SynchronousTestCase):
    def start(self, count: int = 1, alwaysOne: bool = False, **values: int) -> Any:
        values = {"consecutive_5xx": 1, "max_ejection_percent": 100, **values}
        self.clock = Clock()
        self.stats = OutlierStats(Store().scope("o."))
        self.hosts = [host() for _ in range(count)]
        self.judged: list[Any] = []
        cluster: Any = SimpleNamespace(hosts=self.hosts, hostJudged=self.judged.append)
        self.detector = OutlierDetector(
            OutlierSettings(values, alwaysOne=alwaysOne),
            self.stats,
            OutlierEvents(self.clock.seconds),
            self.clock,
            Random(0),
        )
        self.detector.start(cluster)
        return self.hosts

    def counts(self) -> dict[str, int]:
        return {name: one.value for name, one in vars(self.stats).items() if one.value}

    def flags(self) -> list[str]:
        return [one.healthFlags for one in self.hosts]

    def wait(self, seconds: int) -> None:
        """Interval by interval."""
        self.clock.pump([10] * (seconds // 10))

    def test_ejected(self) -> None:
        """At once; the cluster is told; it returns at the first look after its time."""
        (one,) = self.start()
        one.monitor.responded(500)
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        self.assertEqual(self.judged, [one])
        self.assertEqual(
            self.counts(),
            {
                "ejections_active": 1,
                "ejections_consecutive_5xx": 1,
                "ejections_detected_consecutive_5xx": 1,
                "ejections_enforced_consecutive_5xx": 1,
                "ejections_enforced_total": 1,
                "ejections_total": 1,
            },
        )
        self.wait(20)
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        self.wait(10)
        self.assertEqual(self.flags(), ["healthy"])
        self.assertEqual(self.stats.ejections_active.value, 0)

    def test_longer(self) -> None:
        """Each time it lasts longer, up to a bound; behaving well makes up for it."""
        (one,) = self.start(max_ejection_time_ms=70_000)
        for lasts in (30, 60, 70, 70):
            one.monitor.responded(500)
            self.wait(lasts - 10)
            self.assertEqual(self.flags(), ["/failed_outlier_check"], lasts)
            self.wait(10)
            self.assertEqual(self.flags(), ["healthy"], lasts)
        self.wait(100)
        one.monitor.responded(500)
        self.wait(30)
        self.assertEqual(self.flags(), ["healthy"])

    def test_jitter(self) -> None:
        """Not all return together."""
        first, second = self.start(2, max_ejection_time_jitter_ms=100_000)
        for one in (first, second):
            one.monitor.responded(500)
        self.assertNotEqual(first.monitor.jitter, second.monitor.jitter)
        self.wait(20 + int(max(first.monitor.jitter, second.monitor.jitter)))
        self.assertIn("/failed_outlier_check", self.flags())
        self.wait(30)
        self.assertEqual(self.flags(), ["healthy", "healthy"])

    def test_tooMany(self) -> None:
        """Never more than that share of all; one always, where the config says so."""
        hosts = self.start(4, max_ejection_percent=50)
        for one in hosts:
            one.monitor.responded(500)
        self.assertEqual(sum(flag != "healthy" for flag in self.flags()), 2)
        self.assertEqual(self.counts()["ejections_overflow"], 2)
        (one,) = self.start(max_ejection_percent=10)
        one.monitor.responded(500)
        self.assertEqual(self.flags(), ["healthy"])
        first, second = self.start(2, True, max_ejection_percent=10)
        first.monitor.responded(500)
        second.monitor.responded(500)
        self.assertEqual(self.flags(), ["/failed_outlier_check", "healthy"])

    def test_notEnforced(self) -> None:
        """Detected and counted, nothing else."""
        (one,) = self.start(enforcing_consecutive_5xx=0)
        one.monitor.responded(500)
        self.assertEqual(self.flags(), ["healthy"])
        self.assertEqual(self.counts()["ejections_detected_consecutive_5xx"], 1)
        self.assertNotIn("ejections_enforced_total", self.counts())

    def test_onlyOnce(self) -> None:
        """A host that is out already is not ejected again."""
        (one,) = self.start(
            consecutive_gateway_failure=2, enforcing_consecutive_gateway_failure=100
        )
        one.monitor.responded(503)
        one.monitor.responded(503)
        self.assertEqual(self.counts()["ejections_enforced_total"], 1)

    def test_successRate(self) -> None:
        """Far below the others', when enough hosts have enough requests."""
        hosts = self.start(
            5, consecutive_5xx=999, success_rate_request_volume=10, max_ejection_percent=100
        )
        for one in hosts:
            for number in range(10):
                one.monitor.responded(500 if one is hosts[2] and number else 200)
        self.wait(10)
        self.assertEqual(self.flags()[2], "/failed_outlier_check")
        self.assertEqual(sum(flag != "healthy" for flag in self.flags()), 1)
        self.assertEqual([one.monitor.external.rate for one in hosts], [100, 100, 10, 100, 100])
        average, least = self.detector.external
        self.assertEqual((average, round(least, 3)), (82.0, 13.6))
        self.assertEqual(self.counts()["ejections_enforced_success_rate"], 1)
        self.wait(10)
        self.assertEqual(self.detector.external, (-1, -1))
        self.assertEqual(hosts[0].monitor.external.rate, -1)

    def test_tooFew(self) -> None:
        """With fewer hosts or requests nothing can be said."""
        for count, requests in ((4, 200), (5, 99)):
            hosts = self.start(count, consecutive_5xx=999)
            for one in hosts:
                for _ in range(requests):
                    one.monitor.responded(500 if one is hosts[0] else 200)
            self.wait(10)
            self.assertEqual(self.detector.external, (-1, -1), (count, requests))

    def test_failurePercentage(self) -> None:
        """Too high a share of failures, whatever the others do."""
        hosts = self.start(
            5, consecutive_5xx=999, enforcing_failure_percentage=100, enforcing_success_rate=0
        )
        for one in hosts[:2]:
            for number in range(100):
                one.monitor.responded(500 if number < (85 if one is hosts[0] else 84) else 200)
        for one in hosts[2:]:
            for _ in range(50):
                one.monitor.responded(200)
        self.wait(10)
        self.assertEqual(self.flags(), ["/failed_outlier_check"] + ["healthy"] * 4)
        self.assertEqual(self.counts()["ejections_enforced_failure_percentage"], 1)

    def test_local(self) -> None:
        """Success of connects is judged apart."""
        hosts = self.start(5, consecutive_local_origin_failure=999)
        self.detector._settings.splits = True
        for one in hosts:
            for _ in range(100):
                (one.monitor.connectFailed if one is hosts[1] else one.monitor.connected)()
        self.wait(10)
        self.assertEqual(self.flags()[1], "/failed_outlier_check")
        self.assertEqual(self.counts()["ejections_enforced_local_origin_success_rate"], 1)
        self.assertEqual(self.detector.local[0], 80.0)

    def test_healthCheck(self) -> None:
        """A successful check ends an ejection, unless the host had failed checks or the config."""
        (one,) = self.start()
        one.monitor.responded(500)
        one.health |= FAILED_ACTIVE_HC
        self.detector.hostIsHealthy(one)
        self.assertTrue(one.health & ~FAILED_ACTIVE_HC)
        one.health &= ~FAILED_ACTIVE_HC
        self.detector._settings.unejects = False
        self.detector.hostIsHealthy(one)
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        self.detector._settings.unejects = True
        self.detector.hostIsHealthy(one)
        self.assertEqual(self.flags(), ["healthy"])

    def test_hostsChanged(self) -> None:
        """A host that goes is no longer counted as ejected; what it does is of no interest."""
        first, second = self.start(2)
        first.monitor.responded(500)
        old = second.monitor
        new = host()
        self.detector.hostsChanged([new], [first, second])
        self.assertEqual(self.stats.ejections_active.value, 0)
        self.assertIsNone(first.monitor)
        old.responded(500)
        self.assertEqual(self.stats.ejections_active.value, 0)
        new.monitor.responded(500)
        self.assertEqual(self.stats.ejections_active.value, 1)

    def test_stop(self) -> None:
        """Nothing is left."""
        (one,) = self.start()
        self.detector.stop()
        self.detector.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        one.monitor.responded(500)

    def test_threshold(self) -> None:
        """As observed on Envoy: rates 0, 100, 100 and a factor of 1."""
        average, least = threshold([0.0, 100.0, 100.0], 1.0)
        self.assertEqual((f"{average:g}", f"{least:g}"), ("66.6667", "19.5262"))
