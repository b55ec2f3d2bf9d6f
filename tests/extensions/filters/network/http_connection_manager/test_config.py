"""The factory of the connection manager."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import bootstrap
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.settings import ManagerSettings, Timeouts
from twisted_envoy.testing import MemoryEnvoy


class ManagerFactoryTests(SynchronousTestCase):
    """What becomes of the config's fields."""

    def settings(self, **manager: Any) -> ManagerSettings:
        envoy = MemoryEnvoy(bootstrap(**manager))
        self.addCleanup(envoy.stop)
        listener: Any = envoy.server.listeners.get("web")
        found: ManagerSettings = listener.settings.chains.find(None).makers[-1].args[0]
        return found

    def problem(self, **manager: Any) -> str:
        return str(self.assertRaises(ConfigError, MemoryEnvoy, bootstrap(**manager)))

    def test_defaults(self) -> None:
        """Envoy's."""
        settings = self.settings()

        self.assertEqual(settings.codec, "AUTO")
        self.assertEqual(settings.timeouts, Timeouts())
        self.assertEqual(settings.limits.maxBytes, 60 * 1024)
        self.assertEqual(settings.limits.maxCount, 100)
        self.assertEqual(settings.upgrades, {})
        self.assertEqual(settings.maxRequests, 0)

    def test_timeouts(self) -> None:
        """Seconds; 0 switches off."""
        settings = self.settings(
            common_http_protocol_options={
                "idle_timeout": "1s",
                "max_connection_duration": "2s",
                "max_stream_duration": "3s",
                "max_headers_count": 7,
                "max_requests_per_connection": 8,
            },
            stream_idle_timeout="0s",
            request_timeout="4s",
            request_headers_timeout="5s",
            drain_timeout="6s",
            drain_timeout_jitter={"value": 50},
            delayed_close_timeout="0s",
            max_request_headers_kb=9,
        )

        self.assertEqual(
            settings.timeouts,
            Timeouts(
                idle=1.0,
                maxConnectionDuration=2.0,
                maxStreamDuration=3.0,
                streamIdle=0.0,
                streamFlush=0.0,
                request=4.0,
                requestHeaders=5.0,
                drain=6.0,
                drainJitter=0.5,
                delayedClose=0.0,
            ),
        )
        self.assertEqual((settings.limits.maxCount, settings.maxRequests), (7, 8))
        self.assertEqual(settings.limits.maxBytes, 9 * 1024)

    def test_upgrades(self) -> None:
        """By type in lower case, enabled unless they say otherwise."""
        settings = self.settings(
            upgrade_configs=[
                {"upgrade_type": "WebSocket"},
                {"upgrade_type": "CONNECT", "enabled": False},
            ]
        )

        self.assertTrue(settings.upgrades["websocket"].enabled)
        self.assertFalse(settings.upgrades["connect"].enabled)

    def test_mistakes(self) -> None:
        """Envoy's words; what is not implemented is named."""
        twice = [{"upgrade_type": "websocket"}, {"upgrade_type": "WebSocket"}]
        self.assertIn(
            "Error: multiple upgrade configs with the same name: 'WebSocket'",
            self.problem(upgrade_configs=twice),
        )
        self.assertIn("HTTP/3 is not implemented", self.problem(codec_type="HTTP3"))
        self.assertIn(
            "Only one of flush_access_log_on_new_request or access_log_options can be specified.",
            self.problem(
                access_log_options={"flush_access_log_on_new_request": True},
                flush_access_log_on_new_request=True,
            ),
        )
        rds = {"route_config_name": "r", "config_source": {"ads": {}}}
        text = bootstrap(rds=rds).replace('"route_config"', '"route_config_no"')
        self.assertIn("no such field", str(self.assertRaises(ConfigError, MemoryEnvoy, text)))

    def test_rds(self) -> None:
        """Without a source it is Envoy's mistake, too; with one it is named as not implemented."""
        name = {"route_config_name": "r"}
        for rds, expected in (
            (name, "An RDS config must have either a 'config_source' or an xDS-TP based"),
            ({}, "An RDS config must have either a 'config_source' or an xDS-TP based"),
            ({**name, "config_source": {"ads": {}}}, "rds is not implemented"),
            ({"route_config_name": "xdstp://x/y"}, "rds is not implemented"),
        ):
            config = json.loads(bootstrap(rds=rds))
            (listener,) = config["static_resources"]["listeners"]
            del listener["filter_chains"][0]["filters"][-1]["typed_config"]["route_config"]
            problem = self.assertRaises(ConfigError, MemoryEnvoy, json.dumps(config, indent=1))
            self.assertIn(expected, str(problem))

    def test_oldLogFields(self) -> None:
        """The deprecated places of the access log's options."""
        settings = self.settings(
            flush_access_log_on_new_request=True, access_log_flush_interval="2s"
        )

        self.assertTrue(settings.records.onNewRequest)
        self.assertEqual(settings.records.interval, 2.0)
