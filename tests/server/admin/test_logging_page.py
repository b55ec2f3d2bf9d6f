"""Tests for `twisted_envoy.server.admin.logging_page`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.logging_page import logging


class LoggingTests(PageTestCase):
    """/logging."""

    def test_list(self) -> None:
        """All loggers in Envoy's order, an empty line at the end."""
        text = self.ask(logging).text()
        self.assertTrue(text.startswith("active loggers:\n  a2a: info\n  admin: info\n"))
        self.assertTrue(text.endswith("  dynamic_modules: info\n  ip_tagging: info\n\n"))

    def test_changes(self) -> None:
        """All, several, one; the answer shows the new levels."""
        for query, shown in (
            ("level=debug", "  admin: debug\n"),
            ("paths=admin:error,main:trace", "  main: trace\n"),
            ("admin=off", "  admin: off\n"),
            ("level=warn", "  http: warning\n"),
        ):
            reply = self.ask(logging, query)
            self.assertEqual(reply.code, 200)
            self.assertIn(shown, reply.text())

    def test_nothingToChange(self) -> None:
        """An empty value only lists."""
        for query in ("level=", "paths=", "admin=", "nope=", "group="):
            self.assertEqual(self.ask(logging, query).code, 200)

    def test_errors(self) -> None:
        """Envoy's texts, its usage, and the list; nothing has changed."""
        for query, text in (
            ("level=nope", "unknown logger level"),
            ("paths=nope:debug", "unknown logger name"),
            ("paths=admin:nope", "unknown logger level"),
            ("paths=nope:debug,admin:no", "unknown logger level"),
            ("paths=admin:no,nope", "unknown logger level"),
            ("nope=no", "unknown logger level"),
            ("nope=debug", "unknown logger name"),
            ("admin=nope", "unknown logger level"),
            ("a=b&c=d", "invalid number of parameters"),
            ("paths=admin", "empty logger name or empty logger level"),
            ("group=admin", "group parameter requires fine-grain logging to be enabled"),
        ):
            reply = self.ask(logging, query)
            self.assertEqual(reply.code, 400)
            self.assertTrue(
                reply.text().startswith(
                    f"error: {text}\n\nusage: /logging?<name>=<level> (change single level)\n"
                ),
                reply.text(),
            )
            self.assertIn(
                "\nlevels: trace debug info warning error critical off \nactive loggers:\n",
                reply.text(),
            )
            self.assertEqual(self.server.logControl.levelOf("admin"), "info")
