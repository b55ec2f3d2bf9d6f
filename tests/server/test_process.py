"""`twistd envoy` and `twist envoy` as processes: statuses, output, signals, daemons."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TWISTD = "from twisted.scripts.twistd import run; run()"
TWIST = "from twisted.application.twist._twist import Twist; Twist.main()"
ADMIN = "{admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}}"
PATIENCE = 20
BLOCKED = """
import socket, threading
def ask(*arguments):
    open("asked", "w").close()
    threading.Event().wait()
socket.getaddrinfo = ask
"""
HANGING = """
import threading
from twisted.internet import reactor
reactor.callWhenRunning(reactor.callInThread, threading.Event().wait)
"""
NAMED = """
static_resources:
  clusters:
  - name: named
    type: STRICT_DNS
    load_assignment:
      cluster_name: named
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: a.test, port_value: 80}}}
"""


class ProcessTestCase(SynchronousTestCase):
    """Runs programs in an empty folder."""

    def setUp(self) -> None:
        """The folder."""
        self.folder = os.path.abspath(self.mktemp())
        os.mkdir(self.folder)

    def spawn(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program; it ends with the test."""
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": ROOT},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_(self, code: str, *arguments: str) -> tuple[int, str, str]:
        """Run a program to its end: (status, stdout, stderr)."""
        process = self.spawn(code, *arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    @contextmanager
    def serving(self, code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A program whose main loop runs."""
        process = self.spawn(code, *arguments)
        stderr: Any = process.stderr
        seen = []
        for line in stderr:
            seen.append(line)
            if "starting main dispatch loop" in line:
                break
        else:
            self.fail("".join(seen))
        yield process


class EndTests(ProcessTestCase):
    """How it ends."""

    def endsWell(self, code: str, *arguments: str, number: int = signal.SIGTERM) -> None:
        """A signal ends it with status 0 and an orderly log."""
        with self.serving(code, *arguments) as process:
            process.send_signal(signal.SIGHUP)
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (0, ""), err)
        self.assertIn("shutting down server instance", err)
        self.assertTrue(err.endswith(" exiting\n"), err)

    def test_reactors(self) -> None:
        """SIGTERM under each of twistd's reactors."""
        for name in ("epoll", "asyncio", "poll", "select"):
            self.endsWell(TWISTD, "-r", name, "-n", "--pidfile=", "envoy", "--config-yaml", ADMIN)
        self.assertEqual(os.listdir(self.folder), [])

    def test_interrupt(self) -> None:
        """Ctrl-C is the same."""
        self.endsWell(
            TWISTD, "-n", "--pidfile=", "envoy", "--config-yaml", ADMIN, number=signal.SIGINT
        )

    def test_slowResolver(self) -> None:
        """A question to DNS that nobody answers keeps no process from ending."""
        arguments = ("-n", "--pidfile=", "envoy", "--config-yaml", NAMED)
        with self.serving(BLOCKED + TWISTD, *arguments) as process:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("asked", os.listdir(self.folder))

    def test_secondSignal(self) -> None:
        """A thread that hangs keeps the process only until it is told a second time."""
        with self.serving(
            HANGING + TWISTD, "-n", "--pidfile=", "envoy", "--config-yaml", ADMIN
        ) as process:
            process.send_signal(signal.SIGTERM)
            self.until(process.stderr, "shutting down server instance")
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)

    def until(self, stderr: Any, text: str) -> str:
        """Read the log up to a line with the text."""
        for line in stderr:
            if text in line:
                return str(line)
        self.fail(f"no {text}")

    def test_twist(self) -> None:
        """twist prints no log of its own, and gives 0, too."""
        self.endsWell(TWIST, "envoy", "--config-yaml", ADMIN)


class StartTests(ProcessTestCase):
    """How it does not start."""

    def test_validate(self) -> None:
        """One line on stdout, status 0, no file left behind, no reactor started."""
        for code, arguments in ((TWISTD, ()), (TWISTD, ("-n",)), (TWIST, ())):
            found = self.run_(
                code,
                *arguments,
                "envoy",
                "--mode",
                "validate",
                "--config-yaml",
                "{}",
                "-l",
                "error",
            )
            self.assertEqual(found, (0, "configuration '' OK\n", ""))
        self.assertEqual(os.listdir(self.folder), [])

    def test_brokenConfig(self) -> None:
        """One line on stderr, status 1, no traceback."""
        for code, arguments in ((TWISTD, ("-n",)), (TWIST, ())):
            status, out, err = self.run_(
                code, *arguments, "envoy", "-l", "error", "--config-yaml", "{nope: 1}"
            )
            self.assertEqual((status, out, err.count("\n")), (1, "", 1), err)
            self.assertRegex(
                err, r"^\[[^]]+\]\[\d+\]\[critical\]\[main\] \[\S+\] error `--config-yaml:1:2: "
            )

    def test_brokenConfigOfADaemon(self) -> None:
        """The terminal sees it although the log is in a file."""
        status, out, err = self.run_(TWISTD, "envoy", "--config-yaml", "{nope: 1}")
        self.assertEqual((status, out, err.count("\n")), (1, "", 1), err)
        self.assertTrue(err.startswith("error `--config-yaml:1:2: "), err)
        self.assertEqual(os.listdir(self.folder), ["twistd.log"])

    def test_wrongCommandLine(self) -> None:
        """One line, status 1."""
        for code in (TWISTD, TWIST):
            status, out, err = self.run_(code, "envoy", "--nope")
            self.assertEqual((status, out, err.count("\n")), (1, "", 1), err)

    def test_addressFile(self) -> None:
        """One that cannot be written is one line, and nothing else."""
        path = os.path.join(self.folder, "none", "admin")
        arguments = ["--mode", "init_only", "-l", "error", "--admin-address-path", path]
        found = self.run_(TWISTD, "-n", "envoy", "--config-yaml", ADMIN, *arguments)
        self.assertEqual((*found[:2], found[2].count("\n")), (0, "", 1), found[2])
        self.assertIn("[critical][admin] [", found[2])

    def test_help(self) -> None:
        """All flags are listed."""
        status, out, _ = self.run_(TWISTD, "envoy", "--help")
        self.assertEqual(status, 0)
        self.assertEqual(out.splitlines()[0], "Usage: twistd [options] envoy -c FILE [options]")
        for flag in ("--config-path", "-c,", "--allow-unsupported", "--log-level"):
            self.assertIn(flag, out)


class DaemonTests(ProcessTestCase):
    """Without `-n`."""

    def test_daemon(self) -> None:
        """The parent ends with 0, the child serves, writes twistd.log and removes its pid file."""
        status, out, err = self.run_(
            TWISTD, "envoy", "--config-yaml", ADMIN, "--admin-address-path", "admin"
        )
        self.assertEqual((status, out, err), (0, "", ""))
        with open(os.path.join(self.folder, "twistd.pid"), encoding="ascii") as file:
            pid = int(file.read())
        host, port = self.read("admin").split(":")
        answer = subprocess.run(
            [sys.executable, "-c", ASK, host, port],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        ended = os.pidfd_open(pid)
        self.addCleanup(os.close, ended)
        os.kill(pid, signal.SIGTERM)
        self.assertIn("LIVE", answer.stdout)
        self.assertEqual(select.select([ended], [], [], PATIENCE)[0], [ended])
        self.assertFalse(os.path.exists(os.path.join(self.folder, "twistd.pid")))
        log = self.read("twistd.log")
        self.assertIn("starting main dispatch loop", log)
        self.assertTrue(log.endswith(" exiting\n"), log)

    def read(self, name: str) -> str:
        """A file's text."""
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()


ASK = """
import sys, urllib.request
print(urllib.request.urlopen("http://%s:%s/ready" % tuple(sys.argv[1:])).read().decode())
"""
