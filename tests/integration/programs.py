"""What the integration tests share: programs that serve, and plain blocking sockets."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.forking import ForkedProcess

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGS = ROOT / "configs"
PATIENCE = 30
TWISTD = "from twisted.scripts.twistd import run; run()"
TWIST = "from twisted.application.twist._twist import Twist; Twist.main()"
ADMIN = "{admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}}"
SERVING = "starting main dispatch loop"


def configText(name: str, ports: dict[int, int]) -> str:
    """A file of configs/ with other ports: {9999: 0}."""
    text = (CONFIGS / name).read_text("utf-8")
    for old, new in ports.items():
        text, count = re.subn(rf"(?<=port_value: ){old}\b", str(new), text)
        assert count, f"{name} has no port {old}"
    return text


class Program:
    """
    A twistd, a twist, or any Python program.

    Args:
        process: with pipes for stdout and stderr.
        adminFile: where it writes its admin interface's address, if it was asked for one.
    """

    def __init__(self, process: subprocess.Popen[str] | ForkedProcess, adminFile: Path) -> None:
        self.process = process
        self._adminFile = adminFile
        self._log = ""

    def log(self) -> str:
        """What it has written to stderr."""
        while self._moreLog(0):
            pass
        return self._log

    def logs(self, text: str) -> bool:
        """Wait until its log says something; False when it ends, or time does, without."""
        end = time.monotonic() + PATIENCE
        while text not in self._log:
            if not self._moreLog(end - time.monotonic()):
                return False
        return True

    def _moreLog(self, patience: float) -> bool:
        stderr = self.process.stderr
        assert stderr is not None
        if stderr.closed or not select.select([stderr], [], [], max(0, patience))[0]:
            return False
        data = os.read(stderr.fileno(), 1 << 16)
        self._log += data.decode()
        return bool(data)

    def admin(self, path: str) -> str:
        """A page of its admin interface."""
        address = self._adminFile.read_text("ascii")
        with urllib.request.urlopen(f"http://{address}/{path}", timeout=PATIENCE) as answer:
            text: str = answer.read().decode()
        return text

    def port(self, listener: str) -> int:
        """Where a listener really listens."""
        for status in json.loads(self.admin("listeners?format=json"))["listener_statuses"]:
            if status["name"] == listener:
                port: int = status["local_address"]["socket_address"]["port_value"]
                return port
        raise KeyError(listener)

    def connect(self, listener: str) -> socket.socket:
        """A connection to a listener."""
        return connected(self.port(listener))

    def ended(self) -> tuple[int, str]:
        """Wait for its end: (status, stdout)."""
        out, log = self.process.communicate(timeout=PATIENCE)
        self._log += log
        status = self.process.returncode
        assert status is not None
        return status, out

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal and wait: (status, stdout)."""
        self.process.send_signal(number)
        return self.ended()


class ProgramTestCase(SynchronousTestCase):
    """
    Runs programs; nothing of them outlives a test.

    Attributes:
        path: the programs' PYTHONPATH.
        fresh: they start as users start them, imports included.
    """

    path: tuple[Path, ...] = (ROOT,)
    fresh = False

    def setUp(self) -> None:
        """A folder for each test."""
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        self._spawned = 0

    def file(self, text: str, name: str = "envoy.yaml") -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def spawn(self, *arguments: str | Path, code: str = TWISTD, admin: bool = False) -> Program:
        """
        Start a program in the folder.

        Args:
            code: twistd is a fork of one that was imported, unless the case wants it fresh.
            admin: give it an admin interface at a free port.
        """
        self._spawned += 1
        adminFile = self.folder / f"admin.{self._spawned}"
        if admin:
            arguments += ("--config-yaml", ADMIN, "--admin-address-path", adminFile)
        words = [*map(str, arguments)]
        process: subprocess.Popen[str] | ForkedProcess
        if code == TWISTD and self.path == (ROOT,) and not self.fresh:
            process = ForkedProcess(code, words, self.folder)
        else:
            process = subprocess.Popen(
                [sys.executable, "-u", "-c", code, *words],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, self.path))},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            self.addCleanup(pipe.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return Program(process, adminFile)

    def serve(self, config: str, *options: str, code: str = TWISTD) -> Program:
        """
        A bootstrap that is served, with an admin interface.

        Args:
            config: the bootstrap's text.
            options: of twistd's, after `-n --pidfile=`.
        """
        if code == TWISTD:
            options = ("-n", "--pidfile=", *options)
        program = self.spawn(*options, "envoy", "-c", self.file(config), code=code, admin=True)
        if not program.logs(SERVING):
            self.fail(program.log())
        return program

    def origin(self) -> socket.socket:
        """A listening socket of the test's own; `accept` what comes."""
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(PATIENCE)
        self.addCleanup(listening.close)
        return listening

    def accept(self, listening: socket.socket) -> socket.socket:
        """The next connection."""
        connection, _ = listening.accept()
        connection.settimeout(PATIENCE)
        self.addCleanup(connection.close)
        return connection


def connected(port: int) -> socket.socket:
    """A connection to a port of this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def freePorts(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [portOf(one) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def portOf(listening: socket.socket) -> int:
    """The port that a socket is bound to."""
    port: int = listening.getsockname()[1]
    return port


def received(connection: socket.socket, size: int) -> bytes:
    """Exactly so many bytes, fewer only when the other side ends."""
    found = b""
    while len(found) < size and (data := connection.recv(size - len(found))):
        found += data
    return found


def receivedToEnd(connection: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    found = []
    while data := connection.recv(1 << 16):
        found.append(data)
    return b"".join(found)
