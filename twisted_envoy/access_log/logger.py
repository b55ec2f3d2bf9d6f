"""Access loggers: a format, a file, and a filter before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from twisted_envoy.access_log.stamp import Stamp, isStampable
from twisted_envoy.formatter.line import Hole, Line
from twisted_envoy.formatter.sameness import ANSWER
from twisted_envoy.interfaces.access_log import IAccessLogFile, IAccessLogger
from twisted_envoy.network.records import WriteStamp, loggerAlike
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.access_log.filters import RecordFilter

Parts = tuple[str | Hole, ...]
_MOST_KEPT = 256
"""Loggers and stamps that one logger keeps for lines that are alike."""


@implementer(IAccessLogger)
class FileAccessLogger:
    """
    Formats each record and appends it to a file.

    Args:
        file: where the text goes.
        format: what makes the text, newline included.
    """

    __slots__ = ("_alike", "_append", "_file", "_format", "_line", "_stamps", "_write")

    def __init__(self, file: IAccessLogFile, format: Callable[[FormatContext], str]) -> None:
        self._file = file
        self._write = file.write
        self._append: Callable[[bytes], None] | None = getattr(file, "append", None)
        self._alike: dict[Parts, FileAccessLogger] = {}
        self._stamps: dict[tuple[Parts, bool], Stamp] = {}
        self._line = format if isinstance(format, Line) else None
        self._format = format if self._line is None else self._line.render

    def log(self, context: FormatContext) -> None:
        """Write one record."""
        self._write(self._format(context))

    def alike(self, context: FormatContext, sameness: int, isIDSame: bool) -> FileAccessLogger:
        """See network.records; the same one for the same texts."""
        if self._line is None:
            return self
        parts = self._line.partsAlike(context, sameness, isIDSame)
        found = self._alike.get(parts)
        if found is None:
            if len(self._alike) >= _MOST_KEPT:
                self._alike.clear()
            found = FileAccessLogger(self._file, self._line.withParts(parts))
            found._stamps = self._stamps
            self._alike[parts] = found
        return found

    def stamp(self, context: FormatContext, sameness: int, isIDSame: bool) -> WriteStamp | None:
        """See network.records; the same one for the same texts."""
        if self._line is None or self._append is None:
            return None
        parts = self._line.partsAlike(context, sameness, isIDSame)
        isLate = sameness >= ANSWER
        found = self._stamps.get((parts, isLate))
        if found is None:
            if not isStampable(parts, isLate):
                return None
            if len(self._stamps) >= _MOST_KEPT:
                self._stamps.clear()
            found = self._stamps[parts, isLate] = Stamp(self._append, parts)
        return found.write


@implementer(IAccessLogger)
class FilteredAccessLogger:
    """Passes on the records that a filter lets through."""

    __slots__ = ("_filter", "_log", "_logger")

    def __init__(self, logger: IAccessLogger, filter: RecordFilter) -> None:
        self._logger = logger
        self._log = logger.log
        self._filter = filter

    def log(self, context: FormatContext) -> None:
        """Pass on one record, or drop it."""
        if self._filter(context):
            self._log(context)

    def alike(self, context: FormatContext, sameness: int, isIDSame: bool) -> FilteredAccessLogger:
        """See network.records."""
        alike = loggerAlike(self._logger, context, sameness, isIDSame)
        return FilteredAccessLogger(alike, self._filter)


def buildAccessLogs(views: tuple[Any, ...], context: Any) -> tuple[IAccessLogger, ...]:
    """
    Build the loggers of a repeated `config.accesslog.v3.AccessLog` field, in its order.

    Args:
        context: an IFactoryContext.
    Raises:
        ConfigError: a filter or logger that cannot be obeyed.
    """
    return tuple(_build(view, context) for view in views)


def _build(view: Any, context: Any) -> IAccessLogger:
    if view.filter is None:
        return cast(IAccessLogger, context.build(view, "access_loggers"))
    from twisted_envoy.access_log.filters import buildFilter

    filter = buildFilter(view.filter, context)
    logger = cast(IAccessLogger, context.build(view, "access_loggers"))
    return FilteredAccessLogger(logger, filter)
