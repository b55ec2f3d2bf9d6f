"""Tests for `twisted_envoy.server.workers.pages`."""

from __future__ import annotations

import json

from tests.server.workers.crew import CrewTestCase
from twisted_envoy.server.admin.home import BY_PATH
from twisted_envoy.server.workers.sockets import CLOSED

MADE_BY_HAND = {"/", "/help"}


class WorkerPagesTests(CrewTestCase):
    """One admin interface of two workers."""

    def setUp(self) -> None:
        super().setUp()
        self.start()
        self.first, self.second = (one.server for one in self.made)

    def test_every(self) -> None:
        """Each page answers."""
        self.patch(self.server, "shutdown", lambda: None)
        for path, page in BY_PATH.items():
            reply = self.ask(path, "POST" if page.mutates else "GET")
            self.assertIsInstance(reply.text(), str, path)
            self.assertIn(reply.code, (200, 400, 501, 503), path)

    def test_stats(self) -> None:
        """They are those of all."""
        for number, one in enumerate((self.first, self.second)):
            one.store.counter("tcp.tcp.downstream_cx_total").value += number + 1
        self.assertIn("tcp.tcp.downstream_cx_total: 3\n", self.ask("/stats").text())
        found = json.loads(self.ask("/stats?format=json").text())["stats"]
        self.assertIn({"name": "tcp.tcp.downstream_cx_total", "value": 3}, found)
        self.assertIn(
            'envoy_tcp_downstream_cx_total{envoy_tcp_prefix="tcp"} 3\n',
            self.ask("/stats/prometheus").text(),
        )

    def test_oneIsDown(self) -> None:
        """The others are shown, and what it has counted."""
        self.first.store.counter("tcp.tcp.downstream_cx_total").value += 2
        self.ask("/stats")
        self.made[0].end()
        self.second.store.counter("tcp.tcp.downstream_cx_total").value += 1
        self.assertIn("tcp.tcp.downstream_cx_total: 3\n", self.ask("/stats").text())

    def test_clusters(self) -> None:
        """Hosts' figures are added."""
        for one in (self.first, self.second):
            found = one.clusters.get("origin")
            assert found is not None
            found.hosts[0].stats.cx_total.value += 2
        self.assertIn("origin::127.0.0.1:9::cx_total::4\n", self.ask("/clusters").text())

    def test_reset(self) -> None:
        """All counters of all are 0."""
        self.first.store.counter("tcp.tcp.downstream_cx_total").value += 2
        self.assertEqual(self.ask("/reset_counters", "POST").code, 200)
        self.assertIn("tcp.tcp.downstream_cx_total: 0\n", self.ask("/stats").text())
        self.assertEqual(self.first.store.value("tcp.tcp.downstream_cx_total"), 0)

    def test_unhealthy(self) -> None:
        """Every worker is, and one that is started later."""
        self.assertEqual(self.ask("/healthcheck/fail", "POST").text(), "OK\n")
        self.assertEqual((self.first.state, self.second.state), ("DRAINING", "DRAINING"))
        self.assertEqual(self.ask("/ready").text(), "DRAINING\n")
        self.made[0].end()
        self.clock.advance(1)
        self.assertEqual(self.made[2].server.state, "DRAINING")

    def test_changes(self) -> None:
        """Of changes that are made again and again the last one is kept, in its place."""
        for word in ("fail", "ok", "fail", "ok"):
            self.ask(f"/healthcheck/{word}", "POST")
        self.made[0].end()
        self.clock.advance(1)
        pages = [uri for _, uri, _ in self.made[2].hello.pages]
        self.assertEqual(pages, ["/healthcheck/fail", "/healthcheck/ok"])

    def test_wrongMethod(self) -> None:
        """A GET changes nothing."""
        self.assertEqual(self.ask("/healthcheck/fail").code, 405)
        self.assertTrue(self.first.drain.healthy)

    def test_runtime(self) -> None:
        """A changed value is everywhere."""
        self.assertEqual(self.ask("/runtime_modify?a=5", "POST").code, 200)
        for server in (self.server, self.first, self.second):
            self.assertEqual(server.runtime.values["a"], 5)
        self.assertIn('"final_value": "5"', self.ask("/runtime").text())

    def test_logging(self) -> None:
        """So is a log level."""
        self.assertEqual(self.ask("/logging?level=debug", "POST").code, 200)
        for server in (self.server, self.first, self.second):
            self.assertEqual(server.logControl.levelOf("http"), "debug")

    def test_drain(self) -> None:
        """All stop to listen; a worker that is started later does not begin."""
        self.assertEqual(self.ask("/drain_listeners", "POST").code, 200)
        self.made[0].end()
        self.clock.advance(1)
        self.assertEqual(self.made[2].hello.listening, (CLOSED, CLOSED))

    def test_drainInbound(self) -> None:
        """Only those of that direction."""
        self.assertEqual(self.ask("/drain_listeners?inboundonly", "POST").code, 200)
        self.made[0].end()
        self.clock.advance(1)
        self.assertEqual(self.made[2].hello.listening[0], CLOSED)
        self.assertNotEqual(self.made[2].hello.listening[1], CLOSED)

    def test_dump(self) -> None:
        """It is a worker's; without any, that of the first process."""
        for _ in range(2):
            dump = json.loads(self.ask("/config_dump").text())
            self.assertEqual(len(dump["configs"]), 4)
            for one in self.made:
                one.end()

    def test_info(self) -> None:
        """The server is one; its memory is that of all processes."""
        info = json.loads(self.ask("/server_info").text())
        self.assertEqual(info["command_line_options"]["concurrency"], 2)
        self.assertEqual(info["state"], "LIVE")
        memory = json.loads(self.ask("/memory").text())
        self.assertGreater(int(memory["allocated"]), 2 * self.server.memory()[0])

    def test_listeners(self) -> None:
        """Where all of them listen."""
        lines = self.ask("/listeners").text().splitlines()
        self.assertEqual(len(lines), 2)
        self.assertNotIn("echo::127.0.0.1:0", lines)

    def test_quits(self) -> None:
        """The whole server ends, once it is answered."""
        ended: list[bool] = []
        self.manager.shutdown = lambda: ended.append(True)
        self.ask("/quitquitquit", "POST")
        self.assertEqual(ended, [])
        self.clock.advance(0)
        self.assertEqual(ended, [True])
        self.assertEqual([one.channel.told for one in self.made], [[], []])
