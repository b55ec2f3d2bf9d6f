"""Tests for `twisted_envoy.server.admin.pages`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.pages import PAGES


class PagesTests(PageTestCase):
    """The table."""

    def test_everyPageAnswers(self) -> None:
        """Each handler of the table answers a plain question."""
        for page in PAGES:
            reply = self.ask(page.handler)
            self.assertIn(reply.code, (200, 400, 501), page.path)
            self.assertIsInstance(reply.text(), str)

    def test_mutating(self) -> None:
        """Exactly what changes something wants POST."""
        self.assertEqual(
            {page.path for page in PAGES if page.mutates},
            {
                "/allocprofiler",
                "/cpuprofiler",
                "/drain_listeners",
                "/healthcheck/fail",
                "/healthcheck/ok",
                "/heapprofiler",
                "/logging",
                "/quitquitquit",
                "/reopen_logs",
                "/reset_counters",
                "/runtime_modify",
                "/stats/recentlookups/clear",
                "/stats/recentlookups/disable",
                "/stats/recentlookups/enable",
            },
        )
