"""Tests for `twisted_envoy.server.admin.listeners_page`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.listeners_page import drainListeners, listeners


class ListenersTests(PageTestCase):
    """/listeners."""

    def test_text(self) -> None:
        """One line for each address; an unknown format is text."""
        for query in ("", "format=xml"):
            self.assertEqual(
                self.ask(listeners, query).text(),
                "ingress::127.0.0.1:9902\ningress::[::1]:9903\n"
                "encap::envoy://encap/\npipe::/tmp/l.sock\n",
            )

    def test_json(self) -> None:
        """envoy.admin.v3.Listeners."""
        found = self.askJSON(listeners, "format=json")["listener_statuses"]
        self.assertEqual(
            found,
            [
                {
                    "name": "ingress",
                    "local_address": {
                        "socket_address": {"address": "127.0.0.1", "port_value": 9902}
                    },
                    "additional_local_addresses": [
                        {"socket_address": {"address": "::1", "port_value": 9903}}
                    ],
                },
                {
                    "name": "encap",
                    "local_address": {"envoy_internal_address": {"server_listener_name": "encap"}},
                },
                {"name": "pipe", "local_address": {"pipe": {"path": "/tmp/l.sock"}}},
            ],
        )


class DrainListenersTests(PageTestCase):
    """/drain_listeners."""

    def drain(self, query: str) -> list[bool]:
        """How often and how listening was stopped."""
        self.assertEqual(self.ask(drainListeners, query).text(), "OK\n")
        return self.server.listeners.stopped

    def test_atOnce(self) -> None:
        """All, or only the inbound ones; what the parameter says does not matter."""
        self.assertEqual(self.drain(""), [False])
        self.assertEqual(self.drain("inboundonly=false"), [False, True])

    def test_graceful(self) -> None:
        """After the drain time."""
        self.assertEqual(self.drain("graceful"), [])
        self.clock.advance(600)
        self.assertEqual(self.server.listeners.stopped, [False])

    def test_skipExit(self) -> None:
        """Never."""
        self.assertEqual(self.drain("graceful&skip_exit"), [])
        self.assertTrue(self.server.drain.draining)
        self.assertEqual(self.clock.getDelayedCalls(), [])
