"""Tests for `twisted_envoy.server.admin.server_info`."""

from __future__ import annotations

import builtins

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.server_info import memory, memorySizes, nodeMessage, serverInfo


class ServerInfoTests(PageTestCase):
    """/server_info."""

    def test_facts(self) -> None:
        """State, uptime in whole seconds, and a version shaped as Envoy's."""
        self.clock.advance(62.9)
        found = self.askJSON(serverInfo)
        self.assertEqual(found["state"], "LIVE")
        self.assertEqual(found["uptime_current_epoch"], "62s")
        self.assertEqual(found["hot_restart_version"], "disabled")
        self.assertEqual(len(found["version"].split("/")), 5)
        self.assertEqual(found["version"].split("/")[1], "1.40.0")
        self.server.healthCheckFail()
        self.assertEqual(self.askJSON(serverInfo)["state"], "DRAINING")

    def test_order(self) -> None:
        """Fields come in the order of their numbers, defaults included."""
        found = self.askJSON(serverInfo)
        self.assertEqual(
            list(found),
            [
                "version",
                "state",
                "uptime_current_epoch",
                "uptime_all_epochs",
                "hot_restart_version",
                "command_line_options",
                "node",
                "hot_restart_initializing",
            ],
        )
        self.assertEqual(found["node"]["locality"], {"region": "r", "zone": "z", "sub_zone": ""})

    def test_commandLine(self) -> None:
        """The options are shown as Envoy shows them."""
        self.server = self.makeServer("{}", drainTime=5.0, mode="Serve", logLevel="debug")
        self.kit = self.makeKit()
        found = self.askJSON(serverInfo)["command_line_options"]
        for name, value in (
            ("config_path", "f.yaml"),
            ("log_level", "debug"),
            ("drain_time", "5s"),
            ("file_flush_interval", "10s"),
            ("parent_shutdown_time", "900s"),
            ("mode", "Serve"),
            ("drain_strategy", "Gradual"),
            ("local_address_ip_version", "v4"),
            ("base_id", "0"),
            ("disable_hot_restart", True),
            ("disabled_extensions", []),
        ):
            self.assertEqual(found[name], value, name)

    def test_node(self) -> None:
        """The command line wins over the bootstrap, except in the bootstrap's own dump."""
        self.server = self.makeServer(
            "node: {id: nn, cluster: cc, locality: {zone: zz}}",
            serviceNode="N",
            serviceCluster="C",
            serviceZone="Z",
        )
        node = nodeMessage(self.server, self.kit)
        self.assertEqual((node.id, node.cluster, node.locality.zone), ("N", "C", "Z"))
        node = nodeMessage(self.server, self.kit, configured=True)
        self.assertEqual((node.id, node.cluster, node.locality.zone), ("nn", "cc", "zz"))


class MemoryTests(PageTestCase):
    """/memory."""

    def test_figures(self) -> None:
        """Texts of bytes, in Envoy's fields."""
        found = self.askJSON(memory)
        self.assertEqual(
            list(found),
            [
                "allocated",
                "heap_size",
                "pageheap_unmapped",
                "pageheap_free",
                "total_thread_cache",
                "total_physical_bytes",
            ],
        )
        self.assertGreater(int(found["allocated"]), 1_000_000)

    def test_elsewhere(self) -> None:
        """Without /proc nothing is claimed."""

        def refuse(*arguments: object, **keywords: object) -> None:
            raise FileNotFoundError

        self.patch(builtins, "open", refuse)
        self.assertEqual(memorySizes(), (0, 0))
