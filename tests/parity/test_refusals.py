"""Broken bootstraps: real Envoy's exit code, and its words inside our one line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tests.parity.programs import MISSING, PATIENCE, ROOT, ourCommand, theirCommand
from tests.parity.refusals import oddities, refusals
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions

_PREFIX = re.compile(r"^\[[^\]]*\]\[\d+\]\[critical\]\[main\] \[[^\]]*\] ", re.MULTILINE)
_RANDOM = re.compile(r"goo\.gle/debug\w+\s*|,?\s*near\s+\d+:\d+\s+\(offset\s*\d+\)")
_BLANKS = re.compile(r"\s+")
_BOUND = frozenset({"foreignAddress", "missingFolder"})
"""Only a process can see these: they are found when sockets are bound."""


def core(said: str) -> str:
    """The message of Envoy's critical line, without what it varies on purpose."""
    text = _PREFIX.split(said, maxsplit=1)[-1]
    found = re.search(r"error `(.*?)` initializing config", text, re.DOTALL)
    message = plain(found[1] if found else text)
    # The configuration before or behind a text has its keys in any order.
    message = re.sub(r"^.*?:(?=Protoconstraintvalidationfailed)", "", message)
    return re.sub(r"\):[\[{\"].*$", ")", message)


def plain(text: str) -> str:
    """Without blanks and what Envoy varies."""
    return _BLANKS.sub("", _RANDOM.sub("", text))


class RefusalTests(SynchronousTestCase):
    """All of refusals.py."""

    skip = MISSING

    def _files(self, texts: Iterator[tuple[str, str]]) -> dict[str, Path]:
        folder = Path(self.mktemp())
        folder.mkdir()
        files = {}
        for name, text in texts:
            self.assertNotIn(name, files)
            files[name] = folder / f"{name}.yaml"
            files[name].write_text(text, "utf-8")
        return files

    def _refusal(self, command: list[str], file: Path) -> tuple[int, str]:
        done = subprocess.run(
            [*command, "-c", str(file)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        return done.returncode, done.stderr

    def _ours(self, file: Path) -> str:
        try:
            buildServer(ServerOptions(configPath=str(file)), MemoryReactorClock())
        except ConfigError as problem:
            return str(problem)
        return "accepted"

    def test_sameWords(self) -> None:
        """Each is refused with status 1, and our line holds real Envoy's message."""
        files = self._files(refusals())
        with ThreadPoolExecutor(2) as pool:
            theirs = dict(
                zip(
                    files,
                    pool.map(lambda file: self._refusal(theirCommand(), file), files.values()),
                    strict=True,
                )
            )
        different = []
        for name, file in files.items():
            status, said = theirs[name]
            self.assertEqual(status, 1, f"{name}: {said}")
            ours = self._refusal(ourCommand(), file)[1] if name in _BOUND else self._ours(file)
            if core(said) not in plain(ours):
                different.append((name, core(said), ours))
        self.assertEqual(different, [])

    def test_oddities(self) -> None:
        """What looks wrong and is accepted by both."""
        for name, file in self._files(oddities()).items():
            status, said = self._refusal([*theirCommand(), "--mode", "validate"], file)
            self.assertEqual((name, status, self._ours(file)), (name, 0, "accepted"), said)

    def test_processes(self) -> None:
        """A few as processes: status 1, one line, no traceback."""
        files = self._files(refusals())
        for name in ("empty", "unclosed", "noStatPrefix", "foreignAddress", "unopenableLog"):
            status, said = self._refusal(ourCommand(), files[name])
            self.assertEqual(status, 1, f"{name}: {said}")
            self.assertNotIn("Traceback", said)
            self.assertEqual(said.count("[critical]"), 1, said)

    def test_portInUse(self) -> None:
        """A port that somebody has is one line as well."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            file = Path(self.mktemp() + ".yaml")
            file.write_text(
                "admin: {address: {socket_address: "
                f"{{address: 127.0.0.1, port_value: {port}}}}}}}\n",
                "utf-8",
            )
            theirs = self._refusal(theirCommand(), file)
            ours = self._refusal(ourCommand(), file)
        self.assertEqual((theirs[0], ours[0]), (1, 1))
        self.assertIn(core(theirs[1]), plain(ours[1]))
