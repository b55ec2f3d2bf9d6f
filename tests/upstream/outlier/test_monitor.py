"""What is known of one host's requests."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.upstream.outlier.kinds import Kind
from twisted_envoy.upstream.outlier.monitor import HostMonitor, SuccessRate
from twisted_envoy.upstream.outlier.settings import OutlierSettings


class MonitorTests(SynchronousTestCase):
    def make(self, splits: bool = False, **values: int) -> HostMonitor:
        self.told: list[Kind] = []
        return HostMonitor(
            OutlierSettings(values, splits=splits), lambda monitor, kind: self.told.append(kind)
        )

    def test_inARow(self) -> None:
        """Any answer below 500 begins anew; told once, until somebody has seen to it."""
        monitor = self.make(consecutive_5xx=3, consecutive_gateway_failure=99)
        for status in (500, 500, 200, 500, 500):
            monitor.responded(status)
        self.assertEqual(self.told, [])
        monitor.responded(599)
        monitor.responded(500)
        self.assertEqual(self.told, [Kind.CONSECUTIVE_5XX])
        monitor.detectedOnce(Kind.CONSECUTIVE_5XX)
        for _ in range(3):
            monitor.responded(500)
        self.assertEqual(self.told, [Kind.CONSECUTIVE_5XX] * 2)

    def test_gateway(self) -> None:
        """502, 503 and 504; another error is none of them."""
        monitor = self.make(consecutive_5xx=99, consecutive_gateway_failure=3)
        for status in (502, 503, 500, 504, 502):
            monitor.responded(status)
        self.assertEqual(self.told, [])
        monitor.responded(503)
        self.assertEqual(self.told, [Kind.CONSECUTIVE_GATEWAY_FAILURE])
        monitor.detectedOnce(Kind.CONSECUTIVE_GATEWAY_FAILURE)
        for _ in range(3):
            monitor.responded(503)
        self.assertEqual(len(self.told), 2)

    def test_notSplit(self) -> None:
        """Failures to connect are answers like any other, successes are not."""
        monitor = self.make(consecutive_5xx=2)
        monitor.connectFailed()
        monitor.connected()
        monitor.timedOut()
        self.assertEqual(self.told, [Kind.CONSECUTIVE_5XX])
        monitor.forget()
        monitor.connectFailed()
        monitor.connectedTCP()
        monitor.timedOut()
        self.assertEqual(len(self.told), 1)
        monitor.timedOut(408)
        monitor.external.turn()
        self.assertEqual(monitor.external.last(), (2 * 100 / 6, 6))
        self.assertIsNone(monitor.local.last())

    def test_split(self) -> None:
        """They count apart."""
        monitor = self.make(splits=True, consecutive_local_origin_failure=2, consecutive_5xx=1)
        monitor.connectFailed()
        monitor.connected()
        monitor.timedOut()
        monitor.connectedTCP()
        self.assertEqual(self.told, [])
        monitor.connectFailed()
        monitor.timedOut()
        local = Kind.CONSECUTIVE_LOCAL_ORIGIN_FAILURE
        self.assertEqual(self.told, [local])
        monitor.detectedOnce(local)
        monitor.connectFailed()
        monitor.connectFailed()
        self.assertEqual(self.told, [local, local])
        monitor.responded(500)
        self.assertEqual(self.told[-1], Kind.CONSECUTIVE_5XX)
        monitor.local.turn()
        self.assertEqual(monitor.local.last(), (25.0, 8))

    def test_rates(self) -> None:
        """Of the interval before; nothing when nothing was asked."""
        rates = SuccessRate()
        rates.turn()
        self.assertIsNone(rates.last())
        for success in (True, True, True, False):
            rates.count(success)
        self.assertIsNone(rates.last())
        rates.turn()
        rates.count(False)
        self.assertEqual(rates.last(), (75.0, 4))
        rates.rate = 75.0
        rates.turn()
        self.assertEqual((rates.last(), rates.rate), ((0.0, 1), -1.0))

    def test_ejections(self) -> None:
        """When and how often; being back begins anew."""
        monitor: Any = self.make(consecutive_5xx=2)
        monitor.responded(500)
        monitor.eject(5.0)
        self.assertEqual((monitor.ejections, monitor.ejectedAt), (1, 5.0))
        monitor.uneject(9.0)
        self.assertEqual(monitor.unejectedAt, 9.0)
        monitor.responded(500)
        self.assertEqual(self.told, [])
