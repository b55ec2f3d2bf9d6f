"""The factories of the access logs to standard output and standard error."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.access_log.logger import FileAccessLogger
from twisted_envoy.formatter.substitution import compileSubstitution
from twisted_envoy.formatter.text import DEFAULT_FORMAT, Formatter, compileText
from twisted_envoy.interfaces.extensions import IExtensionFactory


@implementer(IExtensionFactory)
class StreamAccessLogFactory:
    """
    Builds loggers to one of the process's streams.

    Args:
        messageName: `StdoutAccessLog` or `StderrAccessLog`.
        path: `/dev/stdout` or `/dev/stderr`; a file log that names it shares the buffer.
    """

    category = "access_loggers"
    descriptors = b""

    def __init__(self, messageName: str, path: str) -> None:
        self.typeURL = f"envoy.extensions.access_loggers.stream.v3.{messageName}"
        self._path = path

    def build(self, config: Any, context: Any) -> FileAccessLogger:
        """
        Build the logger.

        Raises:
            ConfigError: the format cannot be obeyed.
        """
        format: Formatter
        if config.log_format is None:
            format = compileText(DEFAULT_FORMAT)
        else:
            config.log_format.moot("content_type", "a log has no content type")
            format = compileSubstitution(config.log_format, context)
        return FileAccessLogger(context.accessLogs.open(self._path), format)
