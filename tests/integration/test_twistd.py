"""The command as people and init systems use it: folders, signals, daemons, mistakes."""

from __future__ import annotations

import compileall
import os
import re
import resource
import select
import signal
import socket
from pathlib import Path

from tests.integration.programs import (
    PATIENCE,
    ROOT,
    TWIST,
    TWISTD,
    Program,
    ProgramTestCase,
    configText,
    freePorts,
    portOf,
    received,
    receivedToEnd,
)

SAY = f"import runpy; runpy.run_path({str(ROOT / 'tools' / 'say.py')!r}, run_name='__main__')"

LOGGED = """
static_resources:
  listeners:
  - name: echo
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    access_log:
    - name: envoy.access_loggers.file
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
        path: %s
        log_format: {text_format_source: {inline_string: "a connection\\n"}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.echo
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo
"""

START = 2.3
"""How many times the CPU time of a bare `twistd --version` a start may take until it serves."""


class ServeTests(ProgramTestCase):
    """A program that serves."""

    fresh = True

    def echoes(self, program: Program) -> None:
        """A line comes back, end included."""
        with program.connect("echo") as client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(receivedToEnd(client), b"hello")

    def test_sideBySide(self) -> None:
        """Two in one folder, both with --pidfile=; twistd leaves no file."""
        text = configText("echo.yaml", {10000: 0})
        first, second = self.serve(text), self.serve(text)
        with first.connect("echo") as one, second.connect("echo") as other:
            for client in (one, other):
                client.sendall(b"hello")
                self.assertEqual(received(client, 5), b"hello")
        self.assertEqual((first.end(), second.end()), ((0, ""), (0, "")))
        self.assertEqual(
            sorted(os.listdir(self.folder)),
            ["admin.1", "admin.2", "envoy.yaml"],
        )

    def test_logsAreReopened(self) -> None:
        """SIGUSR1 after a rename: new records go to a new file."""
        access, old = self.folder / "access.log", self.folder / "access.old"
        program = self.serve(LOGGED % access)
        self.echoes(program)
        access.rename(old)
        program.process.send_signal(signal.SIGUSR1)
        self.assertTrue(program.logs("caught SIGUSR1. Reopening access logs."))
        self.echoes(program)
        self.assertEqual(program.end(), (0, ""))
        self.assertEqual(old.read_text("utf-8"), "a connection\n")
        self.assertEqual(access.read_text("utf-8"), "a connection\n")

    def test_twist(self) -> None:
        """`twist envoy` serves as `twistd envoy` does."""
        program = self.serve(configText("echo.yaml", {10000: 0}), code=TWIST)
        self.echoes(program)
        self.assertEqual(program.end(), (0, ""))

    def test_daemon(self) -> None:
        """Without -n: the sockets are bound before the fork, and the daemon serves them."""
        config = self.file(configText("echo.yaml", {10000: 0}))
        pidFile, log = self.folder / "twistd.pid", self.folder / "log"
        program = self.spawn("--logfile=log", "envoy", "-c", config, admin=True)
        self.assertEqual((program.ended(), program.log()), ((0, ""), ""))
        pid = int(pidFile.read_text("ascii"))
        ended = os.pidfd_open(pid)
        self.addCleanup(os.close, ended)
        try:
            self.echoes(program)
        finally:
            os.kill(pid, signal.SIGTERM)
        self.assertEqual(select.select([ended], [], [], PATIENCE)[0], [ended])
        self.assertFalse(pidFile.exists())
        text = log.read_text("utf-8")
        self.assertTrue(text.endswith(" exiting\n"), text)

    def test_tac(self) -> None:
        """configs/envoy.tac: a bootstrap and a service of Twisted's in one application."""
        (port,) = freePorts(1)
        tac = self.file(configText("envoy.tac", {9999: port}), "envoy.tac")
        program = self.spawn("-n", "--pidfile=", "-y", tac)
        say = self.spawn(str(port), "hello", code=SAY)
        self.assertEqual((say.ended(), say.log()), ((0, "You said: hello\n"), ""))
        program.end(signal.SIGINT)
        self.assertNotIn("Traceback", program.log())

    def test_startTime(self) -> None:
        """From exec to serving, in CPU time, as a ratio to a bare twistd: the least of three."""
        compileall.compile_dir(ROOT / "twisted_envoy", quiet=2)  # what is installed is compiled
        origin = self.origin()
        config = self.file(
            configText("internal_listener_proxy.yaml", {9999: 0, 10000: portOf(origin)})
        )
        bare, times = [], []
        for _ in range(3):
            began = spentByChildren()
            self.assertEqual(self.spawn("--version").ended()[0], 0)
            bare.append(spentByChildren() - began)
            began = spentByChildren()
            program = self.spawn("-n", "--pidfile=", "envoy", "-c", config)
            self.assertTrue(program.logs("starting main dispatch loop"), program.log())
            program.end()
            times.append(spentByChildren() - began)
        self.assertLess(min(times), START * min(bare), (times, bare))


def spentByChildren() -> float:
    """CPU seconds of the programs that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class MistakeTests(ProgramTestCase):
    """What is wrong at the start is one line on stderr and status 1."""

    def refuses(self, expected: str, *arguments: str | Path, code: str = TWISTD) -> None:
        """One line on stderr that matches."""
        if code == TWISTD:
            arguments = ("-n", "--pidfile=", *arguments)
        program = self.spawn(*arguments, "-l", "error", code=code)
        self.assertEqual(program.ended(), (1, ""), program.log())
        self.assertEqual(program.log().count("\n"), 1, program.log())
        self.assertRegex(program.log(), expected)

    def test_portInUse(self) -> None:
        """The address and the reason are named."""
        listening = self.origin()
        port = portOf(listening)
        config = self.file(configText("echo.yaml", {10000: port}))
        for code in (TWISTD, TWIST):
            self.refuses(
                rf"cannot bind '127\.0\.0\.1:{port}': Address already in use",
                "envoy",
                "-c",
                config,
                code=code,
            )

    def test_noFile(self) -> None:
        """A file that is not there."""
        self.refuses("nowhere.yaml", "envoy", "-c", "nowhere.yaml")

    def test_unreadableFile(self) -> None:
        """What is no file at all, for everybody, root too."""
        expected = rf"\(Is a directory\).*{re.escape(str(self.folder))}"
        self.refuses(expected, "envoy", "-c", self.folder)

    def test_brokenFile(self) -> None:
        """File, line and column."""
        text = configText("echo.yaml", {}).replace("filter_chains", "filter_chain")
        line = text[: text.index("filter_chain:")].count("\n") + 1
        config = self.file(text)
        self.refuses(rf"{re.escape(str(config))}:{line}:5: ", "envoy", "-c", config)

    def test_logPath(self) -> None:
        """A log that cannot be opened."""
        config = self.file(configText("echo.yaml", {10000: 0}))
        path = self.folder / "no" / "log"
        self.refuses(re.escape(str(path)), "envoy", "-c", config, "--log-path", path)

    def test_accessLogPath(self) -> None:
        """An access log that cannot be opened: the line that names it."""
        config = self.file(LOGGED % (self.folder / "no" / "log"))
        self.refuses(r"envoy\.yaml:10:\d+: .*no/log", "envoy", "-c", config)

    def test_flag(self) -> None:
        """A flag that nobody knows."""
        self.refuses("--nope", "envoy", "--nope")


class SayTests(ProgramTestCase):
    """tools/say.py, the client of README and configs."""

    def test_tries(self) -> None:
        """It tries again while the answer is a reset or nothing at all."""
        listening = self.origin()
        program = self.spawn(str(portOf(listening)), "hello", code=SAY)
        for answer in (b"", b"hello\n"):
            connection = self.accept(listening)
            self.assertEqual(receivedToEnd(connection), b"hello\n")
            connection.sendall(answer)
            connection.close()
        self.assertEqual(program.ended(), (0, "hello\n"))

    def test_nobody(self) -> None:
        """When nobody answers it is one line that names the port, and status 1."""
        (port,) = freePorts(1)
        hurry = f"import itertools, time; time.monotonic = itertools.count(0, 20).__next__; {SAY}"
        program = self.spawn(str(port), "hello", code=hurry)
        self.assertEqual(program.ended(), (1, ""))
        self.assertEqual(program.log(), f"say.py: port {port}: Connection refused\n")

    def test_usage(self) -> None:
        """Without a port and a text it says how to use it."""
        program = self.spawn(code=SAY)
        self.assertEqual(program.ended()[0], 1)
        self.assertIn("usage: python tools/say.py PORT TEXT", program.log())
