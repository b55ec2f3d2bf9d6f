"""Access loggers: a format, a file, and a filter before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from twisted_envoy.access_log.stamp import Stamp, isStampable
from twisted_envoy.formatter.line import Hole, Line
from twisted_envoy.interfaces.access_log import IAccessLogFile, IAccessLogger
from twisted_envoy.network.records import LogRecord, WriteStamp, logAlike
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.access_log.filters import RecordFilter

_MOST_STAMPS = 256
"""That a logger keeps."""


@implementer(IAccessLogger)
class FileAccessLogger:
    """
    Formats each record and appends it to a file.

    Args:
        file: where the text goes.
        format: what makes the text, newline included.
    """

    __slots__ = ("_append", "_format", "_line", "_stamps", "_write")

    def __init__(self, file: IAccessLogFile, format: Callable[[FormatContext], str]) -> None:
        self._write = file.write
        self._append: Callable[[bytes], None] | None = getattr(file, "append", None)
        self._stamps: dict[tuple[str | Hole, ...], Stamp] = {}
        self._line = format if isinstance(format, Line) else None
        self._format = format if self._line is None else self._line.render

    def log(self, context: FormatContext) -> None:
        """Write one record."""
        self._write(self._format(context))

    def alike(self, context: FormatContext, sameness: int) -> LogRecord:
        """See network.records."""
        if self._line is None:
            return self.log
        write, format = self._write, self._line.alike(context, sameness)
        return lambda record: write(format(record))

    def stamp(self, context: FormatContext, sameness: int, isIDMade: bool) -> WriteStamp | None:
        """See network.records."""
        if self._line is None or self._append is None:
            return None
        parts = tuple(self._line.partsAlike(context, sameness, not isIDMade))
        found = self._stamps.get(parts)
        if found is None:
            if not isStampable(parts):
                return None
            if len(self._stamps) >= _MOST_STAMPS:
                self._stamps.clear()
            found = self._stamps[parts] = Stamp(self._append, parts)
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

    def alike(self, context: FormatContext, sameness: int) -> LogRecord:
        """See network.records."""
        filter, log = self._filter, logAlike(self._logger, context, sameness)

        def filtered(record: FormatContext) -> None:
            if filter(record):
                log(record)

        return filtered


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
