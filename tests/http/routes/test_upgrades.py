"""Tests for twisted_envoy.http.routes.upgrades."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import action, wrongAction
from twisted_envoy.http.routes.upgrades import ConnectSettings, UpgradeSettings


class UpgradeTests(SynchronousTestCase):
    def test_configs(self) -> None:
        """upgrade_configs by lower-case type; connect_config for CONNECT."""
        entry = action(
            "upgrade_configs: [{upgrade_type: WebSocket}, {upgrade_type: other, enabled: false}, "
            "{upgrade_type: CONNECT, connect_config: {allow_post: true, "
            "proxy_protocol_config: {version: V2}}}]"
        )
        self.assertEqual(
            entry.upgrades,
            {
                "websocket": UpgradeSettings(True, None),
                "other": UpgradeSettings(False, None),
                "connect": UpgradeSettings(True, ConnectSettings(True, "V2")),
            },
        )
        plain = action("upgrade_configs: [{upgrade_type: connect, connect_config: {}}]")
        self.assertEqual(plain.upgrades["connect"].connect, ConnectSettings(False, None))

    def test_errors(self) -> None:
        """In Envoy's words."""
        self.assertEqual(
            wrongAction("upgrade_configs: [{upgrade_type: WebSocket}, {upgrade_type: websocket}]"),
            "Duplicate upgrade websocket",
        )
        self.assertEqual(
            wrongAction("upgrade_configs: [{upgrade_type: websocket, connect_config: {}}]"),
            "Non-CONNECT upgrade type websocket has ConnectConfig",
        )
