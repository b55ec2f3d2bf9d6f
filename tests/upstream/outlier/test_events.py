"""The event log, as real Envoy writes it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import Lines, host
from twisted_envoy.upstream.outlier.events import OutlierEvents
from twisted_envoy.upstream.outlier.kinds import Kind
from twisted_envoy.upstream.outlier.monitor import HostMonitor
from twisted_envoy.upstream.outlier.settings import OutlierSettings

TIME = '"timestamp":"1970-01-01T00:01:40.000Z",'
WHO = '"cluster_name":"c","upstream_url":"10.0.0.1:80",'


class EventTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Each kind says what it is about; the time since the last event, if there was any."""
        lines: Any = Lines()
        events = OutlierEvents(lambda: 100.0, lines)
        monitor = HostMonitor(OutlierSettings({}), lambda *told: None)
        average = (66.67, 19.5)
        for kind in (Kind.CONSECUTIVE_5XX, Kind.SUCCESS_RATE, Kind.FAILURE_PERCENTAGE):
            events.ejected(host(), monitor, kind, kind is Kind.SUCCESS_RATE, 7.9, average)
        monitor.eject(98.5)
        events.unejected(host(), monitor)
        self.assertEqual(
            lines.texts,
            [
                '{"type":"CONSECUTIVE_5XX",' + TIME + WHO + '"action":"EJECT","num_ejections":0,'
                '"enforced":false,"eject_consecutive_event":{}}\n',
                '{"type":"SUCCESS_RATE",' + TIME + WHO + '"action":"EJECT","num_ejections":0,'
                '"enforced":true,"eject_success_rate_event":{"host_success_rate":7,'
                '"cluster_average_success_rate":66,'
                '"cluster_success_rate_ejection_threshold":19}}\n',
                '{"type":"FAILURE_PERCENTAGE",' + TIME + WHO + '"action":"EJECT",'
                '"num_ejections":0,"enforced":false,'
                '"eject_failure_percentage_event":{"host_success_rate":7}}\n',
                '{"type":"CONSECUTIVE_5XX",'
                + TIME
                + '"secs_since_last_action":"1",'
                + WHO
                + '"action":"UNEJECT","num_ejections":1,"enforced":false}\n',
            ],
        )

    def test_noFile(self) -> None:
        """Nothing is made."""
        monitor = HostMonitor(OutlierSettings({}), lambda *told: None)
        OutlierEvents(lambda: 1 // 0).unejected(host(), monitor)
