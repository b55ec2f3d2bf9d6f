"""`--concurrency N`: several processes that serve as one."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import tempfile
import time
from pathlib import Path

from tests.integration.programs import (
    PATIENCE,
    Program,
    ProgramTestCase,
    configText,
    received,
    receivedToEnd,
)
from tests.integration.test_twistd import LOGGED

COUNT = 400  # even random shares are within three in five


def workersOf(pid: int) -> list[int]:
    """The processes below one."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class WorkersTests(ProgramTestCase):
    """Two workers, under every reactor."""

    def start(self, text: str, *options: str, patience: float = PATIENCE) -> Program:
        """Serve, and wait until both let connections in."""
        options = ("-n", "--pidfile=", *options)
        config = self.file(text)
        program = self.spawn(*options, "envoy", "-c", config, "--concurrency", "2", admin=True)
        self.assertTrue(program.logs("starting main dispatch loop"), program.log())
        self.assertTrue(self.comes(lambda: "LIVE" in program.admin("server_info")), program.log())
        return program

    def comes(self, condition: object) -> bool:
        """Ask again and again."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if condition():  # type: ignore[operator]
                return True
            select.select([], [], [], 0.01)
        return False

    def stat(self, program: Program, name: str) -> int:
        """One counter or gauge; the pattern matches one name."""
        found = re.search(rf"^{name}: (\d+)$", program.admin("stats"), re.MULTILINE)
        assert found is not None, name
        return int(found[1])

    def echo(self, program: Program, count: int) -> None:
        """So many connections at once, each with a line that comes back."""
        port = program.port("echo")
        clients = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(count)]
        for client in clients:
            with client:
                client.sendall(b"hello")
                self.assertEqual(received(client, 5), b"hello")
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(receivedToEnd(client), b"")

    def test_life(self) -> None:
        """
        Connections are shared, figures added; logs are whole and are reopened by both.

        A worker that is killed is started again. At SIGTERM an open connection is closed and the
        status is 0.
        """
        access, old = self.folder / "access.log", self.folder / "access.old"
        program = self.start(LOGGED % access)
        self.echo(program, COUNT)
        name = r"listener\.\S+\.worker_%d\.downstream_cx_total"
        shares = [self.stat(program, name % index) for index in range(2)]
        self.assertEqual(sum(shares), COUNT)
        self.assertLessEqual(max(shares), COUNT * 0.6)
        access.rename(old)
        program.process.send_signal(signal.SIGUSR1)
        self.assertTrue(self.comes(access.exists))
        self.echo(program, COUNT)
        first = workersOf(program.process.pid)
        self.assertEqual(len(first), 2)
        with program.connect("echo") as client:
            client.sendall(b"hello")
            self.assertEqual(received(client, 5), b"hello")
            self.assertEqual(program.end(), (0, ""))
            self.assertEqual(receivedToEnd(client), b"")
        for pid in first:
            self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        self.assertNotIn("Traceback", program.log())
        lines = (old.read_text("utf-8") + access.read_text("utf-8")).splitlines()
        self.assertEqual(lines, ["a connection"] * (2 * COUNT + 1))
        self.assertTrue(access.read_text("utf-8"))

    def test_crash(self) -> None:
        """
        A worker that is killed is started again, and refuses nobody meanwhile.

        All workers end when the first process has gone without a word.
        """
        program = self.start(configText("echo.yaml", {10000: 0}), "-r", "select")
        victim = workersOf(program.process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        self.assertTrue(program.logs("ended with signal 9; it is started again"))
        self.echo(program, COUNT)
        self.assertEqual(self.stat(program, r"server\.worker_restarts"), 1)
        ends = [os.pidfd_open(pid) for pid in workersOf(program.process.pid)]
        self.assertEqual(len(ends), 2)
        for one in ends:
            self.addCleanup(os.close, one)
        program.process.kill()
        for one in ends:
            self.assertEqual(select.select([one], [], [], PATIENCE)[0], [one])

    def test_oneSocket(self) -> None:
        """Without SO_REUSEPORT, and on a Unix socket, all accept from one; its path is removed."""
        text = configText("echo.yaml", {10000: 0}).replace(
            "  - name: echo\n", "  - name: echo\n    enable_reuse_port: false\n"
        )
        folder = tempfile.TemporaryDirectory()  # that of the test may be too long for a socket
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "echo.sock")
        text = text.replace(
            "    filter_chains:\n",
            f"    additional_addresses:\n    - address: {{pipe: {{path: {path}}}}}\n"
            "    filter_chains:\n",
            1,
        )
        program = self.start(text, "-r", "asyncio")
        self.echo(program, 10)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            client.sendall(b"hello")
            self.assertEqual(received(client, 5), b"hello")
        self.assertEqual(program.end(), (0, ""))
        self.assertFalse(path.exists())

    def test_daemon(self) -> None:
        """Workers of a daemon end with it, and log into its file."""
        config = self.file(configText("echo.yaml", {10000: 0}))
        options = ("-r", "poll", "--logfile=log", "envoy", "-c", config, "--concurrency", "2")
        program = self.spawn(*options, admin=True)
        self.assertEqual((program.ended(), program.log()), ((0, ""), ""))
        pid = int((self.folder / "twistd.pid").read_text("ascii"))
        ended = os.pidfd_open(pid)
        self.addCleanup(os.close, ended)
        try:
            self.assertTrue(self.comes(lambda: "LIVE" in program.admin("ready")))
            self.echo(program, 4)
            workers = workersOf(pid)
        finally:
            os.kill(pid, signal.SIGTERM)
        self.assertEqual(select.select([ended], [], [], PATIENCE)[0], [ended])
        log = (self.folder / "log").read_text("utf-8")
        self.assertEqual(log.count("starting workers"), 2)
        for one in workers:
            self.assertRaises(ProcessLookupError, os.kill, one, 0)

    def test_mistake(self) -> None:
        """One line and status 1, as with one process."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            config = self.file(configText("echo.yaml", {10000: port}))
            program = self.spawn(
                "-n", "--pidfile=", "envoy", "-c", config, "--concurrency", "2", "-l", "error"
            )
            self.assertEqual(program.ended(), (1, ""))
        self.assertEqual(program.log().count("\n"), 1)
        self.assertIn(f"cannot bind '127.0.0.1:{port}': Address already in use", program.log())
