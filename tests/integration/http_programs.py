"""Programs that serve HTTP, and the HTTP clients that people have, run to their ends."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.integration.programs import (
    PATIENCE,
    SERVING,
    Program,
    ProgramTestCase,
    configText,
    connected,
    freePorts,
)

ENCAPSULATE = "encapsulate_http_in_http2_connect.yaml"
TERMINATE = "terminate_http_in_http2_connect.yaml"
HELLO = "Hello, world!\n"

_RESET = ("Connection reset by peer", "Broken pipe")


def memory(program: Program) -> int:
    """The most memory that a program had, in bytes."""
    status = Path(f"/proc/{program.process.pid}/status").read_text("ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


class HTTPProgramTestCase(ProgramTestCase):
    """Runs servers, and clients against them; a client that is not installed skips the test."""

    def tool(self, name: str, *arguments: str, status: int | None = 0) -> str:
        """
        Run a client to its end.

        Args:
            status: that it must end with; None for any.
        Returns:
            What it wrote to stdout, and then to stderr.
        """
        if shutil.which(name) is None:
            raise SkipTest(f"{name} is not installed")
        done = subprocess.run(
            [name, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def curl(self, port: int, *options: str, path: str = "/", status: int | None = 0) -> str:
        """What curl says of a page of a port of this machine."""
        url = f"http://127.0.0.1:{port}{path}"
        return self.tool("curl", "-sS", "--max-time", "20", *options, url, status=status)

    def serves(self, file: Path, *options: str, admin: bool = False) -> Program:
        """A bootstrap as it is in a file; returns when it serves."""
        program = self.spawn("-n", "--pidfile=", *options, "envoy", "-c", file, admin=admin)
        if not program.logs(SERVING):
            self.fail(program.log())
        return program

    def pair(self) -> tuple[Program, Program, int, int]:
        """
        The two documented configs, each in its own process.

        Returns:
            Both programs, the first one's port, and that of the second one's admin interface.
        """
        front, back, admin = freePorts(3)
        one = self.file(configText(ENCAPSULATE, {10000: front, 10001: back}), ENCAPSULATE)
        other = self.file(configText(TERMINATE, {10001: back, 9902: admin}), TERMINATE)
        terminate = self.serves(other)
        return self.serves(one), terminate, front, admin

    def stats(self, port: int) -> dict[str, int]:
        """The counters and gauges of an admin interface."""
        lines = self.curl(port, path="/stats").splitlines()
        pairs = (line.rpartition(": ") for line in lines)
        return {name: int(value) for name, _, value in pairs if value.isdecimal()}

    def says(self, port: int, data: bytes, end: bool = False) -> bytes:
        """Send bytes, hear everything up to the end that the other side makes."""
        with connected(port) as client:
            try:
                client.sendall(data)
                if end:
                    client.shutdown(1)
            except OSError as problem:
                self.assertIn(problem.strerror, _RESET)
            return heard(client)

    def quiet(self, *programs: Program) -> None:
        """End programs; their status is 0, and their logs have no traceback and no error."""
        for program in programs:
            status, _ = program.end()
            self.assertEqual(status, 0, program.log())
            for word in ("Traceback", "][error]", "][critical]", "Unhandled"):
                self.assertNotIn(word, program.log())


def heard(client: Any) -> bytes:
    """Everything up to the end of the stream, or its reset."""
    found = []
    try:
        while data := client.recv(1 << 16):
            found.append(data)
    except ConnectionResetError:
        pass
    return b"".join(found)


class Beside(threading.Thread):
    """Calls a function beside the test; `join` raises what that raised."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.result: Any = None
        self._problem: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as problem:
            self._problem = problem

    def join(self, timeout: float | None = PATIENCE) -> None:
        """Wait for the end."""
        super().join(timeout)
        if self._problem is not None:
            raise self._problem
        assert not self.is_alive()
