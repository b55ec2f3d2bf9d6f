"""Tests for twisted_envoy.access_log.logger."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.access_log.contexts import Context
from tests.formatter.records import fullRecord
from tests.formatter.views import viewOfYAML
from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.interfaces.access_log import IAccessLogger

LOG = """
name: a
typed_config:
  "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
  path: /log
  log_format: {text_format_source: {inline_string: "%BYTES_SENT%\\n"}}
"""


class BuildAccessLogsTests(SynchronousTestCase):
    def test_none(self) -> None:
        """No views, no loggers."""
        self.assertEqual(buildAccessLogs((), Context()), ())

    def test_inOrder(self) -> None:
        """Each view becomes one logger of the access_loggers category."""
        context = Context()
        view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", LOG)

        loggers = buildAccessLogs((view, view), context)
        for logger in loggers:
            verifyObject(IAccessLogger, logger)
            logger.log(fullRecord())

        self.assertEqual(context.categories, ["access_loggers"] * 2)
        self.assertEqual(context.accessLogs.lines("/log"), ["6", "6"])

    def test_filtered(self) -> None:
        """A filter decides about each record."""
        context = Context()
        filter = "filter: {log_type_filter: {types: [TcpConnectionStart]}}\n"
        view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", LOG + filter)
        (logger,) = buildAccessLogs((view,), context)
        verifyObject(IAccessLogger, logger)

        for kind in ("TcpConnectionStart", "TcpConnectionEnd"):
            record = fullRecord()
            record.accessLogType = kind
            logger.log(record)

        self.assertEqual(context.accessLogs.lines("/log"), ["6"])
