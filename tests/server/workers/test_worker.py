"""Tests for `twisted_envoy.server.workers.worker`; tests/integration/test_workers.py runs some."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.server.workers.crew import build
from twisted_envoy.server.workers.worker import Worker


class Log:
    """Records."""

    def __init__(self) -> None:
        self.reopened = 0

    def reopen(self) -> None:
        self.reopened += 1


class Reactor:
    """Records."""

    def __init__(self) -> None:
        self.stopped = 0

    def stop(self) -> None:
        self.stopped += 1


class WorkerTests(SynchronousTestCase):
    """What a worker does when it is told."""

    def setUp(self) -> None:
        self.server = build(Clock())
        self.log: Any = Log()
        self.reactor = Reactor()
        assert self.server.admin is not None
        pages = self.server.admin.factory.router
        self.worker = Worker(self.server, pages, self.log, self.reactor)

    def hear(self, what: str, **words: object) -> Any:
        """What it answers."""
        return json.loads(json.dumps(self.worker._heard({"what": what, **words})))

    def test_snapshot(self) -> None:
        """Histograms keep their interval."""
        self.server.store.histogram("x").record(1)
        self.assertNotIn("x", self.hear("snapshot")["stats"]["histograms"])
        self.assertIn("x", self.hear("merge")["stats"]["histograms"])

    def test_page(self) -> None:
        """A page's text, status and type."""
        text, code, kind = self.hear("page", method="POST", uri="/healthcheck/fail", form="")
        self.assertEqual((text, code, kind[:10]), ("OK\n", 200, "text/plain"))
        self.assertFalse(self.server.drain.healthy)

    def test_reopens(self) -> None:
        """Its log and its access logs."""
        opened: list[bool] = []
        self.patch(self.server.accessLogs, "reopen", lambda: opened.append(True))
        self.assertIsNone(self.hear("reopen"))
        self.assertEqual((self.log.reopened, opened), (1, [True]))

    def test_stops(self) -> None:
        """Once, also when the first process has gone."""
        self.hear("stop")
        self.worker.channel.connectionLost()
        self.assertEqual(self.reactor.stopped, 1)

    def test_gone(self) -> None:
        """Without the first process there is nothing to do."""
        self.worker.channel.connectionLost()
        self.assertEqual(self.reactor.stopped, 1)

    def test_ready(self) -> None:
        """Nobody has to listen."""
        self.worker.ready()
