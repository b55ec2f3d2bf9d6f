"""
One log file: lines are buffered, and written at 64 KiB, by a timer and at the end.

As in Envoy the first line goes out at once; the timer runs only while something is buffered.
Writing may fail (a full disk, a closed pipe): the lines are counted and lost, nobody else notices.
"""

from __future__ import annotations

import os
import select
import stat

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from twisted_envoy.access_log.stamp import encoded
from twisted_envoy.interfaces.access_log import IAccessLogFile
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

FLUSH_SIZE = 64 * 1024
"""Bytes; so much in the buffer is written at once."""

KEEP_SIZE = 8 * 1024 * 1024
"""Bytes; so much is kept at most for a pipe that takes no more."""

_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}


class AccessLogError(Exception):
    """A log file that cannot be opened."""


@dataclass(frozen=True, slots=True)
class FileStats:
    """`filesystem.*`, shared by all files."""

    writeBuffered: Counter
    writeCompleted: Counter
    writeFailed: Counter
    flushedByTimer: Counter
    reopenFailed: Counter
    writeTotalBuffered: Gauge

    @classmethod
    def make(cls, scope: Scope) -> FileStats:
        """From the root scope."""
        below = scope.scope("filesystem")
        return cls(
            below.counter("write_buffered"),
            below.counter("write_completed"),
            below.counter("write_failed"),
            below.counter("flushed_by_timer"),
            below.counter("reopen_failed"),
            below.gauge("write_total_buffered"),
        )


@implementer(IAccessLogFile)
class AccessLogFile:
    """
    A file that lines are appended to; made by an AccessLogManager.

    Args:
        path: its name; `/dev/stdout` and `/dev/stderr` are this process's streams.
        flushInterval: seconds.
        isShared: other processes write to it too; then a pipe, which keeps only short pieces
            together, gets its lines in such pieces.
    Raises:
        AccessLogError: it cannot be opened.
    """

    def __init__(
        self,
        path: str,
        reactor: IReactorTime,
        flushInterval: float,
        stats: FileStats,
        isShared: bool = False,
    ) -> None:
        self.path = path
        self._isShared = isShared
        self._inPieces = False
        self._reactor = reactor
        self._flushInterval = flushInterval
        self._stats = stats
        self._buffered, self._totalBuffered = stats.writeBuffered, stats.writeTotalBuffered
        self._buffer: list[bytes] = []
        self._size = 0
        self._timer: IDelayedCall | None = None
        self._written = False
        self._closed = False
        self._descriptor: int | None = self._open()

    def write(self, text: str) -> None:
        """Append a text (odd bytes as surrogates: they go out as bytes); dropped after `close`."""
        if text:
            self.append(text.encode() if text.isascii() else encoded(text))

    def append(self, data: bytes) -> None:
        """The same, of bytes; at least one."""
        if self._closed:
            return
        self._buffer.append(data)
        size = len(data)
        self._size = held = self._size + size
        self._buffered.value += 1
        self._totalBuffered.value += size
        if held >= FLUSH_SIZE or not self._written:
            self._written = True
            self.flush()
        elif self._timer is None:
            self._timer = self._reactor.callLater(self._flushInterval, self._timeToFlush)

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        if not self._buffer:
            return
        if self._descriptor is None:
            self.reopen()
        data = b"".join(self._buffer)
        self._buffer.clear()
        self._size = 0
        self._stats.writeTotalBuffered.value -= len(data)
        rest = self._writeOut(data)
        if rest and not self._closed and len(rest) <= KEEP_SIZE:
            self._keep(rest)
        elif rest:
            self._stats.writeFailed.value += 1

    def reopen(self) -> None:
        """Write what is buffered to the old file, then open the path anew."""
        if self.path in _STREAMS:
            return
        if self._descriptor is not None:
            self.flush()
            os.close(self._descriptor)
            self._descriptor = None
        try:
            self._descriptor = self._open()
        except AccessLogError:
            self._stats.reopenFailed.value += 1

    def close(self) -> None:
        """Flush, and give the file back."""
        self._closed = True
        self.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor is not None and self.path not in _STREAMS:
            os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        descriptor = _STREAMS.get(self.path)
        if descriptor is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            try:
                descriptor = os.open(self.path, flags, 0o644)
            except OSError as error:
                text = f"unable to open file '{self.path}': {error.strerror}"
                raise AccessLogError(text) from error
        self._inPieces = self._isShared and not _isRegular(descriptor)
        return descriptor

    def _writeOut(self, data: bytes) -> bytes:
        """
        Write all that can be written now.

        Returns:
            What a pipe did not take; b"" also when it is lost.
        """
        if self._descriptor is None:
            self._stats.writeFailed.value += 1
            return b""
        view = memoryview(data)
        try:
            while view:
                size = _pieceOf(data, len(data) - len(view)) if self._inPieces else len(view)
                view = view[os.write(self._descriptor, view[:size]) :]
        except BlockingIOError:
            return bytes(view)
        except OSError:
            self._stats.writeFailed.value += 1
            return b""
        self._stats.writeCompleted.value += 1
        return b""

    def _keep(self, rest: bytes) -> None:
        self._buffer.append(rest)
        self._size = len(rest)
        self._stats.writeTotalBuffered.value += len(rest)
        if self._timer is None:
            self._timer = self._reactor.callLater(self._flushInterval, self._timeToFlush)

    def _timeToFlush(self) -> None:
        self._timer = None
        self._stats.flushedByTimer.value += 1
        self.flush()


def _isRegular(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _pieceOf(data: bytes, start: int) -> int:
    """How much from there on a pipe keeps together: whole lines; of a longer line, all of it."""
    if len(data) - start <= select.PIPE_BUF:
        return len(data) - start
    end = data.rfind(b"\n", start, start + select.PIPE_BUF) + 1
    if not end:
        end = data.find(b"\n", start) + 1 or len(data)
    return end - start
