"""The access log files of one server, by path."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from twisted_envoy.access_log.file import AccessLogFile, FileStats
from twisted_envoy.interfaces.access_log import IAccessLogFile, IAccessLogManager
from twisted_envoy.stats.scope import Scope


@implementer(IAccessLogManager)
class AccessLogManager:
    """
    One AccessLogFile a path, however many loggers name it.

    Args:
        scope: the root scope; the stats are `filesystem.*`.
        flushInterval: seconds (`--file-flush-interval-msec`).
        isShared: other processes append to the same files.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        scope: Scope,
        flushInterval: float = 10.0,
        isShared: bool = False,
    ) -> None:
        self._isShared = isShared
        self._reactor = reactor
        self._stats = FileStats.make(scope)
        self._flushInterval = flushInterval
        self._files: dict[str, AccessLogFile] = {}

    def open(self, path: str) -> AccessLogFile:
        """
        The file of that path, opened on first use.

        Envoy opens it when it only validates, too: a path that cannot be opened is an error.

        Raises:
            AccessLogError: it cannot be opened.
        """
        found = self._files.get(path)
        if found is None:
            found = AccessLogFile(
                path, self._reactor, self._flushInterval, self._stats, self._isShared
            )
            self._files[path] = found
        return found

    def flush(self) -> None:
        """Hand everything that is buffered to the operating system."""
        for file in self._files.values():
            file.flush()

    def reopen(self) -> None:
        """Open every file anew, as after SIGUSR1 or `/reopen_logs`."""
        for file in self._files.values():
            file.reopen()

    def close(self) -> None:
        """Flush and close all."""
        for file in self._files.values():
            file.close()


@implementer(IAccessLogFile)
class MemoryLogFile:
    """
    Keeps its texts.

    Attributes:
        texts: each text that was written, one a record.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        """Keep one more text."""
        self.texts.append(text)

    def append(self, data: bytes) -> None:
        """The same, of bytes."""
        self.texts.append(data.decode("utf-8", "surrogateescape"))


@implementer(IAccessLogManager)
class MemoryAccessLogManager:
    """
    Files that are never on a disk, for tests and for running a bootstrap in memory.

    Attributes:
        files: by path, those that were opened.
    """

    def __init__(self) -> None:
        self.files: dict[str, MemoryLogFile] = {}

    def open(self, path: str) -> MemoryLogFile:
        """The file of that path; every path can be opened."""
        return self.files.setdefault(path, MemoryLogFile(path))

    def lines(self, path: str) -> list[str]:
        """The lines that are in a file, without their ends."""
        return "".join(self.open(path).texts).splitlines()

    def records(self, path: str) -> list[Any]:
        """
        The lines of a JSON log as objects.

        Raises:
            ValueError: a line is no JSON; the text names the log and the line.
        """
        return [_record(path, *one) for one in enumerate(self.lines(path), 1)]

    def flush(self) -> None:
        """Nothing is ever held back."""

    def reopen(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""


def _record(path: str, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as problem:
        text = f"{path}: line {number} is no JSON (is its format a text format?): {line!r}"
        raise ValueError(text) from problem
