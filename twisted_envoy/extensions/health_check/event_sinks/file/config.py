"""The factory of the file sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.access_log import IAccessLogFile


@implementer(IExtensionFactory)
class FileSinkFactory:
    """Opens the files that health check events are written to."""

    typeURL = "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink"
    category = "health_check.event_sinks"
    descriptors = b""

    def build(self, config: View, context: Any) -> IAccessLogFile:
        """
        Open the file.

        Raises:
            ConfigError: it cannot be opened.
        """
        try:
            file: IAccessLogFile = context.accessLogs.open(config.event_log_path)
        except AccessLogError as error:
            raise config.error(str(error), "event_log_path") from error
        return file
