"""The factory of the file access log."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.access_log.logger import FileAccessLogger
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.substitution import compileSubstitution
from twisted_envoy.formatter.text import DEFAULT_FORMAT, Formatter, compileText
from twisted_envoy.interfaces.extensions import IExtensionFactory


@implementer(IExtensionFactory)
class FileAccessLogFactory:
    """Builds FileAccessLoggers; all that name one path share the file."""

    typeURL = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    category = "access_loggers"
    descriptors = b""

    def build(self, config: Any, context: Any) -> FileAccessLogger:
        """
        Build the logger.

        Raises:
            ConfigError: the format cannot be obeyed or the file cannot be opened.
        """
        format = _format(config, context)
        try:
            file = context.accessLogs.open(config.path_)
        except AccessLogError as error:
            raise config.error(str(error), "path") from error
        return FileAccessLogger(file, format)


def _format(config: Any, context: Any) -> Formatter:
    kind = config.which("access_log_format")
    if kind == "log_format":
        config.log_format.moot("content_type", "a log has no content type")
        return compileSubstitution(config.log_format, context)
    try:
        if kind == "format":
            return compileText(config.format or DEFAULT_FORMAT)
        if kind == "json_format":
            return compileJSON(config.json_format)
        if kind == "typed_json_format":
            return compileJSON(config.typed_json_format)
    except FormatError as error:
        raise config.error(str(error), kind) from error
    return compileText(DEFAULT_FORMAT)
