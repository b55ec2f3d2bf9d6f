"""
The server's log: twisted.logger events as Envoy's lines.

    [2026-11-23 01:02:03.456][4711][info][main] [twisted_envoy/server/tap.py:12] text

An `EnvoyLog` is one observer with its levels, its pattern and the file it writes to. An event may
carry `component="runtime"` to name Envoy's logger itself, `log_trace=True` to be a trace line, and
an error `log_critical=True` to be a critical one: a line that is critical for Twisted, too, is also
printed by it as long as twistd has not begun to log.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Protocol

from twisted.logger import ILogObserver, LogEvent, eventAsText
from zope.interface import implementer

from twisted_envoy.server.log_format import Formatter, LogRecord, compileLogFormat
from twisted_envoy.server.log_levels import LEVELS, LogControl, componentOf, weightOf

_SEEN = "twisted_envoy_printed"
"""Key of events that were printed: twistd and twist replay what came before they began to log."""


_ESCAPES = [chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in range(256)]
_ESCAPES[ord("\n")] = "\\n"
_ESCAPES[ord("\r")] = "\\r"
_ESCAPES[ord("\t")] = "\\t"
for _quoted in "\"'\\":
    _ESCAPES[ord(_quoted)] = "\\" + _quoted


class LogOutput(Protocol):
    """Where lines go. Neither method raises."""

    def write(self, text: str) -> None:
        """Write one whole line, its newline included."""

    def reopen(self) -> None:
        """Open the file anew, if it is one."""


class DescriptorOutput:
    """
    An open file descriptor, such as stderr's; unbuffered.

    A line that cannot be written is lost: there is nobody left to tell.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def write(self, text: str) -> None:
        """Write the line at once."""
        data = text.encode("utf-8", "backslashreplace")
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except OSError:
            return

    def reopen(self) -> None:
        """A descriptor stays what it is."""


class PathOutput:
    """
    A log file, appended to.

    Args:
        path: taken as it is now; a later change of the working directory does not move it.
    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._output = self._open()

    def _open(self) -> DescriptorOutput:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return DescriptorOutput(os.open(self.path, flags, 0o644))

    def write(self, text: str) -> None:
        """Append the line at once."""
        self._output.write(text)

    def reopen(self) -> None:
        """Open the path again, after a rotation; the old file stays when that fails."""
        try:
            new = self._open()
        except OSError:
            return
        self.close()
        self._output = new

    def close(self) -> None:
        """Write no more."""
        if self._output.descriptor >= 0:
            os.close(self._output.descriptor)
        self._output = DescriptorOutput(-1)


@implementer(ILogObserver)
class EnvoyLog:
    """
    An observer that prints events as Envoy prints its log.

    Args:
        control: the levels.
        output: where lines go.
        pattern: as `--log-format`.
        escaped: what is not printable ASCII, quotes and backslashes become C escapes, in the whole
            line, as `--log-format-escaped`.
    Raises:
        LogFormatError: for the pattern.
    """

    def __init__(
        self, control: LogControl, output: LogOutput, pattern: str, escaped: bool = False
    ) -> None:
        self.control = control
        self._output = output
        self._format = compileLogFormat(pattern)
        self._escaped = escaped

    def __call__(self, event: LogEvent) -> None:
        """Print the event if its logger's level lets it through."""
        component, weight = componentOf(event), weightOf(event)
        if event.get(_SEEN) or not self.control.shows(component, weight):
            return
        event[_SEEN] = True
        message = messageOf(event)
        file, line, function = _callSite(sys._getframe(1))
        record = LogRecord(
            event["log_time"], LEVELS[weight], component, message, file, line, function
        )
        text = self._format(record)
        self._output.write((escapeLine(text) if self._escaped else text) + "\n")

    def setFormat(self, format: Formatter) -> None:
        """Print every later line in this format."""
        self._format = format

    def reopen(self) -> None:
        """Open the log file anew (SIGUSR1)."""
        self._output.reopen()


def escapeLine(text: str) -> str:
    """The text as a C string literal would have it; bytes that are no ASCII in octal."""
    return "".join([_ESCAPES[byte] for byte in text.encode("utf-8", "backslashreplace")])


def messageOf(event: Mapping[str, object]) -> str:
    """The event's text, with the traceback of a failure behind it."""
    return eventAsText(
        dict(event), includeTraceback=True, includeTimestamp=False, includeSystem=False
    ).strip()


def _callSite(frame: FrameType | None) -> tuple[str, int, str]:
    """(file, line, function) of the frame that logged; the logging machinery is skipped."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not (module == __name__ or module.startswith(("twisted.logger", "twisted.python.log"))):
            path = _shortPath(frame.f_code.co_filename, module.partition(".")[0])
            return path, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return "", 0, ""


def _shortPath(path: str, package: str) -> str:
    """From the package on, for Twisted's and our own; a folder may have the same name."""
    if package in ("twisted_envoy", "twisted"):
        _, found, tail = path.rpartition(os.sep + package + os.sep)
        if found:
            return f"{package}/{tail}"
    return os.path.basename(path)
