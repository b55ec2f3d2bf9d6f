"""`python -m benchmarks`: its bootstraps, how it reads the loads' words, what it writes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from benchmarks import __main__ as command
from benchmarks.side_by_side import contestants
from benchmarks.side_by_side.bootstraps import Place, origin, proxies
from benchmarks.side_by_side.certificate import makeCertificate
from benchmarks.side_by_side.loads import (
    Done,
    LoadFailed,
    h2load,
    readH2load,
    readTCP,
    readWrk,
    run,
    tcpLoad,
    wrk,
)
from benchmarks.side_by_side.measure import Figure, Result, rowsOf
from benchmarks.side_by_side.processes import CannotStart, Program, freePort
from benchmarks.side_by_side.report import document, memoryTable, plot, summary, table, verdict
from benchmarks.side_by_side.workloads import WORKLOADS
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions

WRK = """Running 1s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.50ms  200.00us   9.00ms   90.00%
    Req/Sec    40.00k     1.00k   41.00k    70.00%
  Latency Distribution
     50%    1.40ms
     75%    1.50ms
     90%    2.00ms
     99%  850.00us
  40404 requests in 1.01s, 4.20MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 4
Requests/sec:  40004.00
"""
H2LOAD = """finished in 500.00ms, 10000.00 req/s, 1.00MB/s
requests: 5100 total, 5100 started, 5000 done, 4999 succeeded, 1 failed, 2 errored, 0 timeout
status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx
                     min         max         mean         sd        +/- sd
time for request:      100us      9.00ms      1.20ms       100us    80.00%
"""


class BootstrapTests(SynchronousTestCase):
    """What the proxies are given."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.place = Place(1, 2, *makeCertificate(self.folder), 3)

    def build(self, config: object) -> None:
        """It is one that serves."""
        options = ServerOptions(configYAML=json.dumps(config), mode="Validate")
        buildServer(options, Clock())

    def test_proxies(self) -> None:
        """Every kind of every workload."""
        for kind in {one.kind for one in WORKLOADS.values()}:
            made = proxies(kind, self.place)
            self.assertEqual(made[0][1], 1)
            for config, _ in made:
                self.build(config)

    def test_origin(self) -> None:
        """The server behind."""
        big = self.folder / "big"
        big.write_bytes(b"x" * 5000)
        self.build(origin(1, str(big), 5000))

    def test_others(self) -> None:
        """Proxies with a configuration of their own get one for what they can do."""
        for kind in ("http", "direct", "tls"):
            text = contestants.nginxConfig(kind, self.place, self.folder)
            self.assertIn("listen 127.0.0.1:1 ", text)
            self.assertEqual("ssl_certificate " in text, kind == "tls")
            self.assertEqual(text.count("{"), text.count("}"))
        for kind in ("tcp", "http", "http2", "direct", "tls"):
            text = contestants.haproxyConfig(kind, self.place, self.folder / "pem")
            self.assertIn("  bind 127.0.0.1:1", text)
            self.assertEqual("proto h2" in text, kind == "http2")

    def test_commands(self) -> None:
        """A bootstrap is a file in the folder; its path is in the command."""
        ours = contestants.ours(2)
        self.assertEqual(ours.name, "twisted_envoy, 2 workers")
        found = ours.commands("connect", self.place, self.folder)
        self.assertEqual([port for _, port in found], [1, 3])
        for words, _ in found:
            json.loads(Path(words[words.index("-c", 3) + 1]).read_text("utf-8"))

    def test_available(self) -> None:
        """Peers of Python's are always there, each with something that it can do."""
        self.assertIsNotNone(contestants.ours())
        for one in contestants.peers():
            self.assertTrue(any(one.can(workload) for workload in WORKLOADS.values()), one.name)


class LoadTests(SynchronousTestCase):
    """The programs that make the load."""

    def test_wrk(self) -> None:
        """Requests, seconds, latencies, and everything that went wrong."""
        self.assertEqual(readWrk(WRK), Done(40404, 1.01, 1400.0, 850.0, 7))
        self.assertIn("https://127.0.0.1:5/big", wrk(5, 0.2, 8, "/big", tls=True))
        script = wrk(5, 0.2, script="vary.lua")[-2]
        self.assertIn("wrk.format", Path(script).read_text("utf-8"))

    def test_h2load(self) -> None:
        """The mean stands for the middle."""
        done = readH2load(H2LOAD)
        self.assertEqual((done.operations, done.seconds, done.errors), (4999, 0.5, 3))
        self.assertAlmostEqual(done.p50, 1200.0)
        self.assertIn("http://127.0.0.1:5/", h2load(5, 1))

    def test_nonsense(self) -> None:
        """Other words are a failure that shows them."""
        for read in (readWrk, readH2load):
            self.assertIn("what", str(self.assertRaises(LoadFailed, read, "what")))
        self.assertRaises(LoadFailed, run, ["false"], ())

    def test_tcp(self) -> None:
        """Ours: bytes both ways, messages, connections, without a proxy between."""
        port = freePort()
        folder = Path(self.mktemp())
        folder.mkdir()
        server = Program(tcpLoad("serve", port), folder / "log", ())
        self.addCleanup(server.stop)
        server.waitFor(port)
        for words in (("bulk", port, "down", 3_000_000), ("bulk", port, "up", 3_000_000)):
            self.assertEqual(readTCP(run(tcpLoad(*words), ())).operations, 0.003)
        for words in (("messages", port, 3, 0.05), ("connections", port, 3, 0.05)):
            done = readTCP(run(tcpLoad(*words), ()))
            self.assertGreater(done.operations, 10)
            self.assertGreater(done.p99, done.p50 / 2)
            self.assertEqual(done.errors, 0)
        self.assertEqual(json.loads(run(tcpLoad("idle", port, 3, "tcp"), ())), {"open": 3})
        self.assertGreater(server.processor(), 0)
        self.assertGreater(server.memory(), 1000)

    def test_doesNotStart(self) -> None:
        """What a program says before it ends is in the problem."""
        log = Path(self.mktemp())
        program = Program([sys.executable, "-c", "print('no such luck')"], log, ())
        self.addCleanup(program.stop)
        problem = self.assertRaises(CannotStart, program.waitFor, freePort())
        self.assertIn("no such luck", str(problem))


def figure(capacity: float) -> Figure:
    """A load that was measured."""
    return Figure(capacity * 2, capacity, 0.5, 10, 20, 1)


class ReportTests(SynchronousTestCase):
    """Rows, tables and the picture."""

    def setUp(self) -> None:
        figures = {
            "Envoy": [figure(100), figure(200), figure(50)],
            "twisted_envoy": [figure(150), figure(100), None],
            "slow": [None, None, None],
        }
        self.result = Result(WORKLOADS["tcp_pp64"], rowsOf(figures), ["slow did not start"])

    def test_rows(self) -> None:
        """Medians; ratios of the same round; who has nothing has no row."""
        envoy, ours = self.result.rows
        self.assertEqual((envoy.name, envoy.capacity, envoy.ratio), ("Envoy", 100, 1.0))
        self.assertEqual((ours.capacity, ours.ratio, ours.errors), (125, 1.0, 2))

    def test_verdicts(self) -> None:
        """The goal, at least what was asked, or a miss that is called one."""
        for ratio, word in ((1.2, "goal"), (1.0, "met"), (0.99, "MISSED")):
            self.result.rows[1].ratio = ratio
            self.assertEqual(verdict(self.result), (f"{ratio:.2f}", word))
        self.assertEqual(verdict(Result(WORKLOADS["tcp_pp1"], self.result.rows))[1], "")
        self.assertEqual(verdict(Result(WORKLOADS["tcp_pp1"])), ("-", "not measured"))

    def test_tables(self) -> None:
        """Each row and each problem is there."""
        text = table(self.result)
        self.assertIn("| twisted_envoy | 250 | 125 | 1.00 | 0.50 | 10 | 20 | 2 |\n", text)
        self.assertIn("slow did not start", text)
        self.assertIn(
            "| tcp_pp64 | 64 bytes and back, 64 | 1.00 | 1 | 1.2 | met |", summary([self.result])
        )
        self.assertIn(
            "| tcp | a | 0.25 | 2.0 | 3.0 |", memoryTable([("tcp", "a", (0.25, 2048, 3))])
        )

    def test_document(self) -> None:
        """Command, machine, versions, tables."""
        ours = contestants.ours()
        text = document("python -m benchmarks", [ours], [self.result], [], "RESULTS.svg")
        for part in ("`python -m benchmarks`", ours.version, "RESULTS.svg", "### tcp_pp64"):
            self.assertIn(part, text)

    def test_picture(self) -> None:
        """XML, with a bar for us."""
        self.result.rows[1].ratio = 0.5
        tree = ElementTree.fromstring(plot([self.result]))
        texts = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}text")]
        self.assertEqual(texts, ["tcp_pp64", "0.50", "Envoy"])
        self.assertIn("#c0603f", plot([self.result]))


class CommandTests(SynchronousTestCase):
    """The command line."""

    def test_chooses(self) -> None:
        """By name; a name that is none is said."""
        self.patch(command.shutil, "which", lambda name: "/bin/" + name)
        self.assertEqual([one.name for one in command.chosen(["h1_get"])], ["h1_get"])
        self.assertEqual(len(command.chosen([])), len(WORKLOADS))
        problem = self.assertRaises(SystemExit, command.chosen, ["nope"])
        self.assertIn("there is no workload nope; there are tcp_down", str(problem))

    def test_missing(self) -> None:
        """Without wrk what needs it is left out, or refused when it was asked for."""
        self.patch(command.shutil, "which", lambda name: None if name == "wrk" else name)
        self.patch(sys, "stderr", io.StringIO())
        clients = {one.client for one in command.chosen([])}
        self.assertEqual(clients, {"tcp", "h2"})
        problem = self.assertRaises(SystemExit, command.chosen, ["h1_get"])
        self.assertEqual(str(problem), "h1_get needs wrk")

    def test_lists(self) -> None:
        """Every workload, and status 0."""
        words = [sys.executable, "-m", "benchmarks", "--list"]
        done = subprocess.run(words, cwd=contestants.ROOT, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], [*WORKLOADS])
