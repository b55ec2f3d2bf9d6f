"""The event log, as real Envoy writes it."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import Lines, Locality, host
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.upstream.health.events import HealthEvents, addressFields, timeText
from twisted_envoy.upstream.health.settings import Failure

HEAD = (
    '{"health_checker_type":"HTTP","host":{"socket_address":{"protocol":"TCP",'
    '"address":"10.0.0.1","port_value":80,"resolver_name":"","ipv4_compat":false,'
    '"network_namespace_filepath":""}},"cluster_name":"c",'
)
TIME = '"timestamp":"2026-11-23T08:08:30.962Z",'
PLACE = '"locality":{"region":"","zone":"","sub_zone":""}}\n'
SECONDS = 1795421310.962


class EventTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines = Lines()
        sinks: Any = [self.lines]
        self.events = HealthEvents("HTTP", lambda: SECONDS, sinks)

    def test_lines(self) -> None:
        """Fields stand where their numbers put them."""
        self.events.addHealthy(host(), True)
        self.events.ejectUnhealthy(host(), Failure.PASSIVE, 0)
        self.events.failed(host(), Failure.ACTIVE, True, 404)
        self.events.degraded(host())
        self.events.noLongerDegraded(host())
        self.events.succeeded(host())
        self.assertEqual(
            self.lines.texts,
            [
                HEAD + '"add_healthy_event":{"first_check":true},' + TIME + PLACE,
                HEAD
                + '"eject_unhealthy_event":{"failure_type":"PASSIVE","http_status_code":0},'
                + TIME
                + PLACE,
                HEAD
                + TIME
                + '"health_check_failure_event":{"failure_type":"ACTIVE","first_check":true,'
                '"http_status_code":404},' + PLACE,
                HEAD + TIME + '"degraded_healthy_host":{},' + PLACE,
                HEAD + TIME + '"no_longer_degraded_host":{},' + PLACE,
                HEAD + TIME + PLACE[:-2] + ',"successful_health_check_event":{}}\n',
            ],
        )

    def test_metadata(self) -> None:
        """A host's metadata and place."""
        where = Locality("r", "z", "s")
        self.events.degraded(host(metadata={"a": {"b": [1, "x"]}}, locality=where))
        self.assertIn(
            '"metadata":{"filter_metadata":{"a":{"b":[1,"x"]}},"typed_filter_metadata":{}},'
            '"locality":{"region":"r","zone":"z","sub_zone":"s"}}',
            self.lines.texts[0],
        )

    def test_addresses(self) -> None:
        """Of other kinds."""
        self.assertEqual(
            addressFields(InternalAddress("l", "7")),
            {"envoy_internal_address": {"server_listener_name": "l", "endpoint_id": "7"}},
        )
        self.assertEqual(addressFields(UNIXAddress(b"/a")), {"pipe": {"path": "/a", "mode": 0}})

    def test_time(self) -> None:
        """Three digits behind the point."""
        self.assertEqual(timeText(SECONDS), TIME.split('"')[3])
        self.assertEqual(timeText(0), "1970-01-01T00:00:00.000Z")

    def test_noSinks(self) -> None:
        """Nothing is made without a file."""
        HealthEvents("HTTP", lambda: 1 // 0).degraded(host())
