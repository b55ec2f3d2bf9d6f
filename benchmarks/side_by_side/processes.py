"""Programs that are measured: pinned, their CPU time and memory, and their end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

START = 30.0
"""Seconds that a program has to listen."""
END = 5.0


class CannotStart(Exception):
    """A program that ended, or does not listen; with the end of what it said."""


class Program:
    """
    A running program and all of its children.

    Args:
        arguments: of the command.
        log: where its output goes.
        processors: that it may use; empty for all.
    """

    def __init__(self, arguments: Sequence[str], log: Path, processors: Sequence[int]) -> None:
        self.began = time.monotonic()
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["taskset", "-c", ",".join(map(str, processors)), *arguments]
                if processors
                else list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def waitFor(self, port: int) -> float:
        """
        Wait until it listens: seconds since it was started.

        Raises:
            CannotStart: it does not.
        """
        while time.monotonic() - self.began < START:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return time.monotonic() - self.began
            except OSError:
                time.sleep(0.005)
        raise CannotStart(self._log.read_text("utf-8", "replace")[-1000:])

    def processor(self) -> float:
        """User and system time of all its threads, in seconds."""
        total = 0
        for pid in self._tree():
            for path in _listed(Path(f"/proc/{pid}/task")):
                try:
                    total += int((path / "schedstat").read_text("ascii").split()[0])
                except OSError:
                    continue
        return total / 1e9

    def memory(self) -> int:
        """What all its processes have in memory, shared pages counted once; in KiB."""
        total = 0
        for pid in self._tree():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in text.splitlines() if "Pss:" in line[:4])
        return total

    def stop(self) -> None:
        """End it, and what it has started."""
        pids = list(self._tree())
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pid in pids[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _tree(self) -> Iterator[int]:
        waiting = [self._process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            for path in _listed(Path(f"/proc/{pid}/task")):
                try:
                    waiting += map(int, (path / "children").read_text("ascii").split())
                except OSError:
                    continue


def _listed(path: Path) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError:
        return []


def freePort() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port
