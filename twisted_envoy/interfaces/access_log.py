"""Where records of connections go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted_envoy.state.stream_info import FormatContext


class IAccessLogger(Interface):
    """What an access logger's factory builds: takes one record at a time."""

    def log(context: FormatContext) -> None:
        """
        Write one record of what is known now.

        Never raises for what the outside does (a full disk, a closed pipe).
        """


class IAccessLogFile(Interface):
    """
    One place that log lines go to, shared by all loggers that name it.

    It may define `append(data: bytes)`, which is `write` of what is never empty, encoded.
    """

    path: str = Attribute("As configured; `/dev/stdout` and `/dev/stderr` are the process's own.")

    def write(text: str) -> None:
        """Append a text; when it reaches the file is the file's business."""


class IAccessLogManager(Interface):
    """Owns every access log file of a server."""

    def open(path: str) -> IAccessLogFile:
        """
        The file of that path, opened on first use.

        Raises:
            AccessLogError: it cannot be opened; the text is Envoy's.
        """

    def flush() -> None:
        """Hand everything that is buffered to the operating system."""

    def reopen() -> None:
        """Open every file anew (they may have been renamed)."""

    def close() -> None:
        """Flush and close; nothing is written after it."""
