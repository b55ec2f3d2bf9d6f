"""
Where the log goes when `twistd` or `twist` runs the server.

Envoy's format wins over Twisted's own; a log file that was given to twistd or twist is honoured,
and so are `--syslog` and `--logger`. The order: `--log-path`, the runner's own log file,
`twistd.log` for a daemon, stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from io import StringIO
from typing import TextIO

from twisted.logger import FileLogObserver, ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

from twisted_envoy.server.log import DescriptorOutput, EnvoyLog, LogOutput, PathOutput
from twisted_envoy.server.options import ServerOptions

STDERR = 2


@provider(ILogObserver)
def printNothing(event: LogEvent) -> None:
    """What twistd and twist get for their observer: Envoy's log has printed the event."""


class LogSetup:
    """
    Makes the server's log and keeps Twisted's runner from printing a second one.

    Args:
        options: Envoy's.
        runner: the options of twistd or twist, or None when there is no runner.

    Attributes:
        log: the EnvoyLog.
        replacesTwisted: False when the runner was told to log to syslog or by its own observer.
    Raises:
        OSError: the log file cannot be opened.
    """

    def __init__(self, options: ServerOptions, runner: MutableMapping[str, object] | None) -> None:
        self.replacesTwisted = not (runner and (runner.get("syslog") or runner.get("logger")))
        self.output = _chooseOutput(options.logPath, runner or {})
        self.log = EnvoyLog(
            options.logControl(), self.output, options.logFormat, options.logFormatEscaped
        )
        if runner is not None and "fileLogObserverFactory" in runner:
            runner["fileLogObserverFactory"] = _silentFactory

    @property
    def onStderr(self) -> bool:
        """Whether a user at the terminal sees the log."""
        return isinstance(self.output, DescriptorOutput) and self.output.descriptor == STDERR

    @property
    def path(self) -> str:
        """The log file, "" when it is none."""
        return self.output.path if isinstance(self.output, PathOutput) else ""

    def start(self) -> None:
        """Print every event from now on."""
        if self.replacesTwisted:
            globalLogPublisher.addObserver(self.log)

    def stop(self) -> None:
        """Print no more, and close the file."""
        if self.replacesTwisted:
            globalLogPublisher.removeObserver(self.log)
        if isinstance(self.output, PathOutput):
            self.output.close()


def _silentFactory(stream: TextIO) -> FileLogObserver:
    """For twist, which insists on a FileLogObserver."""
    return FileLogObserver(StringIO(), lambda event: None)


def _chooseOutput(path: str, runner: Mapping[str, object]) -> LogOutput:
    if path:
        return PathOutput(path)
    named = runner.get("logfile")
    if isinstance(named, str) and named != "-":
        return PathOutput(named)
    stream = runner.get("logFile")
    if stream is not None and stream not in (sys.stdout, sys.__stdout__, sys.stderr):
        return DescriptorOutput(stream.fileno())  # type: ignore[attr-defined]
    if "nodaemon" in runner and not (runner["nodaemon"] or runner.get("debug")):
        return PathOutput("twistd.log")
    return DescriptorOutput(1 if named == "-" else STDERR)
