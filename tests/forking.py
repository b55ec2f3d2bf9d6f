"""
Programs of this checkout as processes of their own, without the time that importing takes.

Each is a fork of a process that has imported nearly everything; tests of starting itself use
`subprocess`.
"""

from __future__ import annotations

import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
_STARTING = Lock()
_SERVE = "from tests.preloaded import main; main({})"


@lru_cache(maxsize=1)
def _start() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Where programs are ordered, and the process behind it, which ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE.format(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
        )
    return ours, process


class ForkedProcess:
    """
    A Python program; as much of `subprocess.Popen` as the tests use.

    Args:
        code: the program.
        arguments: its `sys.argv[1:]`.
        folder: where it runs.
        out, err: files for its stdout and stderr; None makes a pipe.
    Attributes:
        returncode: as it ended, negative for a signal; None while that is not known.
    """

    def __init__(
        self,
        code: str,
        arguments: list[str],
        folder: Path,
        out: IO[Any] | None = None,
        err: IO[Any] | None = None,
    ) -> None:
        self.args = arguments
        self.returncode: int | None = None
        self.stdout, outEnd = _end(out)
        self.stderr, errEnd = _end(err)
        self._report, reportEnd = os.pipe()
        order = {
            "code": code,
            "arguments": arguments,
            "folder": str(folder),
            "environment": {**os.environ, "PYTHONPATH": str(ROOT)},
        }
        ends = [outEnd, errEnd, reportEnd]
        with _STARTING:
            orders, _ = _start()
        socket.send_fds(orders, [json.dumps(order).encode()], ends)
        for one in ends:
            os.close(one)
        self.pid = self._reported()

    def _reported(self) -> int:
        """The next line of the report."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._report, 1)
            assert byte, "the process that forks has gone"
            line += byte
        return int(line)

    def wait(self, timeout: float | None = None) -> int:
        """
        Wait for its end.

        Raises:
            TimeoutExpired: it did not end in so many seconds.
        """
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            self.returncode = self._reported()
            os.close(self._report)
        return self.returncode

    def poll(self) -> int | None:
        """Has it ended? Its `returncode`."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ends just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """
        Read both pipes to their ends and wait: (stdout, stderr).

        Raises:
            TimeoutExpired: that took longer.
        """
        deadline = time.monotonic() + timeout
        read: dict[Any, bytes] = {self.stdout: b"", self.stderr: b""}
        with selectors.DefaultSelector() as selector:
            for pipe in read:
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise subprocess.TimeoutExpired(self.args, timeout)
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16)
                    read[key.fileobj] += data
                    if not data:
                        selector.unregister(key.fileobj)
        self.wait(max(0.0, deadline - time.monotonic()))
        return read[self.stdout].decode(), read[self.stderr].decode()


def _end(file: IO[Any] | None) -> tuple[IO[bytes] | None, int]:
    """What the test reads, and the descriptor that a program writes to."""
    if file is not None:
        return None, os.dup(file.fileno())
    reading, writing = os.pipe()
    return open(reading, "rb", buffering=0), writing
