"""Writing one record to every access log of a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogger

_log = Logger("misc")

LogRecord = Callable[[FormatContext], None]


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
