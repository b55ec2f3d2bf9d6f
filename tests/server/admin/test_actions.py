"""Tests for `twisted_envoy.server.admin.actions`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin import actions


class ActionTests(PageTestCase):
    """The small pages."""

    def test_health(self) -> None:
        """/healthcheck/fail and /ok change what /ready says."""
        for page, code, text in (
            (None, 200, "LIVE\n"),
            (actions.healthCheckFail, 503, "DRAINING\n"),
            (actions.healthCheckOk, 200, "LIVE\n"),
        ):
            if page is not None:
                self.assertEqual(self.ask(page).text(), "OK\n")
            reply = self.ask(actions.ready)
            self.assertEqual((reply.code, reply.text()), (code, text))

    def test_initializing(self) -> None:
        """A server that is not ready says which state it is in."""
        self.server.state = "INITIALIZING"
        reply = self.ask(actions.ready)
        self.assertEqual((reply.code, reply.text()), (503, "INITIALIZING\n"))

    def test_quit(self) -> None:
        """The server ends after the answer."""
        self.assertEqual(self.ask(actions.quitQuitQuit).text(), "OK\n")
        self.assertEqual(self.server.said, [])
        self.clock.advance(0)
        self.assertEqual(self.server.said, ["shutdown"])

    def test_reopen(self) -> None:
        """Logs are reopened."""
        self.assertEqual(self.ask(actions.reopenLogs).text(), "OK\n")
        self.assertEqual(self.server.said, ["reopenLogs"])

    def test_fixedAnswers(self) -> None:
        """What Envoy says when there is nothing to say, or nothing built in."""
        for page, query, code, text in (
            (actions.hotRestartVersion, "", 200, "disabled"),
            (actions.initDump, "mask=listener", 200, "{}\n"),
            (actions.certs, "", 200, '{\n "certificates": []\n}\n'),
            (actions.cpuProfiler, "", 400, "?enable=<y|n>\n"),
            (actions.cpuProfiler, "enable=x", 400, "?enable=<y|n>\n"),
            (actions.cpuProfiler, "enable=y", 500, "failure to start the profiler"),
            (actions.cpuProfiler, "enable=n", 200, "OK\n"),
            (actions.recentLookupsSwitch, "", 200, "OK\n"),
            (actions.heapProfiler, "", 501, "The current build does not support heap profiler"),
        ):
            reply = self.ask(page, query)
            self.assertEqual((reply.code, reply.text()), (code, text))
        for page in (actions.heapDump, actions.allocationProfiler, actions.allocatorStats):
            self.assertEqual(self.ask(page).code, 501)
        self.assertIn("--enable-mutex-tracing", self.ask(actions.contention).text())
        self.assertTrue(self.ask(actions.recentLookups).text().endswith("\n\ntotal: 0\n"))
