"""Writing one record to every access log of a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from twisted.logger import Logger

from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogger

_log = Logger("misc")

LogRecord = Callable[[FormatContext], None]
WriteStamp = Callable[[float, bytes], None]
"""Gets seconds and a UUID."""


def writeRecord(logs: Iterable[IAccessLogger], context: FormatContext) -> None:
    """Write to each log; one that raises is told of and keeps no other from its record."""
    for log in logs:
        try:
            log.log(context)
        except Exception:
            _log.failure("an access logger raised")


def logAlike(logger: IAccessLogger, context: FormatContext, sameness: int) -> LogRecord:
    """
    What logs records that are like one.

    A logger may define `alike` with the same arguments after the first, which gives what does as
    its `log` does, for less.

    Args:
        context: one of the records. sameness: how alike they are, see formatter.sameness.
    """
    alike = getattr(logger, "alike", None)
    return logger.log if alike is None else alike(context, sameness)


def stampOf(
    logs: Iterable[IAccessLogger], context: FormatContext, sameness: int, isIDMade: bool
) -> WriteStamp | None:
    """
    What logs records that are like one, but for their time and the x-request-id.

    A logger may define `stamp` with the same arguments after the first, which gives what does as
    its `log` does, for less, or None.

    Args:
        context: one of the records: of a request that was answered when it came, as all others.
        sameness: how alike they are, see formatter.sameness.
        isIDMade: each has a UUID of its own; else all have the same id.
    Returns:
        None: one of the logs needs to know more.
    """
    found: list[WriteStamp] = []
    for log in logs:
        make = getattr(log, "stamp", None)
        write = None if make is None else make(context, sameness, isIDMade)
        if write is None:
            return None
        found.append(write)
    return found[0] if len(found) == 1 else partial(_stampAll, found)


def _stampAll(writers: list[WriteStamp], now: float, uuid: bytes) -> None:
    for write in writers:
        try:
            write(now, uuid)
        except Exception:
            _log.failure("an access logger raised")


class AlikeRecords:
    """
    Writes records that are alike, see formatter.sameness.

    Args:
        logs: all get each. sameness: how alike they are.
    """

    __slots__ = ("_isOne", "_logs", "_sameness", "_writers")

    def __init__(self, logs: Iterable[IAccessLogger], sameness: int) -> None:
        self._logs = logs
        self._sameness = sameness
        self._isOne = True
        self._writers: tuple[LogRecord, ...] | None = None

    @property
    def isSecond(self) -> bool:
        """Whether one was written, and the next one is looked at more closely."""
        return self._writers is None and not self._isOne

    def write(self, context: FormatContext) -> None:
        """As writeRecord; what is the same is made once, when there is a second record."""
        writers = self._writers
        if writers is None:
            if self._isOne:
                self._isOne = False
                writeRecord(self._logs, context)
                return
            writers = self._writers = self._learn(context)
        for log in writers:
            try:
                log(context)
            except Exception:
                _log.failure("an access logger raised")

    def _learn(self, context: FormatContext) -> tuple[LogRecord, ...]:
        found = []
        for log in self._logs:
            try:
                found.append(logAlike(log, context, self._sameness))
            except Exception:
                found.append(log.log)  # and it is told what it cannot write
        return tuple(found)
