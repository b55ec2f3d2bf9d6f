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


def loggerAlike(
    logger: IAccessLogger, context: FormatContext, sameness: int, isIDSame: bool
) -> IAccessLogger:
    """
    What logs records that are like one.

    A logger may define `alike` with the same arguments after the first, which gives one that does
    the same, for less.

    Args:
        context: one of the records. sameness: how alike they are, see formatter.sameness.
        isIDSame: all have the same x-request-id; else each has a UUID of its own.
    """
    alike = getattr(logger, "alike", None)
    found: IAccessLogger = logger if alike is None else alike(context, sameness, isIDSame)
    return found


def stampOf(
    loggers: Iterable[IAccessLogger], context: FormatContext, sameness: int, isIDSame: bool
) -> WriteStamp | None:
    """
    What logs records that are like one but for the time of their requests, and their x-request-id.

    A logger may define `stamp` with the same arguments after the first, which gives what does as
    its `log` does, for less, or None.

    Args:
        context, sameness, isIDSame: as of loggerAlike.
    Returns:
        None: one of the loggers needs to know more.
    """
    found: list[WriteStamp] = []
    for logger in loggers:
        make = getattr(logger, "stamp", None)
        write = None if make is None else make(context, sameness, isIDSame)
        if write is None:
            return None
        found.append(write)
    return found[0] if len(found) == 1 else partial(_stampAll, found)


def _stampAll(writers: list[WriteStamp], began: float, uuid: bytes) -> None:
    for write in writers:
        try:
            write(began, uuid)
        except Exception:
            _log.failure("an access logger raised")


class AlikeRecords:
    """
    Writes records that are alike, see formatter.sameness.

    Args:
        logs: all get each. sameness, isIDSame: how alike they are, as of loggerAlike.

    Attributes:
        loggers: what writes them, once there was a second record; the same ones wherever what is
            known is the same. Empty before.
    """

    __slots__ = ("_isIDSame", "_isOne", "_logs", "_sameness", "_writers", "loggers")

    def __init__(self, logs: Iterable[IAccessLogger], sameness: int, isIDSame: bool) -> None:
        self._logs = logs
        self._sameness = sameness
        self._isIDSame = isIDSame
        self._isOne = True
        self._writers: tuple[LogRecord, ...] | None = None
        self.loggers: tuple[IAccessLogger, ...] = ()

    def write(self, context: FormatContext) -> None:
        """As writeRecord; what is the same is made once, when there is a second record."""
        writers = self._writers
        if writers is None:
            if self._isOne:
                self._isOne = False
                writeRecord(self._logs, context)
                return
            writers = self._learn(context)
        for log in writers:
            try:
                log(context)
            except Exception:
                _log.failure("an access logger raised")

    def stamp(self, context: FormatContext, sameness: int) -> WriteStamp | None:
        """
        What writes those that are more alike, see stampOf; None: nothing.

        Args:
            context: one of them, that was written.
        """
        try:
            return (
                stampOf(self.loggers, context, sameness, self._isIDSame) if self.loggers else None
            )
        except Exception:  # who writes the record is told
            return None

    def _learn(self, context: FormatContext) -> tuple[LogRecord, ...]:
        found = []
        for log in self._logs:
            try:
                found.append(loggerAlike(log, context, self._sameness, self._isIDSame))
            except Exception:
                found.append(log)  # and it is told what it cannot write
        self.loggers = tuple(found)
        self._writers = tuple([logger.log for logger in found])
        return self._writers
